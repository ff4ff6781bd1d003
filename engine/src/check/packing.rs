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
use std::collections::BTreeSet;

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
        let mut astray = astray.filter(|host| fleet.homes().get(*host) != Some(name));
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

/// The group of a host that just connected is in one cell, if it fits and all its hosts are at rest.
pub fn broken_by_connecting(fleet: &Fleet, host: &HostId) -> Vec<Broken> {
    let mut all = Vec::new();
    let Some((_, member)) = fleet.host(host) else {
        return all;
    };
    let group = alike(fleet, &member.host);
    let cells: BTreeSet<&CellId> = group.iter().map(|(cell, _)| cell.id()).collect();
    let is_at_rest = |(cell, host): &(&Cell, &HostId)| is_at_rest(fleet, cell, host);
    if cells.len() > 1 && group.len() <= fleet.cell_size() && group.iter().all(is_at_rest) {
        all.push(broken(format!(
            "the group of host {host} fits one cell and is in {cells:?}"
        )));
    }
    all
}

/// The hosts of a host's service and zone that are in cells of that zone.
fn alike<'f>(fleet: &'f Fleet, of: &Host) -> Vec<(&'f Cell, &'f HostId)> {
    let value = |label| of.value(label).unwrap_or_default();
    let zone = format!("{}-{}-", value(REGION), value(ZONE));
    let here = fleet.cells().values().filter(|cell| {
        let number = cell.id().as_str().strip_prefix(&zone);
        number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
    });
    let is_alike = |host: &Host| {
        host.value(SERVICE) == of.value(SERVICE)
            && host.value(ZONE) == of.value(ZONE)
            && host.value(REGION) == of.value(REGION)
    };
    let members = here.flat_map(|cell| cell.members().iter().map(move |member| (cell, member)));
    let alike = members.filter(|(_, (_, member))| is_alike(&member.host));
    alike.map(|(cell, (host, _))| (cell, host)).collect()
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
