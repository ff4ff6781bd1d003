//! The control plane's end of its links.

use super::{LinkEvent, Told};
use crate::{
    fleet::{Fleet, FleetError},
    id::{CellId, Incarnation, Region},
    inventory::{REGION, ZONE},
    plan::Plan,
    policy::FloorRule,
    rollout::RolloutEvent,
    time::Timestamp,
    warrant::Summary,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What a control plane remembers of its links.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(in crate::fleet) struct Links {
    /// The regions that it has met.
    pub(super) regions: BTreeMap<Region, Downlink>,
    /// Which region each cell is of, whether the cell is there still or not.
    pub(super) of_cells: BTreeMap<CellId, Region>,
}

/// What it remembers of one link.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Downlink {
    /// The region's store. Nothing: it has not said yet.
    pub(super) store: Option<Incarnation>,
    /// The number of the last news that the mirror has.
    pub(super) news: u64,
    /// The number of the last summary that was taken in.
    pub(super) summaries: u64,
    /// The number of the last thing that it was told.
    pub(super) last_told: u64,
    /// The number up to which it said to have stored it.
    #[serde(default)]
    pub(super) taken_up_to: u64,
    /// What it was told and has not said to have stored, by number.
    pub(super) untaken: BTreeMap<u64, Told>,
    /// When its cells were copied last: moments in them until then are by its own clock. Absent: they never were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) copied_at: Option<Timestamp>,
    /// Since when nothing is heard of it. Nothing: it is heard.
    pub(super) silent_since: Option<Timestamp>,
}

/// How far what a region tells has come: as it numbered it, or as its control plane has taken it in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TakenIn {
    /// The number of the last news that the mirror has. 0: it has none.
    pub news: u64,
    /// The number of the last summary. 0: it has none.
    pub summaries: u64,
}

impl Links {
    pub(in crate::fleet) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Downlink {
    pub(super) fn tell(&mut self, told: Told) {
        if let Told::Calendar { .. } | Told::Cord { .. } | Told::Denials { .. } = told {
            // Each says all: what it replaces need not be told any more.
            let kind = std::mem::discriminant(&told);
            let is_other = |old: &Told| std::mem::discriminant(old) != kind;
            self.untaken.retain(|_, old| is_other(old));
        }
        self.last_told += 1;
        self.untaken.insert(self.last_told, told);
    }
}

impl Fleet {
    /// The regions that a control plane has met.
    pub fn regions(&self) -> impl Iterator<Item = &Region> {
        self.links.regions.keys()
    }

    /// What a region was told and has yet to store, by number. Nothing: it was never met.
    pub fn untaken(&self, region: &Region) -> Option<&BTreeMap<u64, Told>> {
        Some(&self.links.regions.get(region)?.untaken)
    }

    /// How far a control plane has taken in what a region tells.
    pub fn taken_in(&self, region: &Region) -> TakenIn {
        let known = self.links.regions.get(region);
        known.map_or_else(TakenIn::default, |known| TakenIn {
            news: known.news,
            summaries: known.summaries,
        })
    }

    /// Since when nothing is heard of a region. Nothing: it is heard, or was never met.
    pub fn silent_since(&self, region: &Region) -> Option<Timestamp> {
        self.links.regions.get(region)?.silent_since
    }

    /// When a region's cells were copied last. Nothing: they never were.
    pub(in crate::fleet) fn copied_at(&self, region: &Region) -> Option<Timestamp> {
        self.links.regions.get(region)?.copied_at
    }

    /// The region that a cell is of. Nothing: none has told of it, or all is one process.
    pub fn region_of(&self, cell: &CellId) -> Option<&Region> {
        self.links.of_cells.get(cell)
    }

