//! Advisories: which version of which source package fixes a flaw, release by release.

mod osv;
mod tracker;

pub use osv::Osv;
pub use tracker::Tracker;

use crate::package::{self, PackageError};
use std::collections::BTreeMap;

/// The most bytes of an advisory's id (guess: the longest in use are under 30).
pub const MAX_ID_LEN: usize = 64;

/// What an advisory says of the releases that it fixes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advisory {
    /// Its id, as in `DSA-5678-1`.
    pub id: String,
    /// Release, as in `debian-12`, to source package to the version that fixes it.
    pub fixes: BTreeMap<String, BTreeMap<String, String>>,
}

/// A text that is not an advisory's id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no advisory's id: letters, digits, `-`, `.` and `:`, as in DSA-5678-1 or CVE-2026-12345"
)]
pub struct AdvisoryIdError(pub String);

/// Checks an advisory's id.
///
/// # Errors
/// [`AdvisoryIdError`] when no advisory can be named so.
pub fn check_id(text: &str) -> Result<(), AdvisoryIdError> {
    let is_mark = |c: char| c.is_ascii_alphanumeric() || "-.:".contains(c);
    let is_id = text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.len() <= MAX_ID_LEN
        && text.chars().all(is_mark);
    match is_id {
        true => Ok(()),
        false => Err(AdvisoryIdError(text.to_owned())),
    }
}

/// Why a file does not say what an advisory fixes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdvisoryError {
    /// A file of one advisory that is of another.
    #[error("the file is of {has}, not of {wanted}: take the file of that one")]
    OtherId {
        /// The advisory that is wanted.
        wanted: String,
        /// The advisory that the file is of.
        has: String,
    },
    /// A file of many flaws that does not have this one.
    #[error(
        "the tracker's file does not know {0}: it lists flaws by their CVE ids; name one of those, or take the advisory's own file from OSV"
    )]
    NotThere(String),
    /// It was taken back, and says nothing any more.
    #[error("{id} was withdrawn on {at}: name the advisory that took its place, if any did")]
    Withdrawn {
        /// The advisory that the file is of.
        id: String,
        /// When, as the file says it.
        at: String,
    },
    /// It is there, and fixed nowhere.
    #[error("the file names no version that fixes {0}, in any release")]
    NoFix(String),
    /// A source package or version that is none.
    #[error("what it says of {package} in {os_release} is none: {why}")]
    Package {
        /// The release.
        os_release: String,
        /// The source package.
        package: String,
        /// What is wrong.
        why: PackageError,
    },
}

/// The fixed versions that were found so far: the newest of each source in each release.
#[derive(Debug, Default)]
struct Fixed(BTreeMap<String, BTreeMap<String, String>>);

impl Fixed {
    fn add(&mut self, os_release: &str, source: &str, version: &str) -> Result<(), AdvisoryError> {
        let checked = package::check_name(source).and_then(|()| package::check_version(version));
        checked.map_err(|why| AdvisoryError::Package {
            os_release: os_release.to_owned(),
            package: source.to_owned(),
            why,
        })?;
        let sources = self.0.entry(os_release.to_owned()).or_default();
        let known = sources.entry(source.to_owned()).or_default();
        if known.is_empty() || package::compare_versions(version, known).is_gt() {
            version.clone_into(known);
        }
        Ok(())
    }

    fn advisory(self, id: &str) -> Result<Advisory, AdvisoryError> {
        if self.0.is_empty() {
            return Err(AdvisoryError::NoFix(id.to_owned()));
        }
        Ok(Advisory {
            id: id.to_owned(),
            fixes: self.0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_real_advisories_are_taken_and_other_texts_refused() {
        for id in [
            "DSA-5678-1",
            "DLA-3942-2",
            "CVE-2026-12345",
            "USN-7018-1",
            "RHSA-2026:1234",
        ] {
            assert_eq!(check_id(id), Ok(()));
        }
        for text in ["", "-1", "DSA 1", "DSA-1\n", "../x", "é"] {
            assert!(check_id(text).is_err(), "{text}");
        }
        assert!(check_id(&"A".repeat(65)).is_err());
    }
}
