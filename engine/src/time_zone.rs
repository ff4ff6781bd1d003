//! Time zones, and what a local time means on the days on which clocks change.
//!
//! The rules come from the IANA database that is built into the program, so that the same inputs
//! give the same answers on every machine; a new release brings new rules.
//!
//! Where a zone's clocks go forward, the local times of the gap do not happen; where they go back,
//! an hour happens twice. So that a local time always is a moment:
//!
//! | local time | as a beginning | as an end |
//! |---|---|---|
//! | happens once | that moment | that moment |
//! | happens twice | the first of the two | the second of the two |
//! | is in a gap | the first moment after the gap | the first moment after the gap |

use crate::time::Timestamp;
use jiff::{
    civil::DateTime,
    tz::{AmbiguousOffset, Offset, TimeZoneDatabase},
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A time zone of the IANA database. Equal to another when it has the same name and rules.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeZone(jiff::tz::TimeZone);

/// Why a text names no time zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimeZoneError {
    /// The database has none of this name.
    #[error(
        "`{0}` is no time zone: a name of the IANA database is expected, as in \"Europe/Berlin\" or \"UTC\""
    )]
    Unknown(String),
}

impl TimeZone {
    /// Universal time, which never changes its clocks.
    pub const UTC: Self = Self(jiff::tz::TimeZone::UTC);

    /// The zone of an IANA name, in upper or lower case.
    ///
    /// # Errors
    /// [`TimeZoneError`] when the database that is built in has none of this name.
    pub fn parse(name: &str) -> Result<Self, TimeZoneError> {
        let found = TimeZoneDatabase::bundled().get(name).ok();
        let known = found.filter(|zone| zone.iana_name().is_some() && !zone.is_unknown());
        known
            .map(Self)
            .ok_or_else(|| TimeZoneError::Unknown(name.to_owned()))
    }

    /// Its name, as the database writes it.
    pub fn name(&self) -> &str {
        self.0
            .iana_name()
            .expect("a zone is taken from the database by its name")
    }

    /// What the zone's clocks show, to the minute, as in `2026-11-26 18:00`. Empty past the year 9999.
    pub fn show(&self, at: Timestamp) -> String {
        let local = self.local(at);
        let shown = local.map(|local| local.strftime("%Y-%m-%d %H:%M").to_string());
        shown.unwrap_or_default()
    }

    /// What the zone's clocks show. Nothing past the year 9999.
    pub(crate) fn local(&self, at: Timestamp) -> Option<DateTime> {
        instant(at).map(|at| self.0.to_datetime(at))
    }

    /// The moment that a local time is as a beginning. Nothing before 1970 and past the year 9999.
    pub(crate) fn beginning(&self, local: DateTime) -> Option<Timestamp> {
        self.moment(local, |before, _| before)
    }

    /// The moment that a local time is as an end. Nothing before 1970 and past the year 9999.
    pub(crate) fn end(&self, local: DateTime) -> Option<Timestamp> {
        self.moment(local, |_, after| after)
    }

    fn moment(
        &self,
        local: DateTime,
        of_two: impl Fn(Offset, Offset) -> Offset,
    ) -> Option<Timestamp> {
        let at = match self.0.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(local).ok()?,
            AmbiguousOffset::Fold { before, after } => {
                of_two(before, after).to_timestamp(local).ok()?
            }
            AmbiguousOffset::Gap { after, .. } => {
                // As the clocks show after the change, the local time lies before the change.
                let too_early = after.to_timestamp(local).ok()?;
                let mut changes = self.0.following(too_early);
                changes.find(|change| change.offset() == after)?.timestamp()
            }
        };
        u64::try_from(at.as_millisecond()).ok().map(Timestamp)
    }
}

impl TryFrom<String> for TimeZone {
    type Error = TimeZoneError;
    fn try_from(name: String) -> Result<Self, TimeZoneError> {
        Self::parse(&name)
    }
}

impl From<TimeZone> for String {
    fn from(zone: TimeZone) -> String {
        zone.name().to_owned()
    }
}

impl fmt::Display for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TimeZone({self})")
    }
}

/// A moment as ISO 8601 has it, in universal time, as in `2026-11-28T01:50:16.000Z`. Absent: it is past
/// the year 9999.
pub fn iso8601(at: Timestamp) -> Option<String> {
    instant(at).map(|at| format!("{at:.3}"))
}

