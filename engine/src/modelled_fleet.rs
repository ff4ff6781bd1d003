//! A fleet on paper: the hosts that a rehearsal models.
//!
//! Read from a *fleet file*, which says once what hosts have in common that are alike in all but
//! their names: such hosts are a *kind*. A file is made up ([`generate()`]), is what a coordinator
//! knows ([`ModelledFleet::of`]), or is written by hand.

mod beginning;
mod generate;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub use beginning::{Beginning, Denied, Out, Person, State};
pub use generate::{Generated, MAX_REGIONS, generate};
pub use read::{FleetErrors, Refusal};

use crate::{
    digest::Digest,
    document,
    id::HostId,
    inventory::{Facts, Host, Labels, PackageSet, Platform},
    shared::Shared,
};
use std::collections::BTreeMap;

/// The most hosts of a modelled fleet: eighty of the design's 25,000 (guess: more than anybody has
/// in one fleet, and few enough for a machine's memory).
pub const MAX_HOSTS: usize = 2_000_000;

/// A fleet as kinds of hosts, and what is denied to them. One that was read or made up has a host, no name twice,
/// and no host that can be in no cell. Displays as the fleet file that reads back as the same fleet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelledFleet {
    kinds: Vec<Kind>,
    denied: Vec<Denied>,
}

/// Hosts that are alike in all but their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kind {
    /// What they are called.
    pub names: Names,
    /// Their labels, of which `service`, `region` and `zone` decide their cells.
    pub labels: Labels,
    /// Their distribution's release and their architecture.
    pub platform: Platform,
    /// Their kernel, as `uname -r` prints it. Empty: not known.
    pub kernel: String,
    /// What is installed on them. Empty: not known.
    pub packages: Shared<PackageSet>,
    /// How they stand when a rehearsal begins.
    pub state: State,
}

/// The names of the hosts of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Names {
    /// A prefix and the numbers from 1 on, as in `web-1`, `web-2`.
    Numbered {
        /// What each name begins with. May be empty. A number after it makes a host's name.
        prefix: String,
        /// How many there are. At least 1.
        count: usize,
    },
    /// Names of any form, in the order of the hosts. Not empty.
    Listed(Vec<HostId>),
}

impl ModelledFleet {
    /// Reads a fleet file; `file` is what its mistakes call it.
    ///
    /// # Errors
    /// Every mistake of the file, when there is any.
    pub fn parse(file: &str, text: &str) -> Result<Self, FleetErrors> {
        document::read(file, text, read::read)
    }

    /// The fleet of an inventory as it stands, hosts that are alike together. A host whose package set is not
    /// among the known ones has no packages. Hosts are taken as they are: where one can be in no
    /// cell, or there is none at all, the fleet's file is refused when it is read.
    pub fn of(
        hosts: &BTreeMap<HostId, Host>,
        package_sets: &BTreeMap<Digest, PackageSet>,
        beginning: &Beginning,
    ) -> Self {
        let sets: BTreeMap<&Digest, Shared<PackageSet>> = package_sets
            .iter()
            .map(|(digest, set)| (digest, set.clone().into()))
            .collect();
        let mut alike: BTreeMap<_, Vec<HostId>> = BTreeMap::new();
        for (id, Host { labels, facts, .. }) in hosts {
            let packages = sets.get_key_value(&facts.packages);
            let packages = packages.map(|(digest, _)| *digest);
            let state = beginning.states.get(id).cloned().unwrap_or_default();
            let traits = (labels, &facts.platform, &facts.kernel, packages, state);
            alike.entry(traits).or_default().push(id.clone());
        }
        let kind = |((labels, platform, kernel, packages, state), names)| {
            let packages: Option<&Digest> = packages;
            Kind {
                names: Names::Listed(names),
                labels: Labels::clone(labels),
                platform: Platform::clone(platform),
                kernel: String::clone(kernel),
                packages: packages.map_or_else(Shared::default, |d| sets[d].clone()),
                state,
            }
        };
        Self {
            kinds: alike.into_iter().map(kind).collect(),
            denied: beginning.denied.clone(),
        }
    }

    /// How its hosts stand when a rehearsal begins, and what is denied to them.
    pub fn beginning(&self) -> Beginning {
        let usual = State::default();
        let others = self.kinds.iter().filter(|kind| kind.state != usual);
        let states = others.flat_map(|kind| kind.names.all().map(|id| (id, kind.state.clone())));
        Beginning {
            states: states.collect(),
            denied: self.denied.clone(),
        }
    }

    /// The kinds, in order of the file.
    pub fn kinds(&self) -> &[Kind] {
        &self.kinds
    }

    /// How many hosts there are.
    pub fn len(&self) -> usize {
        self.kinds.iter().map(|kind| kind.names.len()).sum()
    }

    /// Whether there is no host.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The hosts, kind by kind.
    pub fn hosts(&self) -> impl Iterator<Item = Host> {
        self.kinds.iter().flat_map(|kind| {
            let facts = Shared::from(Facts {
                platform: kind.platform.clone(),
                kernel: kind.kernel.clone(),
                packages: kind.packages.digest(),
            });
            kind.names.all().map(move |id| Host {
                id,
                labels: kind.labels.clone(),
                facts: facts.clone(),
            })
        })
    }

    /// The same kinds with about so many hosts in all, each as large a part of them as before and at least
    /// one. Hosts whose names are listed stay as they are, and nothing is denied to hosts that are no more.
    #[must_use]
    pub fn scaled(&self, hosts: usize) -> Self {
        let all = self.len().max(1);
        let scale = |names: &Names| match names {
            Names::Numbered { prefix, count } => Names::Numbered {
                prefix: prefix.clone(),
                count: (count.saturating_mul(hosts.min(MAX_HOSTS)) / all).max(1),
            },
            Names::Listed(names) => Names::Listed(names.clone()),
        };
        let kinds = self.kinds.iter().map(|kind| Kind {
            names: scale(&kind.names),
            ..kind.clone()
        });
        Self {
            kinds: kinds.collect(),
            denied: self.denied.clone(),
        }
    }

    /// The package sets of the hosts, each under the digest that its hosts report.
    pub fn package_sets(&self) -> BTreeMap<Digest, PackageSet> {
        let sets = self.kinds.iter().map(|kind| &kind.packages);
        sets.map(|set| (set.digest(), set.clone().into_own()))
            .collect()
    }
}

impl Names {
    /// How many there are.
    fn len(&self) -> usize {
        match self {
            Self::Numbered { count, .. } => *count,
            Self::Listed(names) => names.len(),
        }
    }

    fn all(&self) -> impl Iterator<Item = HostId> {
        (0..self.len()).map(|index| match self {
            Self::Numbered { prefix, .. } => HostId::new(format!("{prefix}{}", index + 1))
                .expect("a prefix that goes with the largest number goes with all"),
            Self::Listed(names) => names[index].clone(),
        })
    }
}
