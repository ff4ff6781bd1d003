//! Promise 1 before anything moves: one cell's owner alone decides for a group where it can, so a group
//! that fits into one cell is in one.

use super::Broken;
use crate::{
    cell::{Cell, Job, JobState},
    denial::Place,
    fleet::Fleet,
    id::{CellId, HostId},
    inventory::{Host, REGION, SERVICE, ZONE},
    rollout::Rollout,
    warrant::Outcome,
};
use std::collections::{BTreeMap, BTreeSet};

/// Every host is in one cell, which is not too large, and where the fleet says that it is; what is
/// planned for it is planned there, unless it was deleted meanwhile.
pub(super) fn in_fleet(fleet: &Fleet, all: &mut Vec<Broken>) {
    let mut known = 0;
    for (name, cell) in fleet.cells() {
        known += cell.members().len();
        if cell.members().len() > fleet.cell_size() {
            all.push(broken(format!("cell {name} has too many hosts")));
        }
        let astray = cell.members().keys();
        let mut astray = astray.filter(|host| fleet.homes().get(host) != Some(name));
        if let Some(host) = astray.next() {
            all.push(broken(format!(
                "host {host} is in {name} and at home elsewhere"
            )));
        }
    }
    if known != fleet.homes().len() {
        all.push(broken("a host is at home in a cell that does not have it"));
    }
    for rollout in fleet
        .rollouts()
        .values()
        .filter(|rollout| rollout.is_live())
    {
        for (host, planned) in &rollout.plan().hosts {
            let is_away = fleet
                .homes()
                .get(host)
                .is_some_and(|home| *home != planned.cell);
            if is_away && !was_deleted(fleet, rollout, host, &planned.cell) {
                let (name, cell) = (&rollout.plan().rollout, &planned.cell);
                all.push(broken(format!(
                    "{name} has host {host} in {cell}, and it is elsewhere"
                )));
            }
        }
    }
}

/// Whether a host of a rollout was deleted in the cell where it was planned, as far as the rollout or
/// that cell knows.
fn was_deleted(fleet: &Fleet, rollout: &Rollout, host: &HostId, cell: &CellId) -> bool {
    let works = fleet.cells().get(cell).map(|cell| cell.work());
    let work = works.and_then(|works| works.get(&rollout.plan().rollout));
    let job = work.and_then(|work| work.jobs.get(host));
    let is_gone = |job: &Job| job.state == JobState::Over(Outcome::Gone);
    rollout.outcomes().get(host) == Some(&Outcome::Gone) || job.is_none_or(is_gone)
}

/// When nothing is left to do, a group that fits one cell, and whose hosts are all at rest, is in one; and no
/// cell has hosts of two places.
pub(super) fn at_rest(fleet: &Fleet, all: &mut Vec<Broken>) {
    let mut groups: BTreeMap<_, Vec<(&Cell, &HostId)>> = BTreeMap::new();
    for cell in fleet.cells().values() {
        for (host, member) in cell.members() {
            let labels = [REGION, ZONE, SERVICE].map(|label| member.host.value(label));
            // A host whose labels changed stays where it was.
            if is_of_its_zone(&member.host, cell.id()) {
                groups.entry(labels).or_default().push((cell, host));
            }
        }
    }
    let mut places: BTreeMap<&CellId, _> = BTreeMap::new();
    for (group, hosts) in groups {
        let [region, zone, _] = group;
        for (cell, host) in &hosts {
            if *places.entry(cell.id()).or_insert((region, zone)) != (region, zone) {
                let name = cell.id();
                all.push(broken(format!(
                    "host {host} is of another place than others in {name}"
                )));
            }
        }
        let cells: BTreeSet<&CellId> = hosts.iter().map(|(cell, _)| cell.id()).collect();
        let is_at_rest = |(cell, host): &(&Cell, &HostId)| is_at_rest(fleet, cell, host);
        if cells.len() > 1 && hosts.len() <= fleet.cell_size() && hosts.iter().all(is_at_rest) {
            all.push(broken(format!(
                "the group {group:?} fits one cell and is in {cells:?}"
            )));
        }
    }
}

fn is_of_its_zone(host: &Host, cell: &CellId) -> bool {
    let value = |label| host.value(label).unwrap_or_default();
    let zone = format!("{}-{}-", value(REGION), value(ZONE));
    let number = cell.as_str().strip_prefix(&zone);
    number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether moving a host would take it away under somebody's hands.
fn is_at_rest(fleet: &Fleet, cell: &Cell, host: &HostId) -> bool {
    let mut rollouts = fleet.rollouts().values();
    let is_planned = rollouts.any(|r| r.is_live() && r.plan().hosts.contains_key(host));
    let mut works = cell.work().values();
    let is_worked_on = works.any(|work| work.jobs.contains_key(host));
    let mut denied = fleet.denials().iter();
    let is_denied_here =
        denied.any(|(_, at, _)| matches!(at, Place::Cell { cell: at } if at == *cell.id()));
    let is_heard = !fleet.silent().contains_key(cell.id());
    let is_in = cell.ledger().entry(host).is_none();
    is_heard && is_in && !is_planned && !is_worked_on && !is_denied_here
}

fn broken(what: impl Into<String>) -> Broken {
    Broken {
        promise: 1,
        what: what.into(),
    }
}
