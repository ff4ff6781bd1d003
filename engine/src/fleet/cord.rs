//! The cord of a fleet: who is told, and who could not be.

use super::{Fleet, FleetError, Form, Told};
use crate::{
    cell::{Cell, CellEvent},
    cord::{Cord, Span},
    id::{CellId, HostId, OperatorId, Region},
    policy::HEARD_LATE,
    time::Timestamp,
};
use std::collections::{BTreeMap, BTreeSet};

/// Who has not heard of a cord that is pulled.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CordReach {
    /// The regions that have not said to have stored it. Empty: all have, or all is one process.
    pub regions: Vec<NotTold>,
    /// Hosts without a session that have an order and were not past the point of disruption, in regions that
    /// have heard. They cannot pass it: that takes a yes of their coordinator.
    pub away: BTreeSet<HostId>,
}

/// A region that has not heard of a cord.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotTold {
    /// Which.
    pub region: Region,
    /// Since when nothing is heard of it. Absent: it is linked, and has not answered yet.
    pub silent_since: Option<Timestamp>,
    /// Hosts that it may still start, by the warrants that it has.
    pub at_risk: BTreeSet<HostId>,
    /// When the last of those warrants ends, by the control plane's clock. Absent: it has none that has not
    /// ended.
    pub until: Option<Timestamp>,
}

impl CordReach {
    /// How many hosts may still be started although the cord is pulled.
    pub fn at_risk(&self) -> usize {
        let regions = self.regions.iter();
        regions.map(|region| region.at_risk.len()).sum()
    }
}

impl Fleet {
    /// The cord that was pulled at this process. Nothing: none is.
    pub fn cord(&self) -> Option<&Cord> {
        self.cord.as_ref()
    }

    /// The cord that holds this process' rollouts and cells: that of the control plane, or a region's own.
    pub fn cord_in_force(&self) -> Option<&Cord> {
        self.uplink.cord.as_ref().or(self.cord.as_ref())
    }

    /// A region's own cord, while that of the control plane is pulled as well.
    fn cord_beneath(&self) -> Option<&Cord> {
        let above = self.uplink.cord.as_ref();
        above.and(self.cord.as_ref())
    }

    /// The cords that regions have pulled for themselves and told of. Empty at a region itself.
    pub fn cords_of_regions(&self) -> BTreeMap<&Region, &Cord> {
        if self.form != Form::Control {
            return BTreeMap::new();
        }
        let held = self.cells.values().filter_map(|cell| {
            let mut known = cell.cord().into_iter().chain(cell.cord_beneath());
            let own = known.find(|cord| cord.span == Span::Region)?;
            Some((self.region_of(cell.id())?, own))
        });
        held.collect()
    }

    /// Every cord that is pulled and known here: that of the control plane, and those of regions. A region has
    /// no name for itself; its control plane does.
    pub fn cords(&self) -> Vec<(Option<&Region>, &Cord)> {
        let above = self.uplink.cord.iter().chain(&self.cord);
        let mut all: Vec<_> = above.map(|cord| (None, cord)).collect();
        let of_regions = self.cords_of_regions().into_iter();
        all.extend(of_regions.map(|(region, cord)| (Some(region), cord)));
        all
    }

    pub(super) fn cord_pulled(
        &mut self,
        by: &OperatorId,
        reason: &str,
        now: Timestamp,
    ) -> Result<(), FleetError> {
        self.cord.get_or_insert_with(|| Cord {
            by: by.clone(),
            at: now,
            reason: reason.to_owned(),
            span: match self.form {
                Form::Whole | Form::Control => Span::Fleet,
                Form::Region => Span::Region,
            },
        });
        self.tell_cord(now)
    }

    pub(super) fn cord_released(&mut self, now: Timestamp) -> Result<(), FleetError> {
        if self.cord.take().is_none() {
            return Err(match self.uplink.cord.clone() {
                Some(cord) => FleetError::CordOfControl(Box::new(cord)),
                None => FleetError::NoCord,
            });
        }
        for rollout in self.rollouts.values_mut() {
            rollout.cord_released(now);
        }
        self.tell_cord(now)
    }

    /// Tells everybody how the cord stands, who does not know.
    pub(super) fn tell_cord(&mut self, now: Timestamp) -> Result<(), FleetError> {
        if self.form == Form::Control {
            let cord = self.cord.clone();
            self.tell_regions(&Told::Cord { cord });
            return Ok(());
        }
        let cells: Vec<CellId> = self.cells.keys().cloned().collect();
        let mut cells = cells.iter();
        cells.try_for_each(|cell| self.tell_cell_of_cord(cell, now))
    }

    pub(super) fn tell_cell_of_cord(
        &mut self,
        id: &CellId,
        now: Timestamp,
    ) -> Result<(), FleetError> {
        let (cord, beneath) = (self.cord_in_force(), self.cord_beneath());
        let is_news = |cell: &Cell| cell.cord() != cord || cell.cord_beneath() != beneath;
        if !self.cells.get(id).is_some_and(is_news) {
            return Ok(());
        }
        let (cord, beneath) = (cord.cloned(), beneath.cloned());
        self.put(id, &CellEvent::CordTold { cord, beneath }, now)
    }

    /// Who has not heard of the cord that is pulled at this process. Nothing: none is.
    pub fn cord_reach(&self, now: Timestamp) -> Option<CordReach> {
        self.cord.as_ref()?;
        let deaf = self
            .regions()
            .filter(|region| !self.has_heard_of_cord(region));
        let regions: Vec<NotTold> = deaf.map(|region| self.not_told(region, now)).collect();
        let has_heard = |cell: &&Cell| {
            let of = self.region_of(cell.id());
            !regions.iter().any(|deaf| Some(&deaf.region) == of)
        };
        let away = self.cells.values().filter(has_heard).flat_map(away);
        Some(CordReach {
            away: away.cloned().collect(),
            regions,
        })
    }

    fn has_heard_of_cord(&self, region: &Region) -> bool {
        let mut untaken = self
            .untaken(region)
            .into_iter()
            .flat_map(|told| told.values());
        !untaken.any(|told| matches!(told, Told::Cord { .. }))
    }

    fn not_told(&self, region: &Region, now: Timestamp) -> NotTold {
        let silent_since = self.silent_since(region);
        let mut found = NotTold {
            region: region.clone(),
            silent_since,
            at_risk: BTreeSet::new(),
            until: None,
        };
        // What it was told last may have reached it as late as this.
        let heard_by = silent_since.map_or(now, |since| since.after(HEARD_LATE));
        let copied_at = self.copied_at(region);
        for cell in self.cells_of(region) {
            for rollout in self.rollouts.values() {
                let leave = rollout.last_leave(&cell, self.cells.get(&cell), copied_at, heard_by);
                let Some((hosts, until)) = leave.filter(|(_, until)| now < *until) else {
                    continue;
                };
                if !hosts.is_empty() {
                    found.until = found.until.max(Some(until));
                }
                found.at_risk.extend(hosts);
            }
        }
        found
    }
}

/// Hosts of a cell without a session whose order was not past the point of disruption.
fn away(cell: &Cell) -> impl Iterator<Item = &HostId> {
    let jobs = cell.work().values().flat_map(|work| work.jobs.iter());
    let waiting = jobs.filter(|(_, job)| job.active().is_some_and(|active| !active.disrupted));
    let is_away = |host: &HostId| {
        let member = cell.members().get(host);
        member.is_some_and(|member| !member.is_connected())
    };
    waiting
        .map(|(host, _)| host)
        .filter(move |host| is_away(host))
}
