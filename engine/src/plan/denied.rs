//! Hosts to which the bits are denied: a rollout leaves them out.

use super::{PlanError, Warning, class::Known};
use crate::{
    denial::{Denial, Denials, Place},
    digest::Digest,
    id::HostId,
    inventory::Platform,
    patch::LockFile,
    spec::Spec,
};
use std::collections::{BTreeMap, BTreeSet};

/// The hosts of a rollout to which its bits are denied, in their cell or for themselves.
#[derive(Debug, Default)]
pub(super) struct Denied<'a>(BTreeMap<&'a HostId, &'a Denial>);

impl<'a> Denied<'a> {
    /// Finds them; that the whole fleet, or all of the hosts, are denied the bits is an error.
    pub(super) fn find(
        spec: &Spec,
        lock: &LockFile,
        denials: &'a Denials,
        known: &Known<'a>,
        errors: &mut Vec<PlanError>,
    ) -> Self {
        if denials.is_empty() {
            return Self::default();
        }
        let mut bits: BTreeMap<&Platform, Option<Digest>> = BTreeMap::new();
        let mut for_fleet = BTreeMap::new();
        let mut found = Self::default();
        let mut matches = 0;
        for (host, class) in known.matched() {
            matches += 1;
            let platform = &host.facts.platform;
            let of_platform = || lock.content_for(platform, spec.patch())?.bits();
            let (Some(bits), Some((cell, _))) = (
                *bits.entry(platform).or_insert_with(of_platform),
                class.home,
            ) else {
                continue;
            };
            match denials.of(&bits, cell, &host.id) {
                Some((Place::Fleet, denial)) => drop(for_fleet.insert(bits, denial)),
                Some((Place::Cell { .. } | Place::Host { .. }, denial)) => {
                    found.0.insert(&host.id, denial);
                }
                None => {}
            }
        }
        let all = (found.0.len() == matches).then(|| found.0.values().next());
        let first = all.flatten().map(|denial| PlanError::AllDenied {
            denial: Box::new((*denial).clone()),
        });
        let whole = for_fleet.into_iter().map(|(bits, denial)| {
            let denial = Box::new(denial.clone());
            PlanError::Denied { bits, denial }
        });
        errors.extend(whole.chain(first));
        found
    }

    pub(super) fn contains(&self, host: &HostId) -> bool {
        self.0.contains_key(host)
    }

    /// Says which hosts are left out, when any are.
    pub(super) fn warning(&self) -> Option<Warning> {
        let whys: BTreeSet<String> = self.0.values().map(ToString::to_string).collect();
        let hosts = self.0.keys().map(|host| (*host).clone()).collect();
        (!self.0.is_empty()).then(|| Warning::Denied {
            hosts,
            whys: whys.into_iter().collect(),
        })
    }
}