    /// Tells the region of a cell something of it.
    pub(in crate::fleet) fn tell_region_of(
        &mut self,
        cell: &CellId,
        told: Told,
    ) -> Result<(), FleetError> {
        let region = self.links.of_cells.get(cell);
        let region = region.and_then(|region| self.links.regions.get_mut(region));
        let region = region.ok_or_else(|| FleetError::NoCell(cell.clone()))?;
        region.tell(told);
        Ok(())
    }

    /// Tells all regions something.
    pub(in crate::fleet) fn tell_regions(&mut self, told: &Told) {
        for region in self.links.regions.values_mut() {
            region.tell(told.clone());
        }
    }

    /// Takes in what happened at the control plane's end.
    pub(in crate::fleet) fn at_control(
        &mut self,
        event: &LinkEvent,
        now: Timestamp,
    ) -> Result<(), FleetError> {
        match event {
            LinkEvent::Joined { region, store, has } => {
                self.region_joined(region, *store, has.as_ref())
            }
            LinkEvent::News {
                region,
                number,
                news,
            } => self.news(region, *number, news, now),
            LinkEvent::Copied { region, copy } => self.copied(region, copy, now),
            LinkEvent::Summary {
                region,
                number,
                summary,
            } => self.summary(region, *number, summary, now),
            LinkEvent::ToldTaken { region, up_to } => {
                let known = self.link_of(region)?;
                known.untaken = known.untaken.split_off(&(up_to + 1));
                known.taken_up_to = known.taken_up_to.max(*up_to);
                Ok(())
            }
            LinkEvent::Silent { region, since } => self.region_silent(region, *since),
            LinkEvent::Heard { region } => self.region_heard(region, now),
            LinkEvent::Met { .. } | LinkEvent::Told { .. } | LinkEvent::SummariesTaken { .. } => {
                Err(FleetError::OfAnotherPart { form: self.form })
            }
        }
    }

    /// Refuses a floor whose groups are in several regions: each region hands its tokens out by itself.
    pub(in crate::fleet) fn check_width(&self, plan: &Plan) -> Result<(), FleetError> {
        let regions = plan.assignments.keys().map(|cell| self.region_of(cell));
        let regions: BTreeSet<_> = regions.flatten().collect();
        let floors = plan.assignments.values().flat_map(|of| &of.floors);
        let is_wide = |rule: &&FloorRule| !rule.names(ZONE) && !rule.names(REGION);
        let mut wide = floors.map(|floor| &floor.rule).filter(is_wide);
        match wide.next().filter(|_| regions.len() > 1) {
            None => Ok(()),
            Some(rule) => Err(FleetError::WideFloor {
                rollout: plan.rollout.clone(),
                group_by: rule.group_by.clone(),
            }),
        }
    }

    pub(super) fn link_of(&mut self, region: &Region) -> Result<&mut Downlink, FleetError> {
        let known = self.links.regions.get_mut(region);
        known.ok_or_else(|| FleetError::NoRegion(region.clone()))
    }

    /// Takes a summary in, once. One of a rollout that is not known any more says nothing to anybody, and one that
    /// its rollout refuses counts as taken in too: it would be refused ever after.
    fn summary(
        &mut self,
        region: &Region,
        number: u64,
        summary: &Summary,
        now: Timestamp,
    ) -> Result<(), FleetError> {
        if number <= self.link_of(region)?.summaries {
            return Ok(());
        }
        self.claim_cell(region, &summary.cell)?;
        let (rollout, summary) = (summary.rollout.clone(), summary.clone());
        if self.rollouts.contains_key(&rollout) {
            let taken = self.rollout_event(&rollout, &RolloutEvent::Summarised { summary }, now);
            self.uplink.refuse(taken);
        }
        self.link_of(region)?.summaries = number;
        Ok(())
    }

    /// The cells that a region has or had.
    pub(in crate::fleet) fn cells_of(&self, region: &Region) -> Vec<CellId> {
        let of = self.links.of_cells.iter().filter(|(_, of)| *of == region);
        of.map(|(cell, _)| cell.clone()).collect()
    }
}
