//! Hosts that their wave went on without, since nothing was heard of their cell, or their stratum was
//! held.
//!
//! When they can run after all, they are hosts of the present wave like any other: they wait for their
//! cell's turn there. Those that cannot, held for good or not approved, stay where they were counted.

use super::{Rollout, WhyOwnTurn};
use crate::{
    id::{CellId, HostId},
    warrant::Outcome,
};
use std::collections::BTreeSet;

impl Rollout {
    /// Hosts of the present wave that an earlier one went on without: they were counted there.
    pub fn missed(&self) -> &BTreeSet<HostId> {
        &self.missed
    }

    /// Takes hosts of some cells, which waves went on without, into the present one. It bakes anew where
    /// hosts are left that can run.
    pub(super) fn take_missed_in(&mut self, is_theirs: impl Fn(&CellId) -> bool) {
        if !self.is_live() || self.goes_back {
            return;
        }
        let missed = self.plan.hosts.iter().filter(|(host, planned)| {
            let is_missed = planned.wave < self.wave && !self.has_own_turn(host);
            is_missed && is_theirs(&planned.cell) && !self.is_settled(host)
        });
        let missed: Vec<HostId> = missed.map(|(host, _)| host.clone()).collect();
        for host in missed {
            match self.outcomes.get(&host) {
                Some(Outcome::Running) => self.give_turn(&host, WhyOwnTurn::AtWork),
                Some(_) | None => self.take_leave_back(&host),
            }
            self.plan.move_into(self.wave, &host);
            self.open.forget();
            self.missed.insert(host);
        }
        let cells = self.cells.keys().filter(|cell| is_theirs(cell));
        let hosts = cells.flat_map(|cell| self.wave_hosts(cell));
        let can_run = hosts.filter(|host| !self.is_settled(host)).count() > 0;
        if can_run {
            self.bake_since = None;
        }
    }

    /// A host that has not begun waits for its turn, whatever its cell was told before.
    fn take_leave_back(&mut self, host: &HostId) {
        self.own_turns.remove(host);
        self.open.forget();
        let cell = self.plan.hosts.get(host).map(|planned| &planned.cell);
        if let Some(progress) = cell.and_then(|cell| self.cells.get_mut(cell)) {
            progress.narrowed |= progress.withdraw(host);
        }
    }
}
