//! Who may feel a rollout: the services that it works on, and those that cannot work without them.

use super::planned::Planned;
use crate::{
    id::{OperatorId, ServiceName},
    services::{Dependencies, Services},
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A declared service that may feel a rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Impact {
    /// Its name.
    pub service: ServiceName,
    /// How it is reached.
    pub kind: ImpactKind,
    /// How much it matters: 1 is the most important.
    pub tier: u8,
    /// Who answers for it.
    pub owners: BTreeSet<OperatorId>,
    /// How many of its hosts some wave takes.
    pub planned: usize,
}

/// How a rollout reaches a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImpactKind {
    /// Some of its hosts are patched.
    Patched,
    /// It depends on one that is patched.
    Direct,
    /// It depends on a dependant of one that is patched.
    Indirect,
}

/// The services of a plan, beside what is declared.
#[derive(Debug)]
pub(super) struct Touched<'a> {
    services: &'a Services,
    /// How many planned hosts each service has.
    planned: BTreeMap<&'a str, usize>,
}

impl<'a> Touched<'a> {
    pub(super) fn of(services: &'a Services, planned: &Planned<'_, 'a>) -> Self {
        let mut counts = BTreeMap::new();
        for (class, count) in &planned.classes {
            *counts.entry(class.home.service).or_default() += count;
        }
        Self {
            services,
            planned: counts,
        }
    }

    /// Every declared service that may feel it: the patched ones first, then those that depend on
    /// them, then theirs.
    pub(super) fn impacts(&self) -> Vec<Impact> {
        let patched = self.planned.keys().copied();
        let direct: BTreeSet<&str> = patched.flat_map(|name| self.dependants_of(name)).collect();
        let mut indirect: BTreeSet<&str> = BTreeSet::new();
        let mut left: Vec<&str> = direct.iter().copied().collect();
        while let Some(name) = left.pop() {
            let new = self
                .dependants_of(name)
                .filter(|name| indirect.insert(name));
            left.extend(new);
        }
        let mut impacts: Vec<Impact> = self
            .services
            .all()
            .iter()
            .filter_map(|(name, service)| {
                let kind = match name.as_str() {
                    name if self.planned.contains_key(name) => ImpactKind::Patched,
                    name if direct.contains(name) => ImpactKind::Direct,
                    name if indirect.contains(name) => ImpactKind::Indirect,
                    _ => return None,
                };
                Some(Impact {
                    service: name.clone(),
                    kind,
                    tier: service.tier,
                    owners: service.owners.clone(),
                    planned: self.planned.get(name.as_str()).copied().unwrap_or(0),
                })
            })
            .collect();
        impacts.sort_by_key(|impact| impact.kind);
        impacts
    }

    /// The services of planned hosts, declared or not.
    pub(super) fn services(&self) -> Vec<String> {
        self.planned.keys().map(|name| (*name).to_owned()).collect()
    }

    /// Services of planned hosts that nobody declared. Nothing when none at all is declared: who
    /// does not use services is not reminded of them.
    pub(super) fn undeclared(&self) -> Vec<String> {
        if self.services.all().is_empty() {
            return Vec::new();
        }
        let names = self.planned.keys();
        names
            .filter(|name| self.services.get(name).is_none())
            .map(|name| (*name).to_owned())
            .collect()
    }

    /// The direct dependencies of which one end is planned.
    pub(super) fn dependencies(&self) -> Dependencies {
        let planned = &self.planned;
        let is_planned = |name: &ServiceName| planned.contains_key(name.as_str());
        self.services.touching(is_planned)
    }

    fn dependants_of(&self, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let dependants = self.services.dependants_of(name);
        dependants.into_iter().map(ServiceName::as_str)
    }
}
