//! Stanzas of `Field: value` lines: what `apt-cache show` and `dpkg-deb --field` print.

use cofferdam_engine::{digest::Digest, patch::LockedPackage};
use serde::{Deserialize, Serialize};

/// What a package file says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// The package's name, without its architecture.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its architecture, or `all`.
    pub architecture: String,
    /// The room that it takes once unpacked, in KiB, as its maker measured it. 0: not said.
    pub installed_kib: u64,
    /// How many files it brings. Absent: it does not say, as dpkg's do not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<u64>,
}

impl Label {
    /// Reads the answer of `dpkg-deb --field`. Absent: it names no package.
    pub fn parse(text: &str) -> Option<Self> {
        let field = |name| field(text, name);
        Some(Self {
            name: field("Package")?.to_owned(),
            version: field("Version")?.to_owned(),
            architecture: field("Architecture")?.to_owned(),
            installed_kib: field("Installed-Size")
                .and_then(|kib| kib.parse().ok())
                .unwrap_or(0),
            files: None,
        })
    }

    /// Whether it is a package of this name, which may be followed by `:ARCHITECTURE`.
    pub fn is_of(&self, name: &str) -> bool {
        is_of(&self.name, &self.architecture, name)
    }

    /// Whether it is this version of such a package.
    pub fn is_version_of(&self, name: &str, version: &str) -> bool {
        self.is_of(name) && self.version == version
    }
}

/// Finds a version of a package in the answer of `apt-cache show`, as a lock file wants it. Absent:
/// it is not there, or without a SHA-256.
pub fn locked(answer: &str, name: &str, version: &str) -> Option<LockedPackage> {
    answer.split("\n\n").find_map(|stanza| {
        let is_wanted = is_of(
            field(stanza, "Package")?,
            field(stanza, "Architecture")?,
            name,
        ) && field(stanza, "Version")? == version;
        if !is_wanted {
            return None;
        }
        Some(LockedPackage {
            name: name.to_owned(),
            version: version.to_owned(),
            sha256: Digest::parse(field(stanza, "SHA256")?).ok()?,
            size: field(stanza, "Size")?.parse().ok()?,
        })
    })
}

/// A package's name without its architecture.
pub fn base(name: &str) -> &str {
    name.split_once(':').map_or(name, |(base, _)| base)
}

fn is_of(package: &str, architecture: &str, name: &str) -> bool {
    match name.split_once(':') {
        Some((base, of)) => package == base && architecture == of,
        None => package == name,
    }
}

/// The value of a field of one stanza, where it stands on one line.
pub(super) fn field<'a>(stanza: &'a str, name: &str) -> Option<&'a str> {
    stanza.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key == name).then(|| value.trim())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `apt-cache show tool=2.0 tool=1.0` of apt 2.6.1 and a local repository, cut and changed by hand: without
    /// older sums, and with a description that looks like a field.
    const SAMPLE: &str = "\
Package: tool
Version: 2.0
Architecture: all
Maintainer: Lab <lab@example.org>
Depends: tool-data (= 2.0)
Filename: ./tool_2.0_all.deb
Size: 610
SHA256: bc7c4b39e32ef76555d0d02c6869b73d191a08c332787768933823bf2e259867
Description: lab
 Version: 9 is no field here

Package: tool
Version: 1.0
Architecture: all
Size: 608
SHA256: 7f966a2bc903b9ece2c808c1e2f21967255b181dd4dd1975872aa477ea26b3a1

";

    #[test]
    fn a_version_is_found_with_its_hash_and_size() {
        let one = locked(SAMPLE, "tool", "1.0").unwrap();
        assert_eq!(one.size, 608);
        assert!(one.sha256.to_string().starts_with("7f966a2b"));
        assert_eq!(locked(SAMPLE, "tool:all", "2.0").unwrap().size, 610);
        for (name, version) in [("tool", "9"), ("tool:i386", "2.0"), ("too", "2.0")] {
            assert_eq!(locked(SAMPLE, name, version), None);
        }
    }

    #[test]
    fn a_stanza_without_a_sound_hash_locks_nothing() {
        let text = SAMPLE.replace("SHA256: ", "SHA256: x");
        assert_eq!(locked(&text, "tool", "2.0"), None);
    }

    #[test]
    fn a_label_reads_what_a_package_says_of_itself() {
        let label =
            Label::parse("Package: a\nVersion: 1:2\nArchitecture: amd64\nInstalled-Size: 7\n");
        let label = label.unwrap();
        assert_eq!((label.version.as_str(), label.installed_kib), ("1:2", 7));
        assert!(label.is_of("a") && label.is_of("a:amd64") && !label.is_of("a:i386"));
        assert_eq!(Label::parse("Package: a\n"), None);
    }
}
