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
    plan::{PlannedWave, Turn},
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

/// How a cell stands in the present wave.
struct Standing<'a> {
    cell: &'a CellId,
    /// Whether the wave has opened it.
    is_opened: bool,
    is_over: bool,
    is_silent: bool,
    /// Whether it lets others have their turn: it is over, or they go on without it.
    is_passed_by: bool,
    /// When its last host was over. Nothing: it was not opened, or is not over.
    closed_at: Option<Timestamp>,
}

impl Standing<'_> {
    /// Whether the wave has opened it and others wait for it.
    fn is_at_work(&self) -> bool {
        self.is_opened && !self.is_passed_by
    }
}

/// A zone of a region, cell by cell.
struct Zone<'a> {
    cells: Vec<Standing<'a>>,
    is_passed_by: bool,
    is_at_work: bool,
    /// When the last of its cells was over. Nothing: none was.
    last_end: Option<Timestamp>,
}

/// The regions of a turn, zone by zone.
type Regions<'a> = Vec<Vec<Zone<'a>>>;

impl<'a> Zone<'a> {
    fn of(cells: Vec<Standing<'a>>) -> Self {
        Self {
            is_passed_by: cells.iter().all(|cell| cell.is_passed_by),
            is_at_work: cells.iter().any(Standing::is_at_work),
            last_end: cells.iter().filter_map(|cell| cell.closed_at).max(),
            cells,
        }
    }
}

impl Rollout {
    /// The cells of the wave that are open or may open now, and why the others may not.
    pub(super) fn open_cells(
        &self,
        wave: &PlannedWave,
        holds: &mut Vec<Hold>,
        now: Timestamp,
    ) -> Vec<CellId> {
        let turns = wave.opening.turns.iter();
        let turns: Vec<_> = turns.map(|turn| self.regions(turn, now)).collect();
        let zones = || turns.iter().flatten().flatten();
        let gap_ends = zones().filter_map(|zone| zone.last_end).max();
        let gap_ends = gap_ends.map(|end| end.after(wave.gap));
        let cells = zones().flat_map(|zone| &zone.cells);
        let mut round = Round {
            rollout: self,
            wave,
            open: Vec::new(),
            working: cells.filter(|cell| cell.is_at_work()).count(),
            gap_ends: gap_ends.filter(|&end| now < end),
            holds,
            now,
        };
        let works = |turn: &Regions<'_>| turn.iter().flatten().any(|zone| zone.is_at_work);
        let last = turns.iter().rposition(works);
        let mut is_turn = true;
        for (place, turn) in turns.iter().enumerate() {
            let comes_back = last.is_some_and(|last| place < last);
            for zones in turn {
                round.walk(zones, is_turn && !comes_back);
            }
            is_turn &= turn.iter().flatten().all(|zone| zone.is_passed_by);
        }
        round.open
    }

    /// How the regions of a turn stand in the present wave, zone by zone.
    fn regions<'t>(&self, turn: &'t Turn, now: Timestamp) -> Regions<'t> {
        let zone = |cells: &'t Vec<CellId>| {
            let cells = cells.iter().map(|cell| self.standing(cell, now));
            Zone::of(cells.collect())
        };
        let chains = turn.chains.iter();
        chains
            .map(|chain| chain.zones.iter().map(zone).collect())
            .collect()
    }

    /// How a cell stands in the present wave.
    fn standing<'c>(&self, cell: &'c CellId, now: Timestamp) -> Standing<'c> {
        let progress = self.cells.get(cell);
        let opened = progress.and_then(|progress| progress.opened);
        let is_opened = opened.is_some_and(|(wave, _)| wave == self.wave);
        let is_silent = progress.is_some_and(|progress| progress.silent_since.is_some());
        let is_over = self.is_cell_over(cell);
        let closed_at = progress.and_then(|progress| progress.closed_at);
        Standing {
            cell,
            is_opened,
            is_over,
            is_silent,
            is_passed_by: is_over || (is_silent && self.goes_on_without(cell, now)),
            closed_at: closed_at.filter(|_| is_opened),
        }
    }
}

impl Round<'_> {
    /// Goes through a region, zone by zone.
    fn walk(&mut self, zones: &[Zone<'_>], is_turn: bool) {
        for (place, zone) in zones.iter().enumerate() {
            let waits = match is_turn {
                true => self.other_zones(zones, place),
                false => Some(Reason::CellTurn { until: None }),
            };
            for cell in &zone.cells {
                self.consider(cell, waits.as_ref());
            }
        }
    }

    /// Why a zone may not open, by the other zones of its region. Nothing when it may.
    fn other_zones(&self, zones: &[Zone<'_>], place: usize) -> Option<Reason> {
        let (before, rest) = zones.split_at(place);
        let after = rest.get(1..).unwrap_or_default();
        if !before.iter().all(|zone| zone.is_passed_by) || after.iter().any(|zone| zone.is_at_work)
        {
            return Some(Reason::CellTurn { until: None });
        }
        let others = before.iter().chain(after);
        let last_end = others.filter_map(|zone| zone.last_end).max();
        let until = last_end?.after(self.wave.zone_bake);
        (self.now < until).then_some(Reason::ZoneBake { until })
    }

    /// Opens a cell, or holds it. One may be over before its turn: its hosts were forgotten, or gave
    /// second opinions.
    fn consider(&mut self, standing: &Standing<'_>, waits: Option<&Reason>) {
        let cell = standing.cell;
        if standing.is_opened || standing.is_over {
            self.open.push(cell.clone());
            return;
        }
        // It is held by its silence.
        if standing.is_silent {
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
