//! What one host is asked to resolve to exact bits.

use crate::patch::VersionWish;
use std::collections::BTreeMap;

/// What one host is asked to resolve: what would its package manager install for it?
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// These packages, by name. Not empty.
    Packages(BTreeMap<String, VersionWish>),
    /// Every upgrade that its repositories mark as a security update.
    Security,
    /// The upgrades that an advisory asks for: source package to the version that fixes it, in the
    /// host's own release. Not empty.
    Fixes(BTreeMap<String, String>),
}