fn instant(at: Timestamp) -> Option<jiff::Timestamp> {
    let millis = i64::try_from(at.0).ok()?;
    jiff::Timestamp::from_millisecond(millis).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_told_by_the_calendar() {
        for (at, told) in [
            (7, Some("1970-01-01T00:00:00.007Z")),
            (951_868_799_999, Some("2000-02-29T23:59:59.999Z")),
            (1_795_830_616_000, Some("2026-11-28T01:50:16.000Z")),
            (253_402_300_800_000, None),
            (u64::MAX, None),
        ] {
            assert_eq!(iso8601(Timestamp(at)).as_deref(), told);
        }
    }

    fn moments(zone: &str, local: &str) -> (String, String) {
        let zone = TimeZone::parse(zone).unwrap();
        let local: DateTime = local.parse().unwrap();
        let text = |at: Option<Timestamp>| {
            let millis = i64::try_from(at.unwrap().0).unwrap();
            jiff::Timestamp::from_millisecond(millis)
                .unwrap()
                .to_string()
        };
        (text(zone.beginning(local)), text(zone.end(local)))
    }

    /// Zone, local time, the moments that it is as a beginning and as an end.
    const CASES: &[(&str, &str, &str, &str)] = &[
        (
            "UTC",
            "2026-03-29T02:30",
            "2026-03-29T02:30:00Z",
            "2026-03-29T02:30:00Z",
        ),
        (
            "Asia/Kathmandu",
            "2026-01-01T00:00",
            "2025-12-31T18:15:00Z",
            "2025-12-31T18:15:00Z",
        ),
        // Forward from 02:00 to 03:00.
        (
            "Europe/Berlin",
            "2026-03-29T01:59",
            "2026-03-29T00:59:00Z",
            "2026-03-29T00:59:00Z",
        ),
        (
            "Europe/Berlin",
            "2026-03-29T02:00",
            "2026-03-29T01:00:00Z",
            "2026-03-29T01:00:00Z",
        ),
        (
            "Europe/Berlin",
            "2026-03-29T02:30",
            "2026-03-29T01:00:00Z",
            "2026-03-29T01:00:00Z",
        ),
        (
            "Europe/Berlin",
            "2026-03-29T03:00",
            "2026-03-29T01:00:00Z",
            "2026-03-29T01:00:00Z",
        ),
        // Back from 03:00 to 02:00.
        (
            "Europe/Berlin",
            "2026-10-25T02:30",
            "2026-10-25T00:30:00Z",
            "2026-10-25T01:30:00Z",
        ),
        (
            "America/New_York",
            "2026-03-08T02:15",
            "2026-03-08T07:00:00Z",
            "2026-03-08T07:00:00Z",
        ),
        (
            "America/New_York",
            "2026-11-01T01:15",
            "2026-11-01T05:15:00Z",
            "2026-11-01T06:15:00Z",
        ),
        // By half an hour: from 02:00 to 02:30, and back from 02:00 to 01:30.
        (
            "Australia/Lord_Howe",
            "2026-10-04T02:10",
            "2026-10-03T15:30:00Z",
            "2026-10-03T15:30:00Z",
        ),
        (
            "Australia/Lord_Howe",
            "2026-04-05T01:45",
            "2026-04-04T14:45:00Z",
            "2026-04-04T15:15:00Z",
        ),
        // A whole day that was left out, to change sides of the date line.
        (
            "Pacific/Apia",
            "2011-12-30T12:00",
            "2011-12-30T10:00:00Z",
            "2011-12-30T10:00:00Z",
        ),
    ];

    #[test]
    fn a_local_time_is_a_moment_whatever_the_clocks_do() {
        for (zone, local, beginning, end) in CASES {
            let expected = ((*beginning).to_owned(), (*end).to_owned());
            assert_eq!(moments(zone, local), expected, "{local} in {zone}");
        }
    }

    #[test]
    fn a_moment_is_shown_as_the_clocks_show_it() {
        let berlin = TimeZone::parse("Europe/Berlin").unwrap();
        assert_eq!(berlin.show(Timestamp(0)), "1970-01-01 01:00");
        assert_eq!(berlin.show(Timestamp(u64::MAX)), "");
    }

    #[test]
    fn a_zone_is_known_by_its_name() {
        assert_eq!(
            TimeZone::parse("europe/BERLIN").unwrap().name(),
            "Europe/Berlin"
        );
        assert_eq!(TimeZone::parse("UTC").unwrap(), TimeZone::UTC);
        for unknown in [
            "",
            "Europe/Berln",
            "+02:00",
            "CET-1CEST",
            "Etc/Unknown",
            "../UTC",
        ] {
            assert_eq!(
                TimeZone::parse(unknown),
                Err(TimeZoneError::Unknown(unknown.to_owned()))
            );
        }
    }
}
