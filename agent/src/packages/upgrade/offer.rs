//! What a repository says of one version of a package.

use crate::packages::{
    archive::Exactly,
    stanza::{self, field},
};
use cofferdam_engine::patch::LockedPackage;
use std::collections::BTreeSet;

/// What a repository says of one version of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Its exact bits.
    pub locked: LockedPackage,
    /// The names that it depends on, each alternative too.
    needs: BTreeSet<String>,
    /// The names that it stands for beside its own.
    provides: BTreeSet<String>,
    /// The version of the source package that it was built of.
    pub source_version: String,
}

impl Offer {
    /// What a package file says by itself: its bits, what it needs and stands for, and the version of its
    /// source package; absent: its own.
    pub(in crate::packages) fn new(
        locked: LockedPackage,
        needs: BTreeSet<String>,
        provides: BTreeSet<String>,
        source_version: Option<String>,
    ) -> Self {
        Self {
            source_version: source_version.unwrap_or_else(|| locked.version.clone()),
            locked,
            needs,
            provides,
        }
    }

    /// Whether it depends on another package, by name or by what that one stands for.
    pub fn needs(&self, other: &Self) -> bool {
        let own = base(&other.locked.name);
        self.needs.contains(own) || !self.needs.is_disjoint(&other.provides)
    }
}

/// Finds a version of a package in the answer of `apt-cache show`. Absent: it is not there, or
/// without a SHA-256.
pub fn find(answer: &str, wanted: Exactly<'_>) -> Option<Offer> {
    answer.split("\n\n").find_map(|text| {
        let locked = stanza::locked(text, wanted.name, wanted.version)?;
        let depends = ["Depends", "Pre-Depends"].map(|name| names(field(text, name)));
        Some(Offer {
            needs: depends.into_iter().flatten().collect(),
            provides: names(field(text, "Provides")),
            source_version: source_version(text, &locked.version),
            locked,
        })
    })
}

/// The names in `a (>= 1) | b, c:any`.
fn names(relations: Option<&str>) -> BTreeSet<String> {
    let each = relations.unwrap_or_default().split([',', '|']);
    let name = |relation: &str| {
        let name = relation.split_whitespace().next().unwrap_or_default();
        let name = name.split('(').next().unwrap_or_default();
        base(name).to_owned()
    };
    each.map(name).filter(|name| !name.is_empty()).collect()
}

/// `Source: openssl (3.0)` says the version only where it is not the package's own.
fn source_version(stanza: &str, own: &str) -> String {
    let source = field(stanza, "Source").and_then(|source| source.split_once('('));
    let version = source.and_then(|(_, rest)| rest.strip_suffix(')'));
    version.unwrap_or(own).to_owned()
}

/// A package's name without its architecture.
fn base(name: &str) -> &str {
    name.split(':').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written by hand, in the form of `apt-cache show` of apt 2.6.1, without what is not read.
    const SAMPLE: &str = "\
Package: kernel
Version: 6.2+b1
Architecture: amd64
Source: linux-signed (6.2)
Pre-Depends: init:any
Depends: modules-6.2 (= 1) | modules-all(>= 2), libc6 (>= 2.36)
Size: 10
SHA256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855

Package: modules-6.2-plain
Version: 1
Architecture: amd64
Provides: modules-6.2 (= 1)
Size: 10
SHA256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855

Package: old
Version: 1
Architecture: amd64
MD5sum: 0
";

    fn offer(name: &str, version: &str) -> Option<Offer> {
        find(SAMPLE, Exactly { name, version })
    }

    #[test]
    fn an_offer_says_its_source_and_what_it_needs() {
        let kernel = offer("kernel", "6.2+b1").unwrap();
        let modules = offer("modules-6.2-plain", "1").unwrap();
        assert_eq!(kernel.source_version, "6.2");
        assert_eq!(modules.source_version, "1");
        let needs: Vec<_> = kernel.needs.iter().map(String::as_str).collect();
        assert_eq!(needs, ["init", "libc6", "modules-6.2", "modules-all"]);
        assert!(kernel.needs(&modules) && !modules.needs(&kernel));
    }

    #[test]
    fn what_is_not_offered_with_its_hash_is_none() {
        assert_eq!(offer("kernel", "6.2"), None);
        assert_eq!(offer("old", "1"), None);
        assert_eq!(names(Some(", | (")), BTreeSet::new());
    }
}
