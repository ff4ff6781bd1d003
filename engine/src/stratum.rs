//! Strata: the kinds of host that a fault may single out.
//!
//! A fault of a patch shows up in one stratum first, so the canary has a host of each, and the
//! brake asks for its second opinion by stratum.

use crate::{
    digest::Digest,
    inventory::{
        ARCHITECTURE, Host, INSTANCE_TYPE, KERNEL, OS_RELEASE, PackageSet, REGION, SERVICE, ZONE,
    },
    patch::{LockFile, Locked},
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The label of the stratum that a host's package delta makes: which installed versions the patch
/// replaces.
pub const DELTA: &str = "delta";

/// The hexadecimal digits of a delta's digest that its stratum shows: as many as git shows of a
/// commit, and enough for the few deltas of one rollout.
const DELTA_DIGITS: usize = 12;

/// One value of one coverage label. Displays as `instance_type=r5.4xlarge`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Stratum {
    /// The label.
    pub label: String,
    /// Its value. A zone's is `REGION/ZONE`, since zones of two regions may share a name.
    pub value: String,
}

impl Stratum {
    fn new(label: &str, value: impl Into<String>) -> Self {
        Self {
            label: label.to_owned(),
            value: value.into(),
        }
    }
}

impl fmt::Display for Stratum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.label, self.value)
    }
}

/// The strata that a host's labels and facts put it in, in order; [`delta`] adds one more. A label
/// that the host does not have makes none.
pub fn of(host: &Host) -> Vec<Stratum> {
    const PLAIN: [&str; 6] = [
        ARCHITECTURE,
        INSTANCE_TYPE,
        KERNEL,
        OS_RELEASE,
        REGION,
        SERVICE,
    ];
    let plain = PLAIN
        .iter()
        .filter_map(|label| Some(Stratum::new(label, host.value(label)?)));
    let zone = host
        .value(REGION)
        .zip(host.value(ZONE))
        .map(|(region, zone)| Stratum::new(ZONE, format!("{region}/{zone}")));
    plain.chain(zone).collect()
}

/// The stratum of a host's package delta: what it has installed of the locked packages that go on
/// it, and what they become. Nothing when the lock file holds no packages for the host's platform.
///
/// Hosts whose package set is not known (`installed` is absent) share a delta only when their sets
/// have the same digest: too many strata are safe, too few are not.
pub fn delta(host: &Host, installed: Option<&PackageSet>, lock: &LockFile) -> Option<Stratum> {
    let Locked::Packages { platforms } = &lock.content else {
        return None;
    };
    let locked = platforms
        .iter()
        .find(|entry| entry.platform == host.facts.platform)?;
    let Some(installed) = installed else {
        return Some(Stratum::new(
            DELTA,
            format!("unknown-{}", short(host.facts.packages)),
        ));
    };
    let version = |name: &str| installed.0.get(name).map(String::as_str);
    let lines: String = locked
        .reach
        .of(&locked.packages, version)
        .into_iter()
        .map(|package| {
            let from = version(&package.name).unwrap_or_default();
            format!("{} {from} {}\n", package.name, package.version)
        })
        .collect();
    Some(Stratum::new(DELTA, short(Digest::of(lines))))
}

fn short(digest: Digest) -> String {
    let mut text = digest.to_string();
    text.truncate(DELTA_DIGITS);
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        id::HostId,
        inventory::{Facts, Platform},
        patch::{LockedPackage, LockedPlatform},
        reach::Reach,
    };
    use std::collections::BTreeMap;

    fn host(labels: &[(&str, &str)]) -> Host {
        let labels = labels
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Host {
            id: HostId::new("web-1").unwrap(),
            labels: labels.collect(),
            facts: Facts {
                platform: Platform {
                    os_release: "debian-12".to_owned(),
                    architecture: "amd64".to_owned(),
                },
                kernel: "6.1".to_owned(),
                packages: Digest::of("some"),
            },
        }
    }

    fn lock(version: &str) -> LockFile {
        let package = LockedPackage {
            name: "openssl".to_owned(),
            version: version.to_owned(),
            sha256: Digest::of(version),
            size: 1,
        };
        let platforms = vec![LockedPlatform {
            platform: host(&[]).facts.platform,
            packages: vec![package],
            reach: Reach::Every,
            fixes: None,
        }];
        LockFile {
            rollout: "x".to_owned(),
            content: Locked::Packages { platforms },
        }
    }

    fn installed(packages: &[(&str, &str)]) -> PackageSet {
        let packages = packages
            .iter()
            .map(|(name, version)| ((*name).to_owned(), (*version).to_owned()));
        PackageSet(packages.collect())
    }

    #[test]
    fn labels_and_facts_make_strata_and_a_zone_names_its_region() {
        let labels = [
            ("service", "web"),
            ("region", "r1"),
            ("zone", "a"),
            ("rack", "7"),
        ];
        let strata: Vec<_> = of(&host(&labels)).iter().map(Stratum::to_string).collect();
        assert_eq!(
            strata,
            [
                "architecture=amd64",
                "kernel=6.1",
                "os_release=debian-12",
                "region=r1",
                "service=web",
                "zone=r1/a"
            ]
        );
    }

    #[test]
    fn a_delta_is_what_becomes_of_the_locked_packages_alone() {
        let delta = |packages: &[(&str, &str)], version: &str| {
            delta(&host(&[]), Some(&installed(packages)), &lock(version)).unwrap()
        };
        let one = delta(&[("openssl", "1")], "3");
        assert_eq!(one.value.len(), DELTA_DIGITS);
        assert_eq!(one, delta(&[("openssl", "1"), ("curl", "8")], "3"));
        assert_ne!(one, delta(&[("openssl", "2")], "3"));
        assert_ne!(one, delta(&[("openssl", "1")], "4"));
        assert_ne!(one, delta(&[], "3"));
    }

    #[test]
    fn an_upgrade_that_does_not_go_on_a_host_is_no_part_of_its_delta() {
        let mut upgrade = lock("3");
        if let Locked::Packages { platforms } = &mut upgrade.content {
            platforms[0].reach = Reach::Upgrade {
                needed_by: BTreeMap::new(),
            };
        }
        let delta = |packages: &[(&str, &str)]| {
            delta(&host(&[]), Some(&installed(packages)), &upgrade).unwrap()
        };
        assert_eq!(delta(&[("curl", "8")]), delta(&[("openssl", "4")]));
        assert_ne!(delta(&[("curl", "8")]), delta(&[("openssl", "2")]));
    }

    #[test]
    fn a_patch_without_packages_for_a_host_makes_no_delta() {
        let practice = LockFile {
            rollout: "x".to_owned(),
            content: Locked::Noop,
        };
        assert_eq!(delta(&host(&[]), None, &practice), None);
        let mut other = host(&[]);
        other.facts.platform.architecture = "arm64".to_owned();
        assert_eq!(delta(&other, None, &lock("3")), None);
    }

    #[test]
    fn hosts_of_unknown_packages_share_a_delta_by_their_digest() {
        let unknown = |packages: &str| {
            let mut host = host(&[]);
            host.facts.packages = Digest::of(packages);
            delta(&host, None, &lock("3")).unwrap()
        };
        assert_eq!(unknown("a"), unknown("a"));
        assert_ne!(unknown("a"), unknown("b"));
    }
}
