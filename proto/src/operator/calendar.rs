//! The freeze calendar.

use cofferdam_engine::{id::OperatorId, time::Timestamp};
use serde::Serialize;

/// Declare a freeze calendar in place of the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarRequest {
    /// The name of its file, for messages.
    pub file_name: String,
    /// Its file. May be empty: no freeze.
    pub calendar_text: String,
}

/// The freeze calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CalendarView {
    /// Who declared it. Absent: nobody has declared one.
    pub declared_by: Option<OperatorId>,
    /// When. Absent: never.
    pub declared_at_ms: Option<Timestamp>,
    /// Its freezes, in the order of its file.
    pub freezes: Vec<FreezeView>,
}

/// A time in which nothing is started on some hosts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FreezeView {
    /// Its name.
    pub name: String,
    /// Whether it is on now.
    pub is_on: bool,
    /// Its first moment.
    pub from_ms: Timestamp,
    /// The first moment after it.
    pub until_ms: Timestamp,
    /// Its first moment by the clocks of its time zone.
    pub from: String,
    /// The first moment after it by the clocks of its time zone.
    pub until: String,
    /// Its time zone.
    pub time_zone: String,
    /// Which hosts. Absent: all.
    #[serde(rename = "match")]
    pub selection: Option<String>,
    /// The profiles whose rollouts it does not bind, as in `emergency`.
    pub except_profiles: Vec<String>,
    /// How many hosts it is for now.
    pub hosts: u64,
    /// Why. May be empty.
    pub reason: String,
    /// Who asks for it. May be empty.
    pub owner: String,
}
