//! What a host looks for, and what it finds.

use super::HostCondition;
use crate::package::PackageFormat;
use std::collections::{BTreeMap, BTreeSet};

/// What a host has to look for to answer a question.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wants {
    /// Packages, by the names that the question has.
    pub packages: BTreeSet<String>,
    /// Whether the running kernel is asked for.
    pub kernel: bool,
    /// Units, by their full names.
    pub units: BTreeSet<String>,
}

/// What a host found of what it had to look for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// Whose packages the host has: orders their versions.
    pub format: PackageFormat,
    /// What is installed by a name that was asked for, once an architecture. Absent or empty: nothing is.
    pub packages: BTreeMap<String, Vec<Installed>>,
    /// The running kernel. Absent: it was not asked for.
    pub kernel: Option<Kernel>,
    /// What systemd says of units. Absent: it says nothing of that one.
    pub units: BTreeMap<String, UnitFound>,
}

/// A package that is on the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// Its name, with its architecture where that is not the host's.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Whether it is unpacked and configured. One that is not is there in part, and counts all the same.
    pub is_whole: bool,
}

/// The running kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kernel {
    /// As `uname -r` prints it.
    pub release: String,
    /// What it is compared by: the version of its package where the kernel itself tells that, as Debian's
    /// does, whose release stays `6.1.0-25` from fix to fix; the release elsewhere.
    pub version: String,
}

/// What systemd says of a unit, in its own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitFound {
    /// Its `ActiveState`.
    pub active: String,
    /// Its `LoadState`: `loaded`, or why it is not.
    pub load: String,
}

impl Wants {
    pub(super) fn add(&mut self, condition: &HostCondition) {
        match condition {
            HostCondition::Package { name, .. } => {
                self.packages.insert(name.clone());
            }
            HostCondition::Kernel(..) => self.kernel = true,
            HostCondition::Unit { name, .. } => {
                self.units.insert(name.clone());
            }
        }
    }
}

impl Found {
    /// What was found of a condition's subject, for people.
    pub(super) fn in_words(&self, condition: &HostCondition) -> String {
        match condition {
            HostCondition::Package { name, .. } => {
                let installed = self.packages.get(name).into_iter().flatten();
                let all: Vec<String> = installed.map(Installed::in_words).collect();
                match all.is_empty() {
                    true => format!("{name} not installed"),
                    false => all.join(", "),
                }
            }
            HostCondition::Kernel(..) => match &self.kernel {
                Some(kernel) => kernel.in_words(),
                None => "kernel not known".to_owned(),
            },
            HostCondition::Unit { name, .. } => match self.units.get(name) {
                Some(unit) => unit.in_words(name),
                None => format!("{name} not known"),
            },
        }
    }
}

impl Installed {
    fn in_words(&self) -> String {
        let whole = if self.is_whole { "" } else { " (in part)" };
        format!("{} {}{whole}", self.name, self.version)
    }
}

impl Kernel {
    fn in_words(&self) -> String {
        match self.version == self.release {
            true => format!("kernel {}", self.release),
            false => format!("kernel {} ({})", self.version, self.release),
        }
    }
}

impl UnitFound {
    fn in_words(&self, name: &str) -> String {
        match &*self.load {
            "loaded" => format!("{name} {}", self.active),
            load => format!("{name} {} ({load})", self.active),
        }
    }
}
