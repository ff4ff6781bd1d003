//! Whose packages a host has.

use super::{rpm_version, version::compare_versions};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// Whose packages a host has: what their files are, and how their versions are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PackageFormat {
    /// dpkg's.
    #[default]
    Deb,
    /// rpm's.
    Rpm,
}

/// What rpm calls architectures that dpkg calls otherwise, as in `x86_64` for `amd64`.
const RPM_ARCHITECTURES: [&str; 9] = [
    "x86_64",
    "aarch64",
    "i586",
    "i686",
    "armv7hl",
    "ppc64",
    "ppc64le",
    "loongarch64",
    "mips64r6el",
];

/// Architectures that both call the same.
const OF_BOTH: [&str; 2] = ["s390x", "riscv64"];

/// Distributions of rpm's that are made for one of [`OF_BOTH`], by their ids in os-release.
const RPM_DISTRIBUTIONS: [&str; 13] = [
    "almalinux",
    "amzn",
    "anolis",
    "azurelinux",
    "centos",
    "eurolinux",
    "fedora",
    "ol",
    "openEuler",
    "opensuse",
    "rhel",
    "rocky",
    "sles",
];

impl PackageFormat {
    /// Whose packages hosts of a platform have: its architecture's name tells, which the package manager
    /// itself gave it; where both give the same one, the distribution's.
    pub fn of_platform(os_release: &str, architecture: &str) -> Self {
        let id = os_release.split('-').next().unwrap_or(os_release);
        let is_rpm = RPM_ARCHITECTURES.contains(&architecture)
            || (OF_BOTH.contains(&architecture) && RPM_DISTRIBUTIONS.contains(&id));
        match is_rpm {
            true => Self::Rpm,
            false => Self::Deb,
        }
    }

    /// Which of two versions is newer: `Greater` when the first is. Any two texts have an order.
    pub fn compare(self, a: &str, b: &str) -> Ordering {
        match self {
            Self::Deb => compare_versions(a, b),
            Self::Rpm => rpm_version::compare(a, b),
        }
    }

    /// How the names of package files end, as in `deb`.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Deb => "deb",
            Self::Rpm => "rpm",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_platform_tells_whose_packages_it_has() {
        use PackageFormat::{Deb, Rpm};
        for (os_release, architecture, expected) in [
            ("debian-12", "amd64", Deb),
            ("rocky-9.4", "x86_64", Rpm),
            ("somebody-1", "aarch64", Rpm),
            ("debian-13", "riscv64", Deb),
            ("ubuntu-24.04", "s390x", Deb),
            ("rhel-9.4", "s390x", Rpm),
            ("fedora-41", "riscv64", Rpm),
            ("", "", Deb),
        ] {
            let found = PackageFormat::of_platform(os_release, architecture);
            assert_eq!(found, expected, "{os_release} {architecture}");
        }
    }

    #[test]
    fn the_two_order_the_same_texts_otherwise() {
        let (old, new) = ("5.14.0-70.el9", "5.14.0-70.13.1.el9");
        assert_eq!(PackageFormat::Rpm.compare(old, new), Ordering::Less);
        assert_eq!(PackageFormat::Deb.compare(old, new), Ordering::Greater);
    }
}
