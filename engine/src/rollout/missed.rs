//! Hosts that their wave went on without, since nothing was heard of their cell.
//!
//! When the cell is heard again they are hosts of the present wave like any other: they wait for their
//! cell's turn there. Those that cannot run anyway, held for good or not approved, stay where they were
//! counted.

use super::Rollout;
use crate::id::{CellId, HostId};
use std::collections::BTreeSet;

impl Rollout {
    /// Hosts of the present wave that an earlier one went on without: they were counted there.
    pub fn missed(&self) -> &BTreeSet<HostId> {
        &self.missed
    }

    /// Takes hosts of waves that went on without them into the present one. It bakes anew where hosts
    /// are left that can run.
    pub(super) fn take_missed_in(&mut self, cell: &CellId) {
        if !self.is_live() || self.goes_back {
            return;
        }
        let missed = self.plan.hosts.iter().filter(|(host, planned)| {
            let is_missed = planned.cell == *cell && planned.wave < self.wave;
            is_missed && !self.is_settled(host) && !self.is_in_wave(cell, host)
        });
        let missed: Vec<HostId> = missed.map(|(host, _)| host.clone()).collect();
        for host in missed {
            self.opinions.remove(&host);
            self.plan.move_into(self.wave, &host);
            self.missed.insert(host);
        }
        if self.wave_hosts(cell).any(|host| !self.is_settled(host)) {
            self.bake_since = None;
        }
    }

    fn is_in_wave(&self, cell: &CellId, host: &HostId) -> bool {
        self.wave_hosts(cell).any(|other| other == host)
    }
}
