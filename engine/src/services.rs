//! The services of a fleet: who owns each, how much it matters, what it cannot work without.
//!
//! Read from `services.toml`, declared for the whole fleet at once. A host's service is the value
//! of its label [`SERVICE`](crate::inventory::SERVICE), declared or not.

mod cycle;
mod read;
#[cfg(test)]
mod tests;

pub use read::{Refusal, ServicesErrors};

use crate::{
    document,
    id::{OperatorId, ServiceName},
};
use serde::{Deserialize, Serialize};
use std::{
    borrow::Borrow,
    collections::{BTreeMap, BTreeSet},
};

/// The least important tier; the most important is 1 (guess: as many as people tell apart).
pub const LAST_TIER: u8 = 5;

/// The most services that a file may declare (guess: the largest companies have some thousands).
pub const MAX_SERVICES: usize = 10_000;

/// Which services depend directly on which, by the dependant. None of the sets is empty.
pub type Dependencies = BTreeMap<ServiceName, BTreeSet<ServiceName>>;

/// Every declared service, by name. Each name in a `depends_on` is declared, no service depends on
/// itself, and there is no cycle: [`Services::parse`] is the only way to make one by hand.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Services(BTreeMap<ServiceName, Service>);

/// One service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// Who answers for it. Not empty.
    pub owners: BTreeSet<OperatorId>,
    /// How much it matters: 1 is the most important, [`LAST_TIER`] the least.
    pub tier: u8,
    /// What it cannot work without, directly.
    pub depends_on: BTreeSet<ServiceName>,
    /// What it is, for people. Empty: not said.
    pub description: String,
}

impl Services {
    /// Reads a `services.toml`; `file` is what its mistakes call it.
    ///
    /// # Errors
    /// Every mistake of the file, when there is any.
    pub fn parse(file: &str, text: &str) -> Result<Self, ServicesErrors> {
        document::read(file, text, read::read)
    }

    /// All of them, by name.
    pub fn all(&self) -> &BTreeMap<ServiceName, Service> {
        &self.0
    }

    /// One of them. Nothing when nobody declared it.
    pub fn get(&self, name: &str) -> Option<&Service> {
        self.0.get(name)
    }

    /// Which services depend on each directly; a service that none depends on is not there.
    pub fn dependants(&self) -> BTreeMap<&ServiceName, BTreeSet<&ServiceName>> {
        let mut dependants: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for (dependant, service) in &self.0 {
            for needed in &service.depends_on {
                dependants.entry(needed).or_default().insert(dependant);
            }
        }
        dependants
    }

    /// The services that depend on one directly. Costs a look at all: for many, there is
    /// [`Services::dependants`].
    pub fn dependants_of(&self, name: &str) -> BTreeSet<&ServiceName> {
        let depends = |service: &Service| service.depends_on.contains(name);
        let dependants = self.0.iter().filter(|(_, service)| depends(service));
        dependants.map(|(dependant, _)| dependant).collect()
    }

    /// The direct dependencies of which at least one end is so.
    pub fn touching(&self, is_so: impl Fn(&ServiceName) -> bool) -> Dependencies {
        let mut kept = Dependencies::new();
        for (service, declared) in &self.0 {
            let mut needed = declared.depends_on.clone();
            needed.retain(|needed| is_so(service) || is_so(needed));
            if !needed.is_empty() {
                kept.insert(service.clone(), needed);
            }
        }
        kept
    }
}

/// Labels are looked up as they are.
impl Borrow<str> for ServiceName {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}
