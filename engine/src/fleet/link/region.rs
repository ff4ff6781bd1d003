//! The region's end of a link.

use super::{Copy, Has, LinkEvent, News, TakenIn, Told};
use crate::{
    cell::CellEvent,
    cord::Cord,
    fleet::{Fleet, FleetError, Form, form::is_told_by_control},
    id::Incarnation,
    kept::Aside,
    time::Timestamp,
    warrant::Summary,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a region remembers of its link.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(in crate::fleet) struct Uplink {
    /// The store of the control plane that it met last. Nothing: it met none.
    control: Option<Incarnation>,
    /// The number of the last thing that it was told.
    told: u64,
    /// The number of its last news.
    news: u64,
    /// The number of its last summary.
    last_summary: u64,
    /// Summaries that the control plane has not said to have stored, by number.
    summaries: BTreeMap<u64, Summary>,
    /// The cord that is pulled at the control plane, as it was last told. Absent: none is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::fleet) cord: Option<Cord>,
    /// News that nobody has taken from here yet, by number.
    #[serde(skip)]
    fresh: Aside<Vec<(u64, News)>>,
    /// What was told over a link, from above or below, and could not be taken in, and nobody has asked for yet.
    #[serde(skip)]
    refused: Aside<Vec<FleetError>>,
}

impl Uplink {
    pub(in crate::fleet) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Keeps why something was not taken in that was told over a link, for who asks.
    pub(super) fn refuse(&mut self, taken: Result<(), FleetError>) {
        self.refused.extend(taken.err());
    }
}

impl Fleet {
    /// What happened to the cells since this was last asked, by number, for the control plane's mirror.
    /// Empty where nobody has one.
    pub fn take_news(&mut self) -> Vec<(u64, News)> {
        std::mem::take(&mut *self.uplink.fresh)
    }

    /// How far it has numbered its news and summaries. 0: it has none.
    pub fn told_of(&self) -> TakenIn {
        TakenIn {
            news: self.uplink.news,
            summaries: self.uplink.last_summary,
        }
    }

    /// The summaries that the control plane has yet to store, by number.
    pub fn untaken_summaries(&self) -> &BTreeMap<u64, Summary> {
        &self.uplink.summaries
    }

    /// How far its store has come.
    pub fn has(&self) -> Has {
        let link = &self.uplink;
        let first = link.summaries.keys().next();
        Has {
            news: link.news,
            summaries: link.last_summary,
            control: link.control,
            told: link.told,
            summaries_taken: first.map_or(link.last_summary, |first| first - 1),
        }
    }

    /// The number of the last thing that the control plane told and that is taken in. 0: none was.
    pub fn told_up_to(&self) -> u64 {
        self.uplink.told
    }

    /// Why things that were told over a link were not taken in, since this was last asked. A cell that has heard
    /// newer things refuses older ones; anything else is for the log.
    pub fn take_refused(&mut self) -> Vec<FleetError> {
        std::mem::take(&mut *self.uplink.refused)
    }

    /// The region's cells as they are.
    pub fn copy(&self) -> Copy {
        let cells = self.cells.iter();
        Copy {
            news: self.uplink.news,
            cells: cells
                .map(|(name, cell)| (name.clone(), cell.clone()))
                .collect(),
            package_sets: self.package_sets.clone(),
        }
    }

    /// Takes note of what happened to a cell, for the mirror.
    pub(in crate::fleet) fn note_news(&mut self, news: impl FnOnce() -> News) {
        if self.form == Form::Region {
            self.uplink.news += 1;
            let number = self.uplink.news;
            self.uplink.fresh.push((number, news()));
        }
    }

    /// Keeps a summary until the control plane has stored it.
    pub(in crate::fleet) fn keep_summary(&mut self, summary: &Summary) {
        self.uplink.last_summary += 1;
        let number = self.uplink.last_summary;
        self.uplink.summaries.insert(number, summary.clone());
    }

    /// Takes in what happened at the region's end.
    pub(in crate::fleet) fn at_region(
        &mut self,
        event: &LinkEvent,
        now: Timestamp,
    ) -> Result<(), FleetError> {
        match event {
            LinkEvent::Met { control } => {
                if self.uplink.control.replace(*control) != Some(*control) {
                    self.uplink.told = 0;
                }
                Ok(())
            }
            LinkEvent::Told { number, told } => {
                self.told(*number, told, now);
                Ok(())
            }
            LinkEvent::SummariesTaken { up_to } => {
                self.uplink.summaries = self.uplink.summaries.split_off(&(up_to + 1));
                Ok(())
            }
            LinkEvent::Joined { .. }
            | LinkEvent::News { .. }
            | LinkEvent::Copied { .. }
            | LinkEvent::Summary { .. }
            | LinkEvent::ToldTaken { .. }
            | LinkEvent::Silent { .. }
            | LinkEvent::Heard { .. } => Err(FleetError::OfAnotherPart { form: self.form }),
        }
    }

    /// Takes in what the control plane told, once. What a cell refuses counts as taken in too: it would be
    /// refused ever after.
    fn told(&mut self, number: u64, told: &Told, now: Timestamp) {
        if number <= self.uplink.told {
            return;
        }
        self.uplink.told = number;
        let taken = match told {
            Told::Cell { cell, event } => match may_be_told(event) {
                true => self.cell_event(cell, event, now),
                false => Err(FleetError::OfAnotherPart { form: self.form }),
            },
            Told::Gathered { to, hosts } => self.gathered(to, hosts, now),
            Told::Calendar { calendar, by } => self.calendar_declared(calendar, by, now),
            Told::Cord { cord } => {
                self.uplink.cord.clone_from(cord);
                self.tell_cord(now)
            }
            Told::Denials { denials } => {
                self.denials = denials.as_ref().clone();
                self.tell_denials(now)
            }
        };
        self.uplink.refuse(taken);
    }
}

/// Whether the control plane may tell a cell this: what is a region's own to say and decide it may not.
fn may_be_told(event: &CellEvent) -> bool {
    is_told_by_control(event) || matches!(event, CellEvent::GaveUp { .. })
}
