//! What is kept of a fleet's last decision by whoever asks it again and again.
//!
//! Most events are about one cell, and leave the others and the rollouts as they are. A machine that had
//! nothing to do, that nothing happened to and whose time has not come has nothing to do: it is not asked.

use super::{Changes, Fleet, census::Census};
use crate::{
    cell::{Ask, AtWork, Cell, CellDecision, Lacking, Troubled},
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
    /// How the groups stood when it was last decided.
    census: Option<Census>,
    /// The zones that were in trouble when the cells were asked.
    troubled: Troubled,
    /// What the cells came to, in their order.
    cells: Vec<AskedCell>,
    /// Whether a rollout at work knows of dependencies. Nothing: nobody looked yet.
    heeds: Option<bool>,
    /// What cells lacked when nothing was left to do.
    lacking: BTreeMap<CellId, Vec<Lacking>>,
}

/// There is nothing to do until something happens, or until then.
#[derive(Debug, Clone, Copy)]
struct Rest {
    wake: Option<Timestamp>,
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

    /// The census as it is now, to be given back. Nothing when no rollout works anywhere.
    pub(super) fn take_census(&mut self, fleet: &Fleet, now: Timestamp) -> Option<Census> {
        if let Some(mut census) = self.census.take() {
            if census.keep_up(fleet, now) {
                return Some(census);
            }
            // The groups that they lacked have other places.
            self.cells.clear();
        }
        Census::of(fleet, now)
    }

    /// Keeps the census.
    pub(super) fn put_census(&mut self, census: Census) {
        self.census = Some(census);
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

    /// Whether cells lack what they lacked when nothing was left to do.
    pub(super) fn lacked(&self, lacking: &BTreeMap<&CellId, Vec<Lacking>>) -> bool {
        let known = self.lacking.iter();
        lacking.len() == self.lacking.len()
            && lacking
                .iter()
                .zip(known)
                .all(|(now, before)| (*now.0, now.1) == before)
    }

    /// Takes note of what cells lack while nothing is left to do.
    pub(super) fn note_lacking(&mut self, lacking: &BTreeMap<&CellId, Vec<Lacking>>) {
        if self.lacked(lacking) {
            return;
        }
        let lacking = lacking.iter();
        self.lacking = lacking
            .map(|(cell, of)| ((*cell).clone(), of.clone()))
            .collect();
    }

    /// What the cell at a place among all cells decides, which is asked what it may have to do.
    pub(super) fn decide(
        &mut self,
        place: usize,
        cell: &Cell,
        at_work: &mut AtWork,
        ask: Ask<'_>,
    ) -> CellDecision {
        if self.troubled != *ask.troubled {
            self.troubled.clone_from(ask.troubled);
            self.cells.clear();
        }
        if self.cells.len() <= place {
            self.cells.resize(place + 1, AskedCell::default());
        }
        let known = &mut self.cells[place];
        // What is at work in other cells holds hosts back, and lets them go, at any time.
        if !at_work.is_nothing() {
            *known = AskedCell::default();
            return cell.decide_beside(at_work, ask);
        }
        known.decide(cell, at_work, ask)
    }
}

impl AskedCell {
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
