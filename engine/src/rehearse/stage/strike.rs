//! Faults that strike a rehearsal at a moment, and that end.

use super::{Stage, Turn};
use crate::{
    id::{CellId, HostId},
    rehearse::{
        Modelled,
        scenario::{Event, Fault, FaultKind},
        world::{Boots, Crash, World},
    },
    time::Timestamp,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// The least time that a coordinator which dies is away.
const LEAST_AWAY: Duration = Duration::from_secs(1);

/// What has struck and has not ended.
#[derive(Debug, Default)]
pub(super) struct Struck {
    /// The faults, by their places.
    active: BTreeSet<usize>,
    /// The cells that each of them cut off.
    cells: BTreeMap<usize, BTreeSet<CellId>>,
    /// When the coordinator is back that died.
    owner_back_at: Option<Timestamp>,
}

impl Stage<'_> {
    pub(super) fn strike(&mut self, world: &mut World<Modelled>, place: usize, turn: Turn) {
        let scenario = self.rehearsal.scenario;
        let Some(fault) = scenario.faults.get(place) else {
            return;
        };
        let FaultKind::Timed { event, lasts, .. } = fault.kind else {
            return;
        };
        let hosts = self.hosts_there(world, fault);
        match turn {
            Turn::Begins => {
                world.model.struck.entry(place).or_insert(world.now);
                self.struck.active.insert(place);
                self.begin(world, place, event, lasts, &hosts);
            }
            Turn::Learnt => hosts.iter().for_each(|host| world.forget(host)),
            Turn::Ends => {
                self.struck.active.remove(&place);
                self.end(world, place, event, hosts);
            }
        }
    }

    /// The hosts of a fault that there are by now.
    fn hosts_there(&self, world: &World<Modelled>, fault: &Fault) -> BTreeSet<HostId> {
        let hosts = self.hosts_of(world, fault).into_iter();
        hosts
            .filter(|host| world.agents.contains_key(host))
            .collect()
    }

    fn begin(
        &mut self,
        world: &mut World<Modelled>,
        place: usize,
        event: Event,
        lasts: Duration,
        hosts: &BTreeSet<HostId>,
    ) {
        match event {
            Event::HostsCut => hosts.iter().for_each(|host| world.cut(host)),
            Event::CellsCut => {
                let cells = cells(world, hosts);
                cells.iter().for_each(|cell| world.cut_cell(cell));
                self.struck.cells.insert(place, cells);
            }
            Event::HostsDie => {
                for host in hosts {
                    world.crash_agent(host, Boots::Anew, (!lasts.is_zero()).then_some(lasts));
                }
            }
            Event::HostsGone => self.go(world, place, hosts),
            Event::HostsCome => self.come(world, place),
            Event::HostsFall => hosts.iter().for_each(|host| world.fall(host)),
            Event::CoordinatorDies => self.kill_coordinator(world, place, lasts),
            Event::InventoryThrottled { .. } => {}
        }
    }

    /// A fault ends for those hosts and cells that no other of its kind still has.
    fn end(
        &mut self,
        world: &mut World<Modelled>,
        place: usize,
        event: Event,
        hosts: BTreeSet<HostId>,
    ) {
        match event {
            Event::HostsCut => {
                let others = self.others(world, event);
                hosts.difference(&others).for_each(|host| world.mend(host));
            }
            Event::HostsFall => {
                let others = self.others(world, event);
                hosts
                    .difference(&others)
                    .for_each(|host| world.repair(host));
            }
            Event::CellsCut => {
                let cells = self.struck.cells.remove(&place).unwrap_or_default();
                let is_cut = |cell: &CellId| {
                    let mut others = self.struck.cells.values();
                    others.any(|others| others.contains(cell))
                };
                let free = cells.iter().filter(|cell| !is_cut(cell));
                free.for_each(|cell| world.mend_cell(cell));
            }
            Event::InventoryThrottled { .. }
            | Event::HostsDie
            | Event::HostsGone
            | Event::HostsCome
            | Event::CoordinatorDies => {}
        }
    }

    /// The hosts of all faults of a kind that have not ended.
    fn others(&self, world: &World<Modelled>, event: Event) -> BTreeSet<HostId> {
        let faults = self.rehearsal.scenario.faults.iter().enumerate();
        let others = faults
            .filter(|(place, of)| self.struck.active.contains(place) && of.event() == Some(event));
        others
            .flat_map(|(_, other)| self.hosts_there(world, other))
            .collect()
    }

    /// The coordinator dies. One that is dead already dies again once it is back, if that is for longer.
    fn kill_coordinator(&mut self, world: &mut World<Modelled>, place: usize, lasts: Duration) {
        let began = world.model.struck.get(&place).copied();
        let back_at = began.unwrap_or(world.now).after(lasts.max(LEAST_AWAY));
        // It dies at the end of its turn, and is as much later back as that takes.
        if !world.owner.is_up || world.owner.crash.is_some() {
            let before = self.struck.owner_back_at.filter(|before| *before < back_at);
            if let Some(before) = before {
                let again = before.max(world.now).after(Duration::from_millis(1));
                self.coming.insert((again, place, Turn::Begins));
            }
            return;
        }
        self.struck.owner_back_at = Some(back_at);
        world.crash_owner(Crash::BeforeStore, back_at.since(world.now));
    }

    /// Hosts are born that are not there yet.
    fn come(&self, world: &mut World<Modelled>, place: usize) {
        let Some(fault) = self.rehearsal.scenario.faults.get(place) else {
            return;
        };
        let born: BTreeSet<HostId> = self.hosts_of(world, fault).into_iter().collect();
        let hosts = self.rehearsal.hosts.iter();
        for host in hosts.filter(|host| born.contains(&host.id)) {
            if !world.agents.contains_key(&host.id) {
                world.join(host.clone());
            }
        }
    }

    /// Hosts die for good. That they are deleted is learnt at once, or as late as the inventory answers.
    fn go(&mut self, world: &mut World<Modelled>, place: usize, hosts: &BTreeSet<HostId>) {
        for host in hosts {
            world.crash_agent(host, Boots::Anew, None);
        }
        let late = self.learnt_late();
        match late.is_zero() {
            true => hosts.iter().for_each(|host| world.forget(host)),
            false => {
                self.coming
                    .insert((world.now.after(late), place, Turn::Learnt));
            }
        }
    }

    /// How much later than it happens it is learnt that a host was deleted.
    fn learnt_late(&self) -> Duration {
        let active = self.struck.active.iter();
        let events = active.filter_map(|place| self.rehearsal.scenario.faults.get(*place)?.event());
        let late = events.map(|event| match event {
            Event::InventoryThrottled { late } => late,
            Event::HostsCut
            | Event::CellsCut
            | Event::HostsDie
            | Event::HostsGone
            | Event::HostsCome
            | Event::HostsFall
            | Event::CoordinatorDies => Duration::ZERO,
        });
        late.max().unwrap_or_default()
    }
}

/// The cells of hosts.
fn cells(world: &World<Modelled>, hosts: &BTreeSet<HostId>) -> BTreeSet<CellId> {
    let homes = world.owner.fleet.homes();
    let cells = hosts.iter().filter_map(|host| homes.get(host));
    cells.cloned().collect()
}
