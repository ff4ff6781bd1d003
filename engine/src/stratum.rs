//! Strata: the kinds of host that a fault may single out.
//!
//! A fault of a patch shows up in one stratum first, so the canary has a host of each, and the
//! brake asks for its second opinion by stratum.

use crate::{
    digest::Digest,
    inventory::{Host, PackageSet, Platform, REGION, ZONE},
    package::PackageFormat,
    patch::{Content, LockFile, Locked, LockedPackage},
    reach::Reach,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The label of the stratum that a host's package delta makes: which installed versions the patch
/// replaces.
pub const DELTA: &str = "delta";

/// The hexadecimal digits of a delta's digest that its stratum shows: as many as git shows of a
/// commit, and enough for the few deltas of one rollout.
const DELTA_DIGITS: usize = 12;

/// One value of one coverage label, or of a pair of them. Displays as `instance_type=r5.4xlarge`
/// or `instance_type=m5.large kernel=6.1`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Stratum {
    /// The label.
    pub label: String,
    /// Its value. A zone's is `REGION/ZONE`, since zones of two regions may share a name.
    pub value: String,
    /// The second label of a pair and its value. Absent: no pair.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with: Option<Trait>,
}

/// A label and its value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Trait {
    /// The label.
    pub label: String,
    /// Its value, as [`Stratum`] has it.
    pub value: String,
}

impl fmt::Display for Stratum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.label, self.value)?;
        match &self.with {
            None => Ok(()),
            Some(Trait { label, value }) => write!(f, " {label}={value}"),
        }
    }
}

/// The value that a host has of a coverage label, not yet written out. Displays as in [`Stratum`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value<'h> {
    /// A label's or fact's.
    Plain(&'h str),
    /// A zone's.
    Zone {
        /// The region that it is of.
        region: &'h str,
        /// Its name there.
        zone: &'h str,
    },
    /// The package delta's.
    Delta(Delta),
}

impl<'h> Value<'h> {
    /// What a host has of a label. Nothing when it has none.
    pub fn of(label: &str, host: &'h Host, delta: Option<Delta>) -> Option<Self> {
        match label {
            DELTA => delta.map(Self::Delta),
            ZONE => Some(Self::Zone {
                region: host.value(REGION)?,
                zone: host.value(ZONE)?,
            }),
            _ => host.value(label).map(Self::Plain),
        }
    }
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(text) => f.write_str(text),
            Self::Zone { region, zone } => write!(f, "{region}/{zone}"),
            Self::Delta(delta) => delta.fmt(f),
        }
    }
}

/// What a patch changes on a host: hosts with one delta have one stratum. An order carries that which the
/// plan assumed of its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Delta {
    /// The digest of which installed versions become which.
    Known(Digest),
    /// The digest of the host's package set, since what is in it is not known.
    Unknown(Digest),
}

impl fmt::Display for Delta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(digest) => f.write_str(&short(*digest)),
            Self::Unknown(digest) => write!(f, "unknown-{}", short(*digest)),
        }
    }
}

impl Delta {
    /// Which of the installed versions become which, when as many of these packages go on a host as `reach`
    /// puts there. `format` orders versions.
    pub fn of(
        packages: &[LockedPackage],
        reach: &Reach,
        format: PackageFormat,
        installed: &PackageSet,
    ) -> Self {
        let version = |name: &str| installed.0.get(name).map(String::as_str);
        let goes = reach.of(packages, format, version).into_iter();
        let lines = goes.map(|package| {
            let from = version(&package.name).unwrap_or_default();
            format!("{} {from} {}\n", package.name, package.version)
        });
        Self::Known(Digest::of(lines.collect::<String>()))
    }

    /// What a host finds in its place that looks at what it has installed, now that it is to have `content`.
    /// Nothing where that is no packages.
    pub fn found(
        self,
        content: &Content,
        platform: &Platform,
        installed: &PackageSet,
    ) -> Option<Self> {
        let Content::Packages { packages, reach } = content else {
            return None;
        };
        Some(match self {
            Self::Known(_) => Self::of(packages, reach, platform.package_format(), installed),
            Self::Unknown(_) => Self::Unknown(installed.digest()),
        })
    }
}

/// A host's package delta: what it has installed of the locked packages that go on it, and what
/// they become. Nothing when the lock file holds no packages for the host's platform.
///
/// Hosts whose package set is not known (`installed` is absent) share a delta only when their sets
/// have the same digest: too many strata are safe, too few are not.
pub fn delta(host: &Host, installed: Option<&PackageSet>, lock: &LockFile) -> Option<Delta> {
    let Locked::Packages { platforms } = &lock.content else {
        return None;
    };
    let locked = platforms
        .iter()
        .find(|entry| entry.platform == host.facts.platform)?;
    let Some(installed) = installed else {
        return Some(Delta::Unknown(host.facts.packages));
    };
    let format = locked.platform.package_format();
    Some(Delta::of(
        &locked.packages,
        &locked.reach,
        format,
        installed,
    ))
}

fn short(digest: Digest) -> String {
    let mut text = digest.to_string();
    text.truncate(DELTA_DIGITS);
    text
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::{id::HostId, inventory::Facts, patch::LockedPlatform};
    use std::collections::BTreeMap;

    pub(crate) fn host(labels: &[(&str, &str)]) -> Host {
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
            }
            .into(),
        }
    }

    pub(crate) fn lock(version: &str) -> LockFile {
        let package = LockedPackage {
            name: "openssl".to_owned(),
            version: version.to_owned(),
            sha256: Digest::of(version),
            size: 1,
        };
        let platforms = vec![LockedPlatform {
            platform: host(&[]).facts.platform.clone(),
            packages: vec![package],
            reach: Reach::Every,
            fixes: None,
        }];
        LockFile {
            rollout: "x".to_owned(),
            content: Locked::Packages { platforms },
        }
    }

    pub(crate) fn installed(packages: &[(&str, &str)]) -> PackageSet {
        let packages = packages
            .iter()
            .map(|(name, version)| ((*name).to_owned(), (*version).to_owned()));
        PackageSet(packages.collect())
    }

    #[test]
    fn a_delta_is_what_becomes_of_the_locked_packages_alone() {
        let delta = |packages: &[(&str, &str)], version: &str| {
            delta(&host(&[]), Some(&installed(packages)), &lock(version)).unwrap()
        };
        let one = delta(&[("openssl", "1")], "3");
        assert_eq!(one.to_string().len(), DELTA_DIGITS);
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
