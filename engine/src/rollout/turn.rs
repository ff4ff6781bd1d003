//! Which cells of the present wave may open: turn by turn, in a region zone by zone, at most so many
//! at once, a gap after each that ended, a bake after each zone.

use super::Rollout;
use crate::{
    hold::{Hold, Reason},
    id::CellId,
    plan::{Chain, PlannedWave},
    time::Timestamp,
};

/// How far the opening of a wave is gone through.
struct Round<'a> {
    rollout: &'a Rollout,
    wave: &'a PlannedWave,
    /// Cells that are open, may open now, or are over.
    open: Vec<CellId>,
    /// How many of them have hosts that are not over.
    working: usize,
    /// Until when the gap after a cell lasts. Nothing when there is none now.
    gap_ends: Option<Timestamp>,
    holds: &'a mut Vec<Hold>,
    now: Timestamp,
}

impl Rollout {
    /// The cells of the wave that are open or may open now, and why the others may not.
    pub(super) fn open_cells(
        &self,
        wave: &PlannedWave,
        holds: &mut Vec<Hold>,
        now: Timestamp,
    ) -> Vec<CellId> {
        let opened = || wave.opening.cells().filter(|cell| self.is_opened(cell));
        let gap_ends = self.last_end(opened()).map(|end| end.after(wave.gap));
        let mut round = Round {
            rollout: self,
            wave,
            open: Vec::new(),
            working: opened()
                .filter(|cell| !self.is_passed_by(cell, now))
                .count(),
            gap_ends: gap_ends.filter(|&end| now < end),
            holds,
            now,
        };
        let mut is_turn = true;
        for turn in &wave.opening.turns {
            for chain in &turn.chains {
                round.walk(chain, is_turn);
            }
            is_turn &= turn.cells().all(|cell| self.is_passed_by(cell, now));
        }
        round.open
    }

    /// Whether a cell lets others have their turn: it is over, or they go on without it.
    fn is_passed_by(&self, cell: &CellId, now: Timestamp) -> bool {
        self.is_cell_over(cell) || self.goes_on_without(cell, now)
    }

    /// When the last of some cells was over, of those that the present wave opened.
    fn last_end<'a>(&self, cells: impl Iterator<Item = &'a CellId>) -> Option<Timestamp> {
        let opened = cells.filter(|cell| self.is_opened(cell));
        opened
            .filter_map(|cell| self.cells.get(cell)?.closed_at)
            .max()
    }
}

impl Round<'_> {
    /// Goes through a region, zone by zone.
    fn walk(&mut self, chain: &Chain, is_turn: bool) {
        let mut waits = (!is_turn).then_some(Reason::CellTurn { until: None });
        for zone in &chain.zones {
            for cell in zone {
                self.consider(cell, waits.as_ref());
            }
            waits = waits.or_else(|| self.after(zone));
        }
    }

    /// Opens a cell, or holds it. One may be over before its turn: its hosts were forgotten, or gave
    /// second opinions.
    fn consider(&mut self, cell: &CellId, waits: Option<&Reason>) {
        if self.rollout.is_opened(cell) || self.rollout.is_cell_over(cell) {
            self.open.push(cell.clone());
            return;
        }
        // It is held by its silence.
        if self.rollout.is_silent(cell) {
            return;
        }
        let is_full = self.working >= self.wave.cells_at_once;
        let reason = match waits {
            Some(reason) => reason.clone(),
            None if is_full || self.gap_ends.is_some() => Reason::CellTurn {
                until: self.gap_ends,
            },
            None => {
                self.open.push(cell.clone());
                self.working += 1;
                return;
            }
        };
        self.holds.push(self.rollout.cell_hold(cell, reason));
    }

    /// Why the zone after this one may not open. Nothing when it may.
    fn after(&self, zone: &[CellId]) -> Option<Reason> {
        let is_passed_by = |cell| self.rollout.is_passed_by(cell, self.now);
        if !zone.iter().all(is_passed_by) {
            return Some(Reason::CellTurn { until: None });
        }
        let until = self
            .rollout
            .last_end(zone.iter())?
            .after(self.wave.zone_bake);
        (self.now < until).then_some(Reason::ZoneBake { until })
    }
}
