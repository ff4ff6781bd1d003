//! Regions that come and go, and what is lost with a link or a store.
//!
//! What a region was told and has not said to have stored is lost with its link, for all that the control
//! plane knows. Of that, what rollouts told is forgotten, and the rollouts are told so: they tell it anew,
//! stops first.

use super::{Has, Told, control::Downlink};
use crate::{
    fleet::{Fleet, FleetError, form::told_of},
    id::{CellId, Incarnation, Region, RolloutId},
    time::Timestamp,
};
use std::collections::BTreeSet;

impl Downlink {
    /// Whether a region's store has less than it told, or said to have stored.
    fn is_ahead_of(&self, has: &Has) -> bool {
        let lacks_told = has.control.is_some() && has.told < self.taken_up_to;
        has.news < self.news || has.summaries < self.summaries || lacks_told
    }

    /// Forgets what rollouts told and is not known to be stored, since they tell it anew. Which rollouts, and of
    /// which cells.
    fn forget_rollouts(&mut self) -> BTreeSet<(RolloutId, CellId)> {
        let mut lost = BTreeSet::new();
        self.untaken.retain(|_, told| match told {
            Told::Cell { cell, event } => {
                let of = told_of(event);
                lost.extend(of.map(|rollout| (rollout.clone(), cell.clone())));
                of.is_none()
            }
            // It is decided anew where it is still so.
            Told::Gathered { .. } => false,
            Told::Calendar { .. } | Told::Cord { .. } | Told::Denials { .. } => true,
        });
        lost
    }
}

impl Fleet {
    /// A region with another store than before has nothing of what it was told, and other numbers. One whose store
    /// was set back lacks some of it, and counts as one with another store.
    pub(super) fn region_joined(
        &mut self,
        region: &Region,
        store: Incarnation,
        has: Option<&Has>,
    ) -> Result<(), FleetError> {
        self.check_set_back(region, has)?;
        let known = self.links.regions.entry(region.clone()).or_default();
        let is_same = known.store.replace(store) == Some(store);
        if is_same && !has.is_some_and(|has| known.is_ahead_of(has)) {
            return Ok(());
        }
        known.news = 0;
        // What it has let go of comes from nobody any more.
        known.summaries = has.map_or(0, |has| has.summaries_taken);
        known.taken_up_to = 0;
        known.forget_rollouts();
        if let Some(declared) = &self.calendar {
            known.tell(Told::Calendar {
                calendar: declared.calendar.clone(),
                by: declared.by.clone(),
            });
        }
        if self.cord.is_some() {
            let cord = self.cord.clone();
            known.tell(Told::Cord { cord });
        }
        if !self.denials.is_empty() {
            let denials = Box::new(self.denials.clone());
            known.tell(Told::Denials { denials });
        }
        for cell in self.cells_of(region) {
            for rollout in self.rollouts.values_mut() {
                rollout.cell_lost(&cell);
            }
        }
        Ok(())
    }

    /// Refuses a region that was told more than this store has told it, or has let go of more summaries than it has:
    /// the store was set back, and what came of the rollouts in it cannot be known any more.
    fn check_set_back(&self, region: &Region, has: Option<&Has>) -> Result<(), FleetError> {
        let Some(has) = has.filter(|has| has.control.is_some() && has.control == self.store) else {
            return Ok(());
        };
        let known = self.links.regions.get(region);
        let (told, summaries) = known.map_or((0, 0), |known| (known.last_told, known.summaries));
        let lacks_summaries = summaries > 0 && has.summaries_taken > summaries;
        match has.told > told || lacks_summaries {
            true => Err(FleetError::SetBack(region.clone())),
            false => Ok(()),
        }
    }

    pub(super) fn region_silent(
        &mut self,
        region: &Region,
        since: Timestamp,
    ) -> Result<(), FleetError> {
        let known = self.link_of(region)?;
        known.silent_since.get_or_insert(since);
        let lost = known.forget_rollouts();
        for cell in self.cells_of(region) {
            self.cell_silent(&cell, since);
        }
        for (rollout, cell) in lost {
            if let Some(rollout) = self.rollouts.get_mut(&rollout) {
                rollout.cell_lost(&cell);
            }
        }
        Ok(())
    }

    pub(super) fn region_heard(
        &mut self,
        region: &Region,
        now: Timestamp,
    ) -> Result<(), FleetError> {
        self.link_of(region)?.silent_since = None;
        for cell in self.cells_of(region) {
            self.cell_heard(&cell, now);
        }
        Ok(())
    }
}
