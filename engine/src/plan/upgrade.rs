//! What a plan says of upgrades: whether its lock file is of them, and whom they leave alone.

use super::Warning;
use crate::{
    patch::{LockedPlatform, Patch},
    reach::Reach,
};

/// Says how many hosts have nothing to upgrade, when any have.
pub(super) fn left_alone(hosts: usize, affected: usize) -> impl Iterator<Item = Warning> {
    let of = hosts + affected;
    (hosts > 0)
        .then_some(Warning::NotAffected { hosts, of })
        .into_iter()
}

/// Whether a lock file of packages was made for a patch: named packages go on every host, upgrades
/// do not, and an advisory is the one that the rollout file names.
pub(super) fn is_of(patch: &Patch, platforms: &[LockedPlatform]) -> bool {
    let (is_upgrade, advisory) = match patch {
        Patch::Packages { .. } => (false, None),
        Patch::Security => (true, None),
        Patch::Advisory(advisory) => (true, Some(&advisory.id)),
        Patch::Config(_) | Patch::Noop => return false,
    };
    platforms.iter().all(|entry| {
        let locked = entry.fixes.as_ref().map(|fixes| &fixes.advisory);
        (entry.reach != Reach::Every) == is_upgrade && locked == advisory
    })
}
