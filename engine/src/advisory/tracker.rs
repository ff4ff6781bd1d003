//! Flaws as Debian's security tracker writes them: all of them in one file,
//! <https://security-tracker.debian.org/tracker/data/json>, source package by source package.

use super::{Advisory, AdvisoryError, Fixed};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The tracker's names of releases, and what hosts call them
/// (<https://www.debian.org/releases/>). What is not released has no hosts.
const RELEASES: [(&str, &str); 5] = [
    ("buster", "debian-10"),
    ("bullseye", "debian-11"),
    ("bookworm", "debian-12"),
    ("trixie", "debian-13"),
    ("forky", "debian-14"),
];

/// The version of a flaw that was never there.
const NOT_AFFECTED: &str = "0";

/// What is read of a file in the tracker's form: source package to flaw by id.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub struct Tracker(BTreeMap<String, BTreeMap<String, Flaw>>);

#[derive(Debug, Clone, Deserialize)]
struct Flaw {
    #[serde(default)]
    releases: BTreeMap<String, Release>,
}

#[derive(Debug, Clone, Deserialize)]
struct Release {
    #[serde(default)]
    status: String,
    fixed_version: Option<String>,
}

impl Tracker {
    /// What the file says of a flaw, in all source packages that have it.
    ///
    /// # Errors
    /// [`AdvisoryError`] when it does not know it, or names no fix.
    pub fn advisory(&self, id: &str) -> Result<Advisory, AdvisoryError> {
        let mut is_known = false;
        let mut fixed = Fixed::default();
        for (source, flaws) in &self.0 {
            let Some(flaw) = flaws.get(id) else {
                continue;
            };
            is_known = true;
            for (release, os_release) in RELEASES {
                let version = flaw.releases.get(release).and_then(Release::fixed);
                if let Some(version) = version {
                    fixed.add(os_release, source, version)?;
                }
            }
        }
        match is_known {
            true => fixed.advisory(id),
            false => Err(AdvisoryError::NotThere(id.to_owned())),
        }
    }
}

impl Release {
    fn fixed(&self) -> Option<&String> {
        let version = self.fixed_version.as_ref()?;
        (self.status == "resolved" && version != NOT_AFFECTED).then_some(version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In the tracker's form, shortened.
    const SAMPLE: &str = r#"{
        "openssl": {
            "CVE-2026-12345": {
                "description": "a flaw", "scope": "remote",
                "releases": {
                    "bookworm": {"status": "resolved", "fixed_version": "3.0.15-1~deb12u1", "urgency": "high",
                                 "repositories": {"bookworm": "3.0.11-1", "bookworm-security": "3.0.15-1~deb12u1"}},
                    "bullseye": {"status": "open", "urgency": "high", "repositories": {}},
                    "trixie": {"status": "resolved", "fixed_version": "0"},
                    "sid": {"status": "resolved", "fixed_version": "3.3.2-1"}}},
            "CVE-2026-1": {"releases": {"bookworm": {"status": "undetermined"}}}},
        "edk2": {
            "CVE-2026-12345": {"releases": {"bookworm": {"status": "resolved", "fixed_version": "2022.11-6+deb12u2"}}}}
    }"#;

    fn advisory(id: &str) -> Result<Advisory, AdvisoryError> {
        let tracker: Tracker = serde_json::from_str(SAMPLE).unwrap();
        tracker.advisory(id)
    }

    #[test]
    fn a_flaw_is_fixed_in_each_source_that_has_it_and_only_where_it_is() {
        let found = advisory("CVE-2026-12345").unwrap();
        assert_eq!(found.fixes.len(), 1, "{found:?}");
        let fixes = &found.fixes["debian-12"];
        assert_eq!(fixes["openssl"], "3.0.15-1~deb12u1");
        assert_eq!(fixes["edk2"], "2022.11-6+deb12u2");
    }

    #[test]
    fn an_unknown_flaw_and_one_without_a_fix_are_told_apart() {
        let unknown = AdvisoryError::NotThere("DSA-5678-1".to_owned());
        assert_eq!(advisory("DSA-5678-1"), Err(unknown));
        let unfixed = AdvisoryError::NoFix("CVE-2026-1".to_owned());
        assert_eq!(advisory("CVE-2026-1"), Err(unfixed));
    }
}
