//! Cells that are not heard of: every rollout that has a part there is told.

use super::Fleet;
use crate::{
    id::{CellId, RolloutId},
    time::Timestamp,
};

impl Fleet {
    pub(super) fn cell_silent(&mut self, cell: &CellId, since: Timestamp) {
        self.silent.entry(cell.clone()).or_insert(since);
        for rollout in self.rollouts.values_mut() {
            rollout.cell_silent(cell, since);
        }
    }

    pub(super) fn cell_heard(&mut self, cell: &CellId, now: Timestamp) {
        self.silent.remove(cell);
        for rollout in self.rollouts.values_mut() {
            rollout.cell_heard(cell, now);
        }
    }

    /// Tells a rollout that has new cells which of them are not heard of.
    pub(super) fn tell_silence(&mut self, rollout: &RolloutId) {
        let Some(rollout) = self.rollouts.get_mut(rollout) else {
            return;
        };
        for (cell, since) in &self.silent {
            rollout.cell_silent(cell, *since);
        }
    }
}
