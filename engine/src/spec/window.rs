//! The `[[window]]` tables of a rollout file.

use super::{Refusal, few_tables, settings_keys};
use crate::{
    document::Table,
    inventory::Host,
    policy::LAST_START,
    select::Selection,
    time_zone::TimeZone,
    window::{Day, TimeOfDay, Window},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A window of a rollout, and the hosts that it binds. A host that windows bind is started in one of
/// them; a host that none binds is started at any time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowRule {
    /// Which hosts. Absent: all.
    pub selection: Option<Selection>,
    /// When they may be started.
    pub window: Window,
}

impl WindowRule {
    /// Whether it binds a host.
    pub fn matches(&self, host: &Host) -> bool {
        let selection = self.selection.as_ref();
        selection.is_none_or(|selection| selection.matches(host))
    }

    /// All windows of a file. Nothing when one is wrong.
    pub(super) fn read_all(top: &mut Table<'_, Refusal>) -> Option<Vec<Self>> {
        let tables = few_tables(top, "window").unwrap_or_default();
        let read: Vec<_> = tables.into_iter().map(Self::read).collect();
        read.into_iter().collect()
    }

    fn read(mut table: Table<'_, Refusal>) -> Option<Self> {
        table.require("start", "start = \"22:00\"");
        table.require("end", "end = \"04:00\"");
        let is_for_all = !table.has("match");
        let selection = table.selection("match");
        let days = days(&mut table);
        let start = table.text("start", TimeOfDay::parse);
        let end = table.text("end", TimeOfDay::parse);
        let has_zone = table.has("time_zone");
        let time_zone = table.text("time_zone", TimeZone::parse);
        let last_start = table.duration("last_start").unwrap_or(LAST_START);
        if start.is_some_and(|start| start.minutes() == TimeOfDay::DAY) {
            table.refuse("start", Refusal::StartsAtDaysEnd);
        }
        table.finish(&[], &settings_keys());
        if !is_for_all && selection.is_none() {
            return None;
        }
        let window = Window {
            days: days?,
            start: start?,
            end: end?,
            time_zone: time_zone.or((!has_zone).then_some(TimeZone::UTC))?,
            last_start,
        };
        Some(Self { selection, window })
    }
}

/// The days that a window names; all, when it names none.
fn days(table: &mut Table<'_, Refusal>) -> Option<BTreeSet<Day>> {
    if !table.has("days") {
        return Some(Day::ALL.iter().map(|(_, day)| *day).collect());
    }
    let words = table.texts("days")?;
    if words.is_empty() {
        table.refuse("days", Refusal::NoDays);
    }
    let mut days = BTreeSet::new();
    for word in &words {
        let Some(day) = Day::named(word) else {
            table.refuse("days", Refusal::Day(word.clone()));
            return None;
        };
        days.insert(day);
    }
    Some(days)
}
