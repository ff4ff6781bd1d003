//! A day of the calendar, in UTC.

use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The milliseconds of a day. UTC as computers count it has no leap seconds.
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// The last year that has four digits.
const LAST_YEAR: u64 = 9999;

/// A day from 1970-01-01 to 9999-12-31. Written as `2026-12-31`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Date {
    year: u64,
    month: u64,
    day: u64,
}

/// The text is no day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a day from 1970 on: year, month and day are expected, as in \"2026-12-31\"")]
pub struct DateError(String);

impl Date {
    /// Reads a day.
    ///
    /// # Errors
    /// [`DateError`] when the text is anything else.
    pub fn parse(text: &str) -> Result<Self, DateError> {
        let malformed = || DateError(text.to_owned());
        let bytes = text.as_bytes();
        let is_separator = |place: usize| place == 4 || place == 7;
        let mut numbers = [0_u64; 3];
        if bytes.len() != "2026-12-31".len() {
            return Err(malformed());
        }
        for (place, byte) in bytes.iter().enumerate() {
            match (is_separator(place), byte) {
                (true, b'-') => {}
                (false, b'0'..=b'9') => {
                    let number = &mut numbers[usize::from(place > 4) + usize::from(place > 7)];
                    *number = *number * 10 + u64::from(byte - b'0');
                }
                (true | false, _) => return Err(malformed()),
            }
        }
        let [year, month, day] = numbers;
        let is_day = year >= 1970 && (1..=days_of(year, month)).contains(&day);
        is_day
            .then_some(Self { year, month, day })
            .ok_or_else(malformed)
    }

    /// The day of a moment; the last one of all that lie behind it.
    pub fn of(moment: Timestamp) -> Self {
        let mut days = moment.0 / DAY_MS;
        let mut year = 1970;
        while year < LAST_YEAR && days >= days_of_year(year) {
            days -= days_of_year(year);
            year += 1;
        }
        let mut month = 1;
        while month < 12 && days >= days_of(year, month) {
            days -= days_of(year, month);
            month += 1;
        }
        let day = (days + 1).min(days_of(year, month));
        Self { year, month, day }
    }

    /// The first moment after it.
    pub fn end(self) -> Timestamp {
        let Self { year, month, day } = self;
        let years: u64 = (1970..year).map(days_of_year).sum();
        let months: u64 = (1..month).map(|month| days_of(year, month)).sum();
        Timestamp((years + months + day) * DAY_MS)
    }

    /// Its first moment.
    pub fn begin(self) -> Timestamp {
        Timestamp(self.end().0 - DAY_MS)
    }
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400)
}

fn days_of_year(year: u64) -> u64 {
    365 + u64::from(is_leap(year))
}

/// The days of a month. 0 when there is no such month.
fn days_of(year: u64, month: u64) -> u64 {
    match month {
        2 => 28 + u64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => 0,
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl TryFrom<String> for Date {
    type Error = DateError;
    fn try_from(text: String) -> Result<Self, DateError> {
        Self::parse(&text)
    }
}

impl From<Date> for String {
    fn from(date: Date) -> String {
        date.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_where_the_next_one_begins() {
        for (day, next_midnight_secs) in [
            ("1970-01-01", 86_400),
            ("2000-02-29", 951_868_800),
            ("2026-12-31", 1_798_761_600),
            ("2100-02-28", 4_107_542_400),
            ("9999-12-31", 253_402_300_800),
        ] {
            let day = Date::parse(day).unwrap();
            assert_eq!(day.end(), Timestamp(next_midnight_secs * 1000), "{day}");
            assert_eq!(Date::parse(&day.to_string()), Ok(day));
            assert_eq!(Date::of(Timestamp(day.end().0 - 1)), day);
        }
    }

    #[test]
    fn every_moment_has_a_day() {
        assert_eq!(Date::of(Timestamp(0)).to_string(), "1970-01-01");
        assert_eq!(Date::of(Timestamp(DAY_MS)).to_string(), "1970-01-02");
        assert_eq!(Date::of(Timestamp(u64::MAX)).to_string(), "9999-12-31");
    }

    #[test]
    fn what_is_no_day_is_refused() {
        for text in [
            "",
            "2026-12",
            "2026-13-01",
            "2026-00-01",
            "2026-02-29",
            "2100-02-29",
            "2026-01-00",
            "2026-04-31",
            "1969-12-31",
            "2026/12/31",
            "26-12-31",
            "2026-12-3x",
            "+026-12-31",
            "2026-12-31 ",
        ] {
            assert_eq!(Date::parse(text), Err(DateError(text.to_owned())));
        }
    }
}
