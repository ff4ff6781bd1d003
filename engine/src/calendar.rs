//! The freeze calendar: times in which nothing is started or drained on some hosts, whatever the
//! rollout. One document for the whole fleet, handed to every cell; rollbacks are not bound.
//!
//! ```toml
//! [[freeze]]
//! name = "black friday"
//! from = "2026-11-26T18:00"         # or a date alone: its first moment
//! until = "2026-11-30"              # or with a time; a date alone: its last moment
//! time_zone = "America/New_York"    # default "UTC"
//! match = 'service == "shop"'       # default: all hosts
//! except_profiles = ["emergency"]   # rollouts of these go on; default: none
//! reason = "nobody touches the shop"
//! owner = "sre"
//! ```
//!
//! A new calendar replaces the old one as a whole; a file without a freeze ends all of them. What the
//! clocks of the zone do is as [`time_zone`](crate::time_zone) says.

mod read;
#[cfg(test)]
mod tests;

pub use read::{CalendarErrors, CalendarRefusal};

use crate::{
    document, id::OperatorId, inventory::Host, policy::Profile, select::Selection, time::Timestamp,
    time_zone::TimeZone,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The freezes of a fleet, in the order of their file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Calendar {
    /// The freezes. Their names differ.
    pub freezes: Vec<Freeze>,
}

/// A time in which hosts are not started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freeze {
    /// Its name, for people. Not empty.
    pub name: String,
    /// Its first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub until: Timestamp,
    /// By whose clocks it was written.
    pub time_zone: TimeZone,
    /// Which hosts. Absent: all.
    pub selection: Option<Selection>,
    /// The profiles whose rollouts it does not bind. Empty: it binds all.
    #[serde(default)]
    pub except_profiles: BTreeSet<Profile>,
    /// Why, for people. May be empty.
    pub reason: String,
    /// Who asks for it, for people. May be empty.
    pub owner: String,
}

/// A calendar, and who declared it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declared {
    /// What.
    pub calendar: Calendar,
    /// Who.
    pub by: OperatorId,
    /// When.
    pub at: Timestamp,
}

impl Calendar {
    /// Reads a calendar; `file` is what its mistakes call it.
    ///
    /// # Errors
    /// Every mistake of the file, when there is any.
    pub fn parse(file: &str, text: &str) -> Result<Self, CalendarErrors> {
        document::read(file, text, read::calendar)
    }

    /// The next moment after this one at which a freeze begins. Nothing when none does.
    pub fn next_begin(&self, now: Timestamp) -> Option<Timestamp> {
        let begins = self.freezes.iter().map(|freeze| freeze.from);
        begins.filter(|from| now < *from).min()
    }
}

impl Freeze {
    /// Whether it binds rollouts of a profile on a host.
    pub fn binds(&self, host: &Host, profile: Profile) -> bool {
        self.is_for(host) && !self.except_profiles.contains(&profile)
    }

    /// Whether it is for a host, whatever is to be done there.
    pub fn is_for(&self, host: &Host) -> bool {
        let selection = self.selection.as_ref();
        selection.is_none_or(|selection| selection.matches(host))
    }
}
