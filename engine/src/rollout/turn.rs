//! Which cells of the present wave may open: turn by turn, in a region zone by zone, at most so many
//! at once, a gap after each that ended, a bake after each zone.
//!
//! Turns and zones go on without cells that are unknown. One that is heard again waits until what was
//! opened meanwhile is over and has baked: no two turns, and no two zones of a region, are worked on
//! side by side.

use super::Rollout;
use crate::{
    hold::{Hold, Reason},
    id::CellId,
    plan::{Chain, PlannedWave, Turn},
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
        let cells = || wave.opening.cells();
        let gap_ends = self.last_end(cells()).map(|end| end.after(wave.gap));
        let mut round = Round {
            rollout: self,
            wave,
            open: Vec::new(),
            working: cells().filter(|cell| self.is_at_work(cell, now)).count(),
            gap_ends: gap_ends.filter(|&end| now < end),
            holds,
            now,
        };
        let works = |turn: &Turn| turn.cells().any(|cell| self.is_at_work(cell, now));
        let last = wave.opening.turns.iter().rposition(works);
        let mut is_turn = true;
        for (place, turn) in wave.opening.turns.iter().enumerate() {
            let comes_back = last.is_some_and(|last| place < last);
            for chain in &turn.chains {
                round.walk(chain, is_turn && !comes_back);
            }
            is_turn &= turn.cells().all(|cell| self.is_passed_by(cell, now));
        }
        round.open
    }

    /// Whether a cell lets others have their turn: it is over, or they go on without it.
    fn is_passed_by(&self, cell: &CellId, now: Timestamp) -> bool {
        self.is_cell_over(cell) || self.goes_on_without(cell, now)
    }

    /// Whether the present wave has opened a cell that others wait for.
    fn is_at_work(&self, cell: &CellId, now: Timestamp) -> bool {
        self.is_opened(cell) && !self.is_passed_by(cell, now)
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
        for (place, zone) in chain.zones.iter().enumerate() {
            let waits = match is_turn {
                true => self.other_zones(chain, place),
                false => Some(Reason::CellTurn { until: None }),
            };
            for cell in zone {
                self.consider(cell, waits.as_ref());
            }
        }
    }

    /// Why a zone may not open, by the other zones of its region. Nothing when it may.
    fn other_zones(&self, chain: &Chain, place: usize) -> Option<Reason> {
        let (before, rest) = chain.zones.split_at(place);
        let after = rest.get(1..).unwrap_or_default();
        let is_passed_by = |cell| self.rollout.is_passed_by(cell, self.now);
        let is_at_work = |cell| self.rollout.is_at_work(cell, self.now);
        if !before.iter().flatten().all(is_passed_by) || after.iter().flatten().any(is_at_work) {
            return Some(Reason::CellTurn { until: None });
        }
        let others = before.iter().chain(after).flatten();
        let until = self.rollout.last_end(others)?.after(self.wave.zone_bake);
        (self.now < until).then_some(Reason::ZoneBake { until })
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
}
