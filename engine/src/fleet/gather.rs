//! Groups that come together again in one cell.
//!
//! Hosts connect one by one, so a group may grow past what its cell has room for, and is in two cells
//! then. The fleet remembers a host of each such group, and decides to move the group as a whole once all
//! its hosts are at rest; nothing else is decided with it.
//!
//! What remembers a host's cell is what work there is: jobs, ledger entries, the plans of rollouts that
//! are not over, denials of a cell. A host at rest has none of them. A rollout that is over may still be
//! taken back: it looks up where its hosts are then.

#[cfg(test)]
mod tests;

use super::{Fleet, FleetCommand, FleetError};
use crate::{
    cell::Cell,
    cells::{self, Occupied},
    denial::Place,
    id::{CellId, HostId},
    inventory::Host,
    time::Timestamp,
};
use std::collections::{BTreeMap, BTreeSet};

/// How a group is spread over cells.
#[derive(Debug, Clone)]
pub(super) enum Spread {
    /// It is whole, or too large for one cell, and stays so when it grows in its cells.
    Stays,
    /// It is in several cells and would fit one.
    Apart {
        /// How many hosts it has.
        size: usize,
        /// The first of them, by which it is remembered, and its cell.
        first: (CellId, HostId),
    },
}

impl Fleet {
    /// Remembers whether the group of a host is in several cells and would fit one. How it is spread.
    pub(super) fn note_apart(&mut self, of: &Host) -> Spread {
        let is_kin = |host: &HostId| {
            self.host(host)
                .is_some_and(|(_, m)| cells::are_kin(&m.host, of))
        };
        let others = self.apart.iter().filter(|host| !is_kin(host));
        let mut apart: BTreeSet<HostId> = others.cloned().collect();
        let sizes = self.cells_with_kin(of).map(|(_, size)| size);
        let (parts, size) = sizes.fold((0, 0), |(parts, sum), size| (parts + 1, sum + size));
        let is_apart = parts > 1 && size <= self.cell_size();
        let first = is_apart.then(|| self.first_of_group(of)).flatten();
        apart.extend(first.iter().map(|(_, host)| host.clone()));
        self.apart = apart;
        first.map_or(Spread::Stays, |first| Spread::Apart { size, first })
    }

    /// The same of a group that has grown by one host in one of its cells, `home`, since it was found to be
    /// spread so.
    pub(super) fn note_grown(&mut self, spread: Spread, host: &Host, home: &CellId) -> Spread {
        match spread {
            Spread::Stays => Spread::Stays,
            Spread::Apart { size, mut first } if size < self.cell_size() => {
                let came = (home.clone(), host.id.clone());
                if came < first {
                    self.apart.remove(&first.1);
                    self.apart.insert(host.id.clone());
                    first = came;
                }
                let size = size + 1;
                Spread::Apart { size, first }
            }
            Spread::Apart { .. } => self.note_apart(host),
        }
    }

    /// The first group of each zone that can come together now: where it goes depends on the cells of its
    /// zone alone.
    pub(super) fn gather(&self) -> Vec<FleetCommand> {
        let mut zones: BTreeSet<String> = BTreeSet::new();
        let first = |host: &HostId| {
            let (_, member) = self.host(host)?;
            let zone = cells::names_of_place(&member.host)?;
            let command = (!zones.contains(&zone)).then(|| self.together(host))?;
            zones.extend(command.is_some().then_some(zone));
            command
        };
        self.apart.iter().filter_map(first).collect()
    }

    /// What brings the group of a host together, if it is in several cells, fits and is at rest.
    fn together(&self, host: &HostId) -> Option<FleetCommand> {
        let (cell, member) = self.host(host)?;
        if !self.is_at_rest(cell.id(), host) {
            return None;
        }
        let is_open = |cell: &CellId| self.is_free_to_change(cell);
        let cells = self.cells.values();
        let to = cells::together(&member.host, cells, self.cell_size(), is_open)?;
        let parts = self.parts_of_group(&member.host);
        let rests = |(cell, hosts): (&CellId, &Vec<HostId>)| {
            self.is_free_to_change(cell) && hosts.iter().all(|host| self.is_at_rest(cell, host))
        };
        if !parts.iter().all(rests) {
            return None;
        }
        let others = parts.into_iter().filter(|(from, _)| *from != to);
        let hosts = others.flat_map(|(_, hosts)| hosts).collect();
        Some(FleetCommand::Gather { to, hosts })
    }

