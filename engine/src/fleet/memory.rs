//! What is kept of a fleet's last decision by whoever asks it again and again.
//!
//! Most events are about one cell, and leave the others and the rollouts as they are. A machine that had
//! nothing to do, that nothing happened to and whose time has not come has nothing to do: it is not asked.

use super::{
    Changes, Fleet,
    asked::{AskedCells, Rest},
    census::Census,
};
use crate::{
    cell::{AtWork, Troubled},
    id::{CellId, RolloutId},
    time::Timestamp,
};
use std::collections::BTreeMap;

/// What is kept. A new one knows nothing, and the next decision asks every machine. It is of one fleet: never
/// show it another.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    changes: Changes,
    /// How far it has taken in which cells changed.
    cells_changed: u64,
    /// The rollouts have nothing to do but to renew warrants. Nothing: they may have.
    rollouts: Option<RolloutsRest>,
    /// How the groups stood when it was last decided.
    census: Option<Census>,
    /// The cells that changed since.
    uncounted: Vec<CellId>,
    /// The zones that were in trouble when the cells were asked.
    troubled: Troubled,
    /// What the cells came to.
    pub(super) cells: AskedCells,
    /// Whether a rollout at work knows of dependencies. Nothing: nobody looked yet.
    heeds: Option<bool>,
}

/// When rollouts that have nothing to do have.
#[derive(Debug, Clone)]
pub(super) struct RolloutsRest {
    /// More than to renew warrants.
    pub(super) rest: Rest,
    /// A warrant to renew, each that has one.
    pub(super) renewals: BTreeMap<RolloutId, Timestamp>,
}

impl Memory {
    /// Forgets what is no longer so.
    pub(super) fn keep_up(&mut self, fleet: &Fleet) {
        let changed = fleet.cells.changed_since(self.cells_changed);
        match changed.filter(|_| self.changes.others == fleet.changes.others) {
            None => *self = Self::default(),
            Some(changed) => {
                changed.iter().for_each(|cell| self.cells.touch(cell));
                self.uncounted.extend_from_slice(changed);
                if self.changes.rollouts != fleet.changes.rollouts {
                    self.rollouts = None;
                }
            }
        }
        self.changes = fleet.changes;
        self.cells_changed = fleet.cells.changes();
    }

    /// What the rollouts have to do where that is to renew warrants at most. Nothing: they may have more.
    pub(super) fn rollouts_rest(&mut self, now: Timestamp) -> Option<&mut RolloutsRest> {
        self.rollouts.as_mut().filter(|known| known.rest.holds(now))
    }

    /// The rollouts were asked, and have nothing to do now.
    pub(super) fn note_rollouts(&mut self, rest: RolloutsRest) {
        self.rollouts = Some(rest);
    }

    /// The census as it is now, to be given back. Nothing when no rollout works anywhere.
    pub(super) fn take_census(&mut self, fleet: &Fleet, now: Timestamp) -> Option<Census> {
        let kept = self.census.take();
        let kept = kept.map(
            |mut census| match census.keep_up(fleet, &self.uncounted, now) {
                true => Some(census),
                false => {
                    // The groups that they lacked have other places.
                    self.cells.forget();
                    None
                }
            },
        );
        self.uncounted.clear();
        kept.flatten().or_else(|| Census::of(fleet, now))
    }

    /// Keeps the census.
    pub(super) fn put_census(&mut self, census: Census) {
        self.census = Some(census);
    }

    /// A memory that knows how the groups stand now, and nothing else. To be given back.
    pub(super) fn lend_census(&mut self, fleet: &Fleet, now: Timestamp) -> Self {
        Self {
            census: self.take_census(fleet, now),
            ..Self::default()
        }
    }

    /// Takes back what it lent.
    pub(super) fn take_back_census(&mut self, lent: Self) {
        self.census = lent.census;
    }

    /// What the cells have under orders.
    pub(super) fn at_work(&mut self, fleet: &Fleet) -> AtWork {
        let cells = || fleet.cells.values();
        let heeds = *self
            .heeds
            .get_or_insert_with(|| AtWork::is_heeded_by(cells()));
        match heeds {
            true => AtWork::of(cells()),
            false => AtWork::default(),
        }
    }

    /// Takes note of the zones that are in trouble, of which every cell is told.
    pub(super) fn heed(&mut self, troubled: &Troubled) {
        if !self.troubled.is_where(troubled) {
            self.troubled.clone_from(troubled);
            self.cells.forget();
        }
    }
}
