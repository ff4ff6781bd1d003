//! When the slices of a rollout were worked on.

use super::Stands;
use crate::{
    id::{CellId, WaveIndex},
    plan::Plan,
    rehearse::report::Slice,
};
use std::collections::BTreeMap;

/// The slices of a plan.
#[derive(Debug, Default)]
pub(super) struct Slices {
    places: BTreeMap<(CellId, WaveIndex), usize>,
    /// Each with how many runs it began.
    all: Vec<(usize, Slice)>,
}

impl Slices {
    /// The place of a slice, of which one host more is.
    pub(super) fn of(&mut self, plan: &Plan, cell: &CellId, wave: WaveIndex) -> usize {
        let next = self.all.len();
        let place = *self.places.entry((cell.clone(), wave)).or_insert(next);
        if place == next {
            self.all.push((0, untouched(plan, cell, wave)));
        }
        if let Some((_, slice)) = self.all.get_mut(place) {
            slice.hosts += 1;
        }
        place
    }

    /// Takes note that a host of a slice stands otherwise.
    pub(super) fn note(&mut self, slice: Option<usize>, before: Stands, now: Stands, at_ms: u64) {
        let slice = slice.and_then(|slice| self.all.get_mut(slice));
        let Some((begun, slice)) = slice else {
            return;
        };
        match now {
            Stands::Running => {
                if *begun == 0 {
                    slice.began_ms = at_ms;
                }
                *begun += 1;
                slice.open += 1;
            }
            Stands::Patched | Stands::Failed | Stands::Lost => slice.ended_ms = at_ms,
            Stands::Untouched => {}
        }
        if before == Stands::Running {
            slice.open = slice.open.saturating_sub(1);
        }
        if now == Stands::Patched {
            slice.patched += 1;
        }
        if before == Stands::Patched {
            slice.patched = slice.patched.saturating_sub(1);
        }
        if now.is_bad() && !before.is_bad() {
            slice.failed += 1;
        }
    }

    /// Those that began, in that order.
    pub(super) fn begun(self) -> Vec<Slice> {
        let begun = self.all.into_iter().filter(|(begun, _)| *begun > 0);
        let mut slices: Vec<Slice> = begun.map(|(_, slice)| slice).collect();
        slices.sort_by_key(|slice| (slice.began_ms, slice.cell.clone()));
        slices
    }
}

fn untouched(plan: &Plan, cell: &CellId, wave: WaveIndex) -> Slice {
    let name = plan.wave(wave).map(|wave| wave.name.to_string());
    Slice {
        cell: cell.clone(),
        wave: name.unwrap_or_default(),
        hosts: 0,
        began_ms: 0,
        ended_ms: 0,
        patched: 0,
        open: 0,
        failed: 0,
    }
}
