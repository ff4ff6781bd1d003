//! What cells came to when they were asked last: one that had nothing to do, that nothing happened to and
//! whose time has not come is not asked again.

use super::known_cells::KnownCells;
use crate::{
    cell::{Ask, AtWork, Cell, CellDecision, Lacking},
    id::CellId,
    time::Timestamp,
};
use std::collections::{BTreeMap, BTreeSet};

/// There is nothing to do until something happens, or until then.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rest {
    pub(super) wake: Option<Timestamp>,
}

/// What the cells of a fleet came to. A new one knows nothing.
#[derive(Debug, Clone, Default)]
pub(super) struct AskedCells {
    /// Their names, in order. Empty: nobody was asked yet.
    names: Vec<CellId>,
    cells: Vec<AskedCell>,
    /// The places of those that may have something to do.
    due: BTreeSet<usize>,
    /// When the others have, each with its place.
    wakes: BTreeSet<(Timestamp, usize)>,
    /// What each of them lacks that lacks anything.
    lacking: BTreeMap<CellId, Vec<Lacking>>,
    /// Those that may lack other things than when nothing was left to do.
    news: BTreeSet<CellId>,
}

/// What a cell came to.
#[derive(Debug, Clone, Default)]
struct AskedCell {
    /// How often it had changed when it had nothing to do, and until when that holds. Nothing: it may have.
    rest: Option<(u64, Rest)>,
    /// What it came to when it was asked for starts. Nothing: it is to be asked.
    starts: Option<Starts>,
}

/// A cell could start none.
#[derive(Debug, Clone)]
struct Starts {
    /// See [`Cell::starts_revision`].
    revision: u64,
    rest: Rest,
    lacking: Vec<Lacking>,
}

impl Rest {
    pub(super) fn holds(self, now: Timestamp) -> bool {
        self.wake.is_none_or(|wake| now < wake)
    }
}

impl AskedCells {
    /// Has all cells of a fleet asked, of which it knows nothing yet or nothing any more.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Takes note that a cell may have changed.
    pub(super) fn touch(&mut self, name: &CellId) {
        if let Ok(place) = self.names.binary_search(name) {
            self.due.insert(place);
        }
    }

    /// The cells that may have something to do, in their order.
    pub(super) fn due(
        &mut self,
        cells: &KnownCells,
        at_work: &AtWork,
        now: Timestamp,
    ) -> Vec<usize> {
        // What is at work in other cells holds hosts back, and lets them go, at any time.
        if self.names.len() != cells.len() || !at_work.is_nothing() {
            self.forget();
            self.names = cells.keys().cloned().collect();
            self.cells = vec![AskedCell::default(); self.names.len()];
            self.due = (0..self.names.len()).collect();
        }
        let awake = self.wakes.iter().take_while(|(at, _)| *at <= now);
        let awake: Vec<usize> = awake.map(|(_, place)| *place).collect();
        self.due.extend(awake);
        self.due.iter().copied().collect()
    }

    /// The name of the cell at a place.
    pub(super) fn name(&self, place: usize) -> Option<&CellId> {
        self.names.get(place)
    }

    /// When the first of those that have nothing to do has.
    pub(super) fn next_wake(&self) -> Option<Timestamp> {
        self.wakes.first().map(|(at, _)| *at)
    }

    /// What the cell at a place decides, which is asked what it may have to do.
    pub(super) fn ask(
        &mut self,
        place: usize,
        cell: &Cell,
        at_work: &mut AtWork,
        ask: Ask<'_>,
    ) -> CellDecision {
        let known = &mut self.cells[place];
        if let Some(wake) = known.wake() {
            self.wakes.remove(&(wake, place));
        }
        let decision = match at_work.is_nothing() {
            true => known.decide(cell, at_work, ask),
            false => {
                *known = AskedCell::default();
                cell.decide_beside(at_work, ask)
            }
        };
        if known.rest.is_some() {
            self.due.remove(&place);
        }
        if let Some(wake) = known.wake() {
            self.wakes.insert((wake, place));
        }
        self.note_lacking(cell.id(), &decision.lacking);
        decision
    }

    fn note_lacking(&mut self, cell: &CellId, lacking: &[Lacking]) {
        let known = self.lacking.get(cell).map_or(&[][..], Vec::as_slice);
        if known == lacking {
            return;
        }
        self.news.insert(cell.clone());
        match lacking.is_empty() {
            true => drop(self.lacking.remove(cell)),
            false => drop(self.lacking.insert(cell.clone(), lacking.to_vec())),
        }
    }

    /// What cells lack.
    pub(super) fn lacking(&self) -> &BTreeMap<CellId, Vec<Lacking>> {
        &self.lacking
    }

    /// What those cells lack that may get it now, where nothing else changed since nothing was left to do than
    /// groups of some cells. `changed` are those. Nothing: anything may have changed.
    pub(super) fn lacking_of<'a>(
        &'a self,
        changed: Option<impl Iterator<Item = &'a CellId>>,
    ) -> BTreeMap<&'a CellId, &'a [Lacking]> {
        let Some(changed) = changed else {
            let all = self.lacking.iter();
            return all.map(|(cell, of)| (cell, of.as_slice())).collect();
        };
        let lack = changed.chain(&self.news);
        let lack = lack.filter_map(|cell| self.lacking.get_key_value(cell));
        lack.map(|(cell, of)| (cell, of.as_slice())).collect()
    }

    /// Takes note that nothing is left to do.
    pub(super) fn rest(&mut self) {
        self.news.clear();
    }
}

impl AskedCell {
    /// When it has something to do. Nothing: it may have now, or time alone brings nothing.
    fn wake(&self) -> Option<Timestamp> {
        self.rest.and_then(|(_, rest)| rest.wake)
    }

    fn decide(&mut self, cell: &Cell, at_work: &mut AtWork, ask: Ask<'_>) -> CellDecision {
        let now = ask.now;
        let starts = self.starts.take();
        let starts = starts.filter(|known| known.is_so(cell, now));
        let rest = self
            .rest
            .filter(|(revision, rest)| *revision == cell.revision() && rest.holds(now));
        let mut decision = match (rest, &starts) {
            (Some((_, rest)), Some(_)) => CellDecision {
                wake: rest.wake,
                ..CellDecision::default()
            },
            (_, starts) => {
                let starts = starts.is_none();
                cell.decide_beside(at_work, Ask { starts, ..ask })
            }
        };
        let is_at_rest = decision.commands.is_empty();
        match starts {
            Some(known) => {
                decision.wake_at(known.rest.wake);
                decision.lacking.clone_from(&known.lacking);
                self.starts = Some(known);
            }
            None => self.starts = is_at_rest.then(|| Starts::of(cell, &decision)),
        }
        let wake = decision.wake;
        self.rest = is_at_rest.then(|| (cell.revision(), Rest { wake }));
        decision
    }
}

impl Starts {
    fn of(cell: &Cell, decision: &CellDecision) -> Self {
        Self {
            revision: cell.starts_revision(),
            rest: Rest {
                wake: decision.starts_wake,
            },
            lacking: decision.lacking.clone(),
        }
    }

    fn is_so(&self, cell: &Cell, now: Timestamp) -> bool {
        self.revision == cell.starts_revision() && self.rest.holds(now)
    }
}
