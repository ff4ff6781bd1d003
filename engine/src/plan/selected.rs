//! The hosts that a rollout is for, with what the planner needs to know of each.

use super::{PlanError, PlanInput, denied::Denied, strata::Strata, unaffected::Unaffected};
use crate::{
    id::{CellId, HostId},
    inventory::{Host, PATCHER, Platform, REGION, SERVICE, VALIDATOR, ZONE},
    patch::{LockFile, Locked, Patch},
    seed,
    spec::Spec,
};
use std::collections::{BTreeMap, BTreeSet};

/// A host that a rollout is for.
#[derive(Debug)]
pub(super) struct Selected<'a> {
    pub(super) host: &'a Host,
    pub(super) cell: &'a CellId,
    pub(super) place: Place<'a>,
    /// Its strata, by their numbers in [`Strata`].
    pub(super) strata: Vec<u32>,
    /// How many selected hosts are of its rarest stratum.
    pub(super) rarest: usize,
    /// Its place among the rollout's limits.
    pub(super) limit: usize,
    /// What it is made for, where that is not to serve.
    pub(super) mark: Option<Mark>,
    /// Orders hosts that are alike, differently for each rollout.
    pub(super) seed: u64,
}

/// What a marked host is made for. One with both marks is the patcher's own: those go last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// To try patches first.
    Validator,
    /// To patch the others.
    Patcher,
}

impl Mark {
    fn of(host: &Host) -> Option<Self> {
        let mark = |label, mark| host.is_marked(label).then_some(mark);
        mark(PATCHER, Self::Patcher).or_else(|| mark(VALIDATOR, Self::Validator))
    }
}

/// Where a capacity group is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place<'a> {
    pub(super) region: &'a str,
    pub(super) zone: &'a str,
    pub(super) service: &'a str,
}

impl<'a> Place<'a> {
    /// The place of a host. Nothing when it lacks one of the three labels.
    pub(super) fn of(host: &'a Host) -> Option<Self> {
        Some(Self {
            region: host.value(REGION)?,
            zone: host.value(ZONE)?,
            service: host.value(SERVICE)?,
        })
    }

    /// The value of one of its three labels, without a search. Nothing for another label.
    pub(super) fn value(&self, label: &str) -> Option<&'a str> {
        match label {
            REGION => Some(self.region),
            ZONE => Some(self.zone),
            SERVICE => Some(self.service),
            _ => None,
        }
    }
}

/// A host of the inventory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) host: &'a Host,
    /// Where it is. Nothing: it lacks a label, or no cell holds it.
    pub(super) home: Option<(&'a CellId, Place<'a>)>,
}

/// All hosts of the inventory, in order of their names.
pub(super) fn known<'a>(input: &PlanInput<'a>) -> Vec<Known<'a>> {
    let mut cells = input.cells.iter().peekable();
    let mut cell_of = |host: &HostId| {
        while cells.next_if(|(other, _)| *other < host).is_some() {}
        cells
            .next_if(|(other, _)| *other == host)
            .map(|(_, cell)| cell)
    };
    let hosts = input.hosts.iter().map(|(id, host)| Known {
        host,
        home: cell_of(id).zip(Place::of(host)),
    });
    hosts.collect()
}

/// Those of the known hosts that a rollout may take at all.
pub(super) fn allowed<'a>(
    spec: &Spec,
    input: &PlanInput<'_>,
    known: &[Known<'a>],
    may_be_taken: &dyn Fn(&HostId) -> bool,
) -> Vec<Known<'a>> {
    let is_for = |host: &HostId| !spec.is_repair() || input.casualties.contains(host);
    let allowed = known.iter().map(|known| (known, &known.host.id));
    let allowed = allowed.filter(|(_, host)| is_for(host) && may_be_taken(host));
    allowed.map(|(known, _)| *known).collect()
}

/// Finds the hosts of a rollout, in order of their names, and notes why it cannot be for some.
pub(super) fn select<'a>(
    spec: &Spec,
    lock: &LockFile,
    known: &[Known<'a>],
    denied: &Denied<'a>,
    strata: &mut Strata<'a>,
    unaffected: &mut Unaffected<'a>,
    errors: &mut Vec<PlanError>,
) -> Vec<Selected<'a>> {
    let mut matched: Vec<_> = known
        .iter()
        .filter(|known| spec.selection().matches(known.host))
        .collect();
    if matched.is_empty() && spec.is_repair() {
        errors.push(PlanError::NothingToRepair {
            selection: spec.selection().clone(),
        });
    } else if matched.is_empty() {
        errors.push(PlanError::NothingSelected {
            selection: spec.selection().clone(),
            known: known.len(),
        });
    }
    matched.retain(|known| !denied.contains(&known.host.id));
    check_platforms(spec, lock, &matched, errors);
    let mut nowhere = Vec::new();
    let mut selected = Vec::with_capacity(matched.len());
    for Known { host, home } in matched {
        let Some((cell, place)) = *home else {
            nowhere.push(host.id.clone());
            continue;
        };
        if unaffected.take(host) {
            continue;
        }
        selected.push(Selected {
            host,
            cell,
            place,
            strata: strata.add(host),
            rarest: 0,
            limit: limit_of(spec, host),
            mark: Mark::of(host),
            seed: seed::of(&[host.id.as_str(), spec.name().as_str(), "order"]),
        });
    }
    if selected.is_empty() && unaffected.count > 0 {
        let hosts = unaffected.count;
        errors.push(PlanError::NothingToDo { hosts });
    }
    if !nowhere.is_empty() {
        errors.push(PlanError::NoCell { hosts: nowhere });
    }
    for host in &mut selected {
        let sizes = host.strata.iter().map(|stratum| strata.size(*stratum));
        host.rarest = sizes.min().unwrap_or(0);
    }
    selected
}

/// The first limit that matches: the last one matches every host.
fn limit_of(spec: &Spec, host: &Host) -> usize {
    let last = spec.limits().len().saturating_sub(1);
    let first = spec.limits().iter().position(|limit| limit.matches(host));
    first.unwrap_or(last)
}

/// Every platform of the hosts is in the lock file, when it has platforms.
fn check_platforms(
    spec: &Spec,
    lock: &LockFile,
    hosts: &[&Known<'_>],
    errors: &mut Vec<PlanError>,
) {
    let (
        Patch::Packages { .. } | Patch::Security | Patch::Advisory(_),
        Locked::Packages { platforms },
    ) = (spec.patch(), &lock.content)
    else {
        return;
    };
    let locked: BTreeSet<&Platform> = platforms.iter().map(|entry| &entry.platform).collect();
    let mut missing: BTreeMap<&Platform, Vec<HostId>> = BTreeMap::new();
    for Known { host, .. } in hosts {
        let platform = &host.facts.platform;
        if !locked.contains(platform) {
            missing.entry(platform).or_default().push(host.id.clone());
        }
    }
    errors.extend(
        missing
            .into_iter()
            .map(|(platform, hosts)| PlanError::NotLocked {
                platform: platform.clone(),
                hosts,
            }),
    );
}