    /// Moves hosts to another cell.
    ///
    /// # Errors
    /// [`FleetError::NotAtRest`] where one of them is at work, or its cell or the other may not change.
    pub(super) fn gathered(
        &mut self,
        to: &CellId,
        hosts: &BTreeSet<HostId>,
        now: Timestamp,
    ) -> Result<(), FleetError> {
        let mut parts: BTreeMap<CellId, Vec<HostId>> = BTreeMap::new();
        for host in hosts {
            let home = self.homes.get(host).filter(|home| {
                self.is_free_to_change(home) && self.is_at_rest(home, host) && *home != to
            });
            let Some(home) = home.filter(|_| self.is_free_to_change(to)) else {
                let (host, to) = (host.clone(), to.clone());
                return Err(FleetError::NotAtRest { host, to });
            };
            parts.entry(home.clone()).or_default().push(host.clone());
        }
        let first = hosts.first().and_then(|host| self.host(host));
        let of = first.map(|(_, member)| member.host.clone());
        self.make_cell(to, now);
        for (from, hosts) in parts {
            self.move_hosts(&from, to, &hosts, now)?;
        }
        self.tell_cell(to, now)?;
        if let Some(of) = of {
            self.note_apart(&of);
        }
        Ok(())
    }

    /// The cells of a host's zone with hosts of its group, and how many those are.
    fn cells_with_kin(&self, of: &Host) -> impl Iterator<Item = (&Cell, usize)> {
        let group = cells::group(of);
        let is_here = cells::of_place(of);
        let here = self.cells.values();
        let here = here.filter(move |cell| is_here(cell.id()));
        here.map(move |cell| (cell, cell.kin(&group)))
            .filter(|(_, kin)| *kin > 0)
    }

    /// The first host of a host's group, in the order of cells, and its cell.
    fn first_of_group(&self, of: &Host) -> Option<(CellId, HostId)> {
        self.cells_with_kin(of).find_map(|(cell, _)| {
            let mut members = cell.members().iter();
            let (host, _) = members.find(|(_, member)| cells::are_kin(&member.host, of))?;
            Some((cell.id().clone(), host.clone()))
        })
    }

    /// The hosts of a host's group, by cell of its zone.
    fn parts_of_group(&self, of: &Host) -> BTreeMap<CellId, Vec<HostId>> {
        let parts = self.cells_with_kin(of).map(|(cell, _)| {
            let members = cell.members().iter();
            let kin = members.filter(|(_, member)| cells::are_kin(&member.host, of));
            (
                cell.id().clone(),
                kin.map(|(host, _)| host.clone()).collect(),
            )
        });
        parts.collect()
    }

    /// Whether hosts may leave a cell and come to it, or to a new one of its name: it is heard of, and
    /// nothing was ever denied to its hosts alone.
    pub(super) fn is_free_to_change(&self, cell: &CellId) -> bool {
        !self.silent.contains_key(cell) && !self.is_denied_something(cell)
    }

    /// Whether something was ever denied to the hosts of a cell alone.
    pub(super) fn is_denied_something(&self, cell: &CellId) -> bool {
        let is_it = |at: Place| matches!(at, Place::Cell { cell: denied } if denied == *cell);
        let mut denied = self.denials.iter().map(|(_, at, _)| at);
        denied.any(is_it)
    }

    /// Whether nothing counts on a host being in its cell: it is of no rollout that is not over, no
    /// rollout has a job on it there, and it is not in the ledger.
    fn is_at_rest(&self, cell: &CellId, host: &HostId) -> bool {
        let mut live = self.rollouts.values().filter(|rollout| rollout.is_live());
        let is_planned = live.any(|rollout| rollout.plan().hosts.contains_key(host));
        let has_work = self.cells.get(cell).is_some_and(|cell| {
            let mut works = cell.work().values();
            cell.ledger().holds(host) || works.any(|work| work.jobs.contains_key(host))
        });
        !has_work && !is_planned
    }

    fn move_hosts(
        &mut self,
        from: &CellId,
        to: &CellId,
        hosts: &[HostId],
        now: Timestamp,
    ) -> Result<(), FleetError> {
        self.shift(from, to, hosts);
        self.tell_cell(from, now)?;
        self.drop_empty(from);
        Ok(())
    }
}
