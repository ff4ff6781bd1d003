//! Reads a calendar's file.

use super::{Calendar, Freeze};
use crate::{
    document::{Mistakes, Table},
    policy::Profile,
    select::SelectError,
    time::Timestamp,
    time_zone::{TimeZone, TimeZoneError},
};
use jiff::civil::{Date, DateTime};

/// Every mistake of a calendar.
pub type CalendarErrors = Mistakes<CalendarRefusal>;

/// What a calendar says that none can say.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalendarRefusal {
    /// It is not a selection.
    #[error(transparent)]
    Selection(#[from] SelectError),
    /// It is not a time zone.
    #[error(transparent)]
    TimeZone(#[from] TimeZoneError),
    /// It is neither a date nor a date with a time.
    #[error("`{0}` is no local time: \"2026-11-26\" or \"2026-11-26T18:00\" is expected")]
    LocalTime(String),
    /// A freeze without a name.
    #[error("a freeze has a name")]
    NoName,
    /// Two freezes of one name.
    #[error("another freeze is named `{0}` already; give each its own name")]
    NameTaken(String),
    /// A freeze that is over before it begins.
    #[error("ends before it begins, by the clocks of its time zone")]
    EndsFirst,
}

/// A time of a calendar that may be a date alone.
#[derive(Debug, Clone, Copy)]
enum LocalTime {
    Date(Date),
    Time(DateTime),
}

/// Reads the top of a calendar's file. Nothing when a mistake was noted that prevents it.
pub(super) fn calendar(mut top: Table<'_, CalendarRefusal>) -> Option<Calendar> {
    let tables = top.tables("freeze", "[[freeze]]").unwrap_or_default();
    top.finish(&[], &[]);
    let mut freezes: Vec<Freeze> = Vec::new();
    let mut is_whole = true;
    for table in tables {
        match freeze(table, &freezes) {
            Some(freeze) => freezes.push(freeze),
            None => is_whole = false,
        }
    }
    is_whole.then_some(Calendar { freezes })
}

fn freeze(mut table: Table<'_, CalendarRefusal>, before: &[Freeze]) -> Option<Freeze> {
    table.require("name", "name = \"black friday\"");
    table.require("from", "from = \"2026-11-26T18:00\"");
    table.require("until", "until = \"2026-11-30\"");
    let name = table.text("name", |text| match text.trim() {
        "" => Err(CalendarRefusal::NoName),
        name if before.iter().any(|freeze| freeze.name == name) => {
            Err(CalendarRefusal::NameTaken(name.to_owned()))
        }
        name => Ok(name.to_owned()),
    });
    let from = table.text("from", local_time);
    let until = table.text("until", local_time);
    let has_zone = table.has("time_zone");
    let zone = table.text("time_zone", TimeZone::parse);
    let is_for_all = !table.has("match");
    let selection = table.selection("match");
    let except_profiles = table.choices("except_profiles", &Profile::WORDS);
    let free = |text: &str| Ok::<_, CalendarRefusal>(text.to_owned());
    let reason = table.text("reason", free).unwrap_or_default();
    let owner = table.text("owner", free).unwrap_or_default();
    let zone = zone.or((!has_zone).then_some(TimeZone::UTC));
    let times = (|| {
        let zone = zone.as_ref()?;
        Some((first_moment(from?, zone)?, end_moment(until?, zone)?))
    })();
    if times.is_some_and(|(from, until)| until <= from) {
        table.refuse("until", CalendarRefusal::EndsFirst);
    }
    table.finish(&[], &[]);
    if !is_for_all && selection.is_none() {
        return None;
    }
    let (from, until) = times?;
    Some(Freeze {
        name: name?,
        from,
        until,
        time_zone: zone?,
        selection,
        except_profiles: except_profiles.unwrap_or_default(),
        reason,
        owner,
    })
}

fn local_time(text: &str) -> Result<LocalTime, CalendarRefusal> {
    let malformed = || CalendarRefusal::LocalTime(text.to_owned());
    let time = match text.len() {
        10 => text.parse().ok().map(LocalTime::Date),
        16 => text.parse().ok().map(LocalTime::Time),
        _ => None,
    };
    // Zones know no change of clocks from before 1970 that would matter, and no time after 9998.
    let year = |time: &LocalTime| match time {
        LocalTime::Date(date) => date.year(),
        LocalTime::Time(time) => time.year(),
    };
    time.filter(|time| (1971..9999).contains(&year(time)))
        .ok_or_else(malformed)
}

fn first_moment(from: LocalTime, zone: &TimeZone) -> Option<Timestamp> {
    match from {
        LocalTime::Date(date) => zone.beginning(date.at(0, 0, 0, 0)),
        LocalTime::Time(time) => zone.beginning(time),
    }
}

/// The first moment after a freeze: a date alone is frozen to its end.
fn end_moment(until: LocalTime, zone: &TimeZone) -> Option<Timestamp> {
    match until {
        LocalTime::Date(date) => zone.end(date.tomorrow().ok()?.at(0, 0, 0, 0)),
        LocalTime::Time(time) => zone.end(time),
    }
}
