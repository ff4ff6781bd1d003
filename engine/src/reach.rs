//! Which of a platform's locked packages go on one host.

use crate::{inventory::PackageSet, package::PackageFormat, patch::LockedPackage};
use serde::{Deserialize, Serialize};
use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

/// Which of a platform's locked packages go on one host. The host itself asks this of what it has
/// installed, and the planner of what the host last said.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "reach", rename_all = "kebab-case")]
pub enum Reach {
    /// All of them on every host.
    #[default]
    Every,
    /// Each on the hosts that have it, in that version or an older one. A host that lacks it, or is
    /// ahead, keeps what it has.
    Upgrade {
        /// Packages that also go on hosts which lack them, each with the locked packages that need
        /// it: it goes where one of those goes.
        needed_by: BTreeMap<String, BTreeSet<String>>,
    },
}

impl Reach {
    /// What a host has of the locked packages afterwards, in their order. `installed` gives the
    /// version that the host has of a package now, and `format` orders versions.
    pub fn of<'p, 'i>(
        &self,
        packages: &'p [LockedPackage],
        format: PackageFormat,
        installed: impl Fn(&str) -> Option<&'i str>,
    ) -> Vec<&'p LockedPackage> {
        let Self::Upgrade { needed_by } = self else {
            return packages.iter().collect();
        };
        let is_not_ahead = |package: &&LockedPackage| {
            installed(&package.name).is_some_and(|version| {
                format.compare(version, &package.version) != Ordering::Greater
            })
        };
        let upgraded = packages.iter().filter(is_not_ahead);
        let mut names: BTreeSet<&str> = upgraded.map(|package| package.name.as_str()).collect();
        loop {
            let needed = packages.iter().find(|package| {
                let lacks = installed(&package.name).is_none();
                let needs = needed_by.get(&package.name);
                let is_needed = needs.is_some_and(|by| by.iter().any(|n| names.contains(&**n)));
                lacks && is_needed && !names.contains(&*package.name)
            });
            match needed {
                Some(package) => names.insert(&package.name),
                None => break,
            };
        }
        let goes = |package: &&LockedPackage| names.contains(&*package.name);
        packages.iter().filter(goes).collect()
    }

    /// Whether a host of which `installed` is known has nothing to change.
    pub fn is_met<'i>(
        &self,
        packages: &[LockedPackage],
        format: PackageFormat,
        installed: impl Fn(&str) -> Option<&'i str>,
    ) -> bool {
        let there = |package: &LockedPackage| installed(&package.name) == Some(&*package.version);
        let goes = self.of(packages, format, &installed);
        goes.into_iter().all(there)
    }

    /// Whether it leaves a host alone that has `installed`: what an upgrade brings it has, or is ahead of.
    /// Never so where every host gets all.
    pub(crate) fn leaves_alone(
        &self,
        packages: &[LockedPackage],
        format: PackageFormat,
        installed: &PackageSet,
    ) -> bool {
        let version = |name: &str| installed.0.get(name).map(String::as_str);
        *self != Self::Every && self.is_met(packages, format, version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;

    /// What a host has installed, and what goes on it.
    type Case = (
        &'static [(&'static str, &'static str)],
        &'static [&'static str],
    );

    fn packages() -> Vec<LockedPackage> {
        let package = |name: &str, version: &str| LockedPackage {
            name: name.to_owned(),
            version: version.to_owned(),
            sha256: Digest::of(name),
            size: 1,
        };
        vec![
            package("curl", "8"),
            package("kernel", "6.2"),
            package("modules-6.2", "1"),
            package("modules-6.2-extra", "1"),
        ]
    }

    fn upgrade() -> Reach {
        let needs = |package: &str, by: &str| (package.to_owned(), BTreeSet::from([by.to_owned()]));
        Reach::Upgrade {
            needed_by: BTreeMap::from([
                needs("modules-6.2", "kernel"),
                needs("modules-6.2-extra", "modules-6.2"),
            ]),
        }
    }

    fn goes(reach: &Reach, installed: &[(&str, &'static str)]) -> Vec<String> {
        let packages = packages();
        let version = |name: &str| installed.iter().find(|(n, _)| *n == name).map(|(_, v)| *v);
        let goes = reach.of(&packages, PackageFormat::Deb, version);
        goes.iter().map(|package| package.name.clone()).collect()
    }

    #[test]
    fn an_upgrade_goes_where_the_package_is_and_brings_what_it_needs() {
        const KERNEL: &[&str] = &["kernel", "modules-6.2", "modules-6.2-extra"];
        let cases: [Case; 6] = [
            (&[], &[]),
            (&[("other", "1")], &[]),
            (&[("curl", "7")], &["curl"]),
            (
                &[("curl", "9"), ("modules-6.2", "1")],
                &["modules-6.2", "modules-6.2-extra"],
            ),
            (&[("kernel", "6.1")], KERNEL),
            // Half done, or done by hand: what needs it is there.
            (&[("kernel", "6.2")], KERNEL),
        ];
        for (installed, expected) in cases {
            assert_eq!(goes(&upgrade(), installed), expected, "{installed:?}");
        }
    }

    #[test]
    fn all_of_it_goes_on_every_host_when_packages_are_named() {
        assert_eq!(goes(&Reach::Every, &[("curl", "9")]).len(), 4);
    }

    #[test]
    fn a_host_that_has_it_all_or_is_ahead_has_nothing_to_change() {
        let packages = packages();
        let met = |version: &'static str| {
            let installed = |name: &str| (name == "curl").then_some(version);
            upgrade().is_met(&packages, PackageFormat::Deb, installed)
        };
        assert!(!met("7") && met("8") && met("9"));
        assert!(upgrade().is_met(&packages, PackageFormat::Deb, |_| None));
        assert!(!Reach::Every.is_met(&packages, PackageFormat::Deb, |_| None));
    }
}
