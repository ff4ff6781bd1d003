//! What is known of hosts: labels from enrolment, facts from the hosts themselves.

mod labels;

pub use labels::Labels;

use crate::{digest::Digest, id::HostId, package::PackageFormat, shared::Shared};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

/// The label that says which service a host serves.
pub const SERVICE: &str = "service";
/// The label that says which region a host is in.
pub const REGION: &str = "region";
/// The label that says which zone of its region a host is in.
pub const ZONE: &str = "zone";
/// The label that says which instance type a host is.
pub const INSTANCE_TYPE: &str = "instance_type";
/// The label that marks hosts made for trying patches first, by any value but `false`.
pub const VALIDATOR: &str = "validator";
/// The value of a label that marks a host, where nobody chose another.
pub const MARKED: &str = "true";
/// The label that marks the hosts of Cofferdam itself, by any value but `false`.
pub const PATCHER: &str = "patcher";
/// The fact that says which release of which distribution a host runs, as in `debian-12`.
pub const OS_RELEASE: &str = "os_release";
/// The fact that says which kernel a host runs, as `uname -r` prints it.
pub const KERNEL: &str = "kernel";
/// The fact that says a host's package architecture, as in `amd64`.
pub const ARCHITECTURE: &str = "architecture";

/// A distribution's release and an architecture: what a lock file resolves packages for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Platform {
    /// As in `debian-12`.
    pub os_release: String,
    /// As in `amd64`.
    pub architecture: String,
}

impl Platform {
    /// Whose packages its hosts have.
    pub fn package_format(&self) -> PackageFormat {
        PackageFormat::of_platform(&self.os_release, &self.architecture)
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os_release, self.architecture)
    }
}

/// What a host found out about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The distribution's release and the package architecture.
    pub platform: Platform,
    /// The running kernel, as `uname -r` prints it.
    pub kernel: String,
    /// The digest of its installed packages: a [`PackageSet`] known under it.
    pub packages: Digest,
}

/// One host as the planner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// Its name.
    pub id: HostId,
    /// Its labels from enrolment.
    pub labels: Labels,
    /// Its facts, as last reported.
    pub facts: Shared<Facts>,
}

impl Host {
    /// The value of a label, or of a fact by its well-known name. Nothing when the host has none.
    pub fn value(&self, name: &str) -> Option<&str> {
        let Facts {
            platform, kernel, ..
        } = &*self.facts;
        value(name, &self.id, &self.labels, platform, kernel)
    }

    /// Whether it has a label that marks hosts, with any value but `false`.
    pub fn is_marked(&self, label: &str) -> bool {
        self.value(label).is_some_and(|value| value != "false")
    }
}

/// What [`Host::value`] says, of whatever has these of a host.
pub fn value<'a>(
    name: &str,
    id: &'a HostId,
    labels: &'a Labels,
    platform: &'a Platform,
    kernel: &'a str,
) -> Option<&'a str> {
    match name {
        OS_RELEASE => Some(&platform.os_release),
        KERNEL => Some(kernel),
        ARCHITECTURE => Some(&platform.architecture),
        "host" => Some(id.as_str()),
        label => labels.get(label).map(String::as_str),
    }
}

/// The installed packages of a host: name to version. Hosts of one image share one set.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PackageSet(pub BTreeMap<String, String>);

impl PackageSet {
    /// The digest that names this set: of one `name version` line a package, in order of names.
    pub fn digest(&self) -> Digest {
        let lines: String = self
            .0
            .iter()
            .map(|(name, version)| format!("{name} {version}\n"))
            .collect();
        Digest::of(lines)
    }
}
