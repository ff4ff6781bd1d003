//! What is kept of a fleet's last decision by whoever asks it again and again.
//!
//! Most events are about one cell, and leave the others and the rollouts as they are. A machine that had
//! nothing to do, that nothing happened to and whose time has not come has nothing to do: it is not asked.

use super::{Changes, Fleet};
use crate::{
    cell::{AtWork, Cell, CellDecision, Lacking, Troubled},
    id::CellId,
    time::Timestamp,
};
use std::collections::BTreeMap;

/// What is kept. A new one knows nothing, and the next decision asks every machine. It is of one fleet: never
/// show it another.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    changes: Changes,
    /// The rollouts have nothing to do. Nothing: they may have.
    rollouts: Option<Rest>,
    /// The zones that were in trouble when the cells were asked.
    troubled: Troubled,
    /// The cells that have nothing to do.
    cells: BTreeMap<CellId, RestingCell>,
}

/// There is nothing to do until something happens, or until then.
#[derive(Debug, Clone, Copy)]
struct Rest {
    wake: Option<Timestamp>,
}

#[derive(Debug, Clone)]
struct RestingCell {
    /// How often it had changed.
    revision: u64,
    rest: Rest,
    lacking: Vec<Lacking>,
}

impl Rest {
    fn holds(self, now: Timestamp) -> bool {
        self.wake.is_none_or(|wake| now < wake)
    }
}

impl Memory {
    /// Forgets what is no longer so.
    pub(super) fn keep_up(&mut self, fleet: &Fleet) {
        if self.changes.others != fleet.changes.others {
            *self = Self::default();
        } else if self.changes.rollouts != fleet.changes.rollouts {
            self.rollouts = None;
        }
        self.changes = fleet.changes;
    }

    /// When the rollouts have something to do. Nothing: they may have now.
    pub(super) fn rollouts_rest(&self, now: Timestamp) -> Option<Option<Timestamp>> {
        let rest = self.rollouts.filter(|rest| rest.holds(now))?;
        Some(rest.wake)
    }

    /// The rollouts were asked, and have nothing to do until then.
    pub(super) fn note_rollouts(&mut self, wake: Option<Timestamp>) {
        self.rollouts = Some(Rest { wake });
    }

    /// What a cell decides, which is asked if it may have something to do.
    pub(super) fn decide(
        &mut self,
        cell: &Cell,
        at_work: &mut AtWork,
        troubled: &Troubled,
        now: Timestamp,
    ) -> CellDecision {
        if self.troubled != *troubled {
            self.troubled.clone_from(troubled);
            self.cells.clear();
        }
        // What is at work in other cells holds hosts back, and lets them go, at any time.
        let is_alone = at_work.is_nothing();
        let known = self.cells.get(cell.id()).filter(|_| is_alone);
        let known =
            known.filter(|known| known.revision == cell.revision() && known.rest.holds(now));
        if let Some(known) = known {
            return CellDecision {
                wake: known.rest.wake,
                lacking: known.lacking.clone(),
                ..CellDecision::default()
            };
        }
        let decision = cell.decide_beside(at_work, troubled, now);
        if decision.commands.is_empty() && is_alone {
            let resting = RestingCell {
                revision: cell.revision(),
                rest: Rest {
                    wake: decision.wake,
                },
                lacking: decision.lacking.clone(),
            };
            self.cells.insert(cell.id().clone(), resting);
        } else {
            self.cells.remove(cell.id());
        }
        decision
    }
}
