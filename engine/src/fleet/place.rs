//! Which cell a new host goes to, and groups that come together again.
//!
//! Hosts connect one by one, so a group may grow past what its cell has room for. Then it moves as a
//! whole, with the host that came, if all its hosts are at rest and a cell can hold it. A group that is
//! at work stays in two cells, and comes together when one of its hosts connects while it is at rest.
//!
//! What remembers a host's cell is what work there is: jobs, ledger entries, the plans of rollouts that
//! are not over, denials of a cell. A host at rest has none of them. A rollout that is over may still be
//! taken back: it looks up where its hosts are then.

#[cfg(test)]
mod tests;

use super::{Fleet, FleetError};
use crate::{
    cell::Cell,
    cells::{self, Occupied},
    denial::Place,
    floor::Group,
    id::{CellId, HostId},
    inventory::{Host, REGION, SERVICE, ZONE},
    plan::Plan,
    time::Timestamp,
};
use std::collections::BTreeMap;

impl Fleet {
    /// The cell of a host: the one that it is in, else the one that it joins.
    pub(super) fn place(&self, host: &Host) -> Result<CellId, FleetError> {
        if let Some(home) = self.homes.get(&host.id) {
            return Ok(home.clone());
        }
        cells::join(host, self.cells.values(), self.cell_size()).map_err(|source| {
            FleetError::Unplaced {
                host: host.id.clone(),
                source,
            }
        })
    }

    /// Brings the group of a host together in one cell, if it is in several, fits and is at rest.
    pub(super) fn bring_together(
        &mut self,
        host: &HostId,
        now: Timestamp,
    ) -> Result<(), FleetError> {
        let Some((_, member)) = self.host(host) else {
            return Ok(());
        };
        let is_open = |cell: &CellId| self.is_free_to_change(cell);
        let cells = self.cells.values();
        let Some(to) = cells::together(&member.host, cells, self.cell_size(), is_open) else {
            return Ok(());
        };
        let parts = self.parts_of_group(&member.host);
        let is_at_rest = |(cell, hosts): (&CellId, &Vec<HostId>)| {
            self.is_free_to_change(cell) && hosts.iter().all(|host| self.is_at_rest(cell, host))
        };
        if !parts.iter().all(is_at_rest) {
            return Ok(());
        }
        let (epoch, calendar) = (self.epoch, self.freezes());
        let made = || Cell::new(to.clone(), epoch, now).under(calendar);
        self.cells.entry(to.clone()).or_insert_with(made);
        for (from, hosts) in parts {
            if from != to {
                self.move_hosts(&from, &to, hosts, now)?;
            }
        }
        self.tell_cell(&to, now)
    }

    /// The hosts of a host's group, by cell of its zone.
    fn parts_of_group(&self, of: &Host) -> BTreeMap<CellId, Vec<HostId>> {
        let group = cells::group(of);
        let here = self.cells.values();
        let here = here.filter(|cell| cells::is_of_place(of, cell.id()) && cell.kin(&group) > 0);
        let packed_by = [SERVICE, ZONE, REGION];
        let is_kin = |host: &&Host| packed_by.iter().all(|l| host.value(l) == of.value(l));
        let parts = here.map(|cell| {
            let members = cell.members().values().map(|member| &member.host);
            let kin = members.filter(is_kin);
            (cell.id().clone(), kin.map(|host| host.id.clone()).collect())
        });
        parts.collect()
    }

    /// Whether hosts may leave a cell and come to it: it is heard of, and nothing was ever denied to
    /// its hosts alone.
    fn is_free_to_change(&self, cell: &CellId) -> bool {
        let is_it = |at: Place| matches!(at, Place::Cell { cell: denied } if denied == *cell);
        let mut denied = self.denials.iter().map(|(_, at, _)| at);
        !self.silent.contains_key(cell) && !denied.any(is_it)
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
        !is_planned && !has_work
    }

    fn move_hosts(
        &mut self,
        from: &CellId,
        to: &CellId,
        hosts: Vec<HostId>,
        now: Timestamp,
    ) -> Result<(), FleetError> {
        let Some(mut source) = self.cells.remove(from) else {
            return Ok(());
        };
        if let Some(target) = self.cells.get_mut(to) {
            target.take_over(&mut source, &hosts);
            for host in hosts {
                self.homes.insert(host, to.clone());
            }
        }
        self.cells.insert(from.clone(), source);
        self.tell_cell(from, now)?;
        self.drop_empty(from);
        Ok(())
    }

    /// Refuses a plan of hosts that have moved to other cells since it was made.
    pub(super) fn check_homes(&self, plan: &Plan) -> Result<(), FleetError> {
        let has_moved = |(host, cell): (&HostId, &CellId)| {
            let home = self.homes.get(host);
            home.is_some_and(|home| home != cell).then(|| host.clone())
        };
        let planned = plan
            .hosts
            .iter()
            .map(|(host, planned)| (host, &planned.cell));
        let hosts: Vec<HostId> = planned.filter_map(has_moved).collect();
        match hosts.is_empty() {
            true => Ok(()),
            false => Err(FleetError::Moved {
                rollout: plan.rollout.clone(),
                hosts,
            }),
        }
    }
}

impl Occupied for Cell {
    fn id(&self) -> &CellId {
        self.id()
    }

    fn size(&self) -> usize {
        self.members().len()
    }

    fn kin(&self, group: &Group) -> usize {
        self.packed_with(group)
    }
}
