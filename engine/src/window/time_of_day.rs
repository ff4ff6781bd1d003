//! Days of the week and times of the day, as people write them.

use jiff::civil::{Date, DateTime, Weekday};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Day {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

impl Day {
    /// Every day, in order, with its word.
    pub const ALL: [(&'static str, Self); 7] = [
        ("mon", Self::Mon),
        ("tue", Self::Tue),
        ("wed", Self::Wed),
        ("thu", Self::Thu),
        ("fri", Self::Fri),
        ("sat", Self::Sat),
        ("sun", Self::Sun),
    ];

    /// The day that a word names. Nothing when it names none.
    pub fn named(word: &str) -> Option<Self> {
        let mut days = Self::ALL.iter();
        days.find(|(name, _)| *name == word).map(|(_, day)| *day)
    }

    /// Its word.
    pub fn name(self) -> &'static str {
        let mut days = Self::ALL.iter();
        let found = days.find(|(_, day)| *day == self);
        found.map(|(name, _)| *name).expect("every day is listed")
    }

    pub(super) fn of(date: Date) -> Self {
        match date.weekday() {
            Weekday::Monday => Self::Mon,
            Weekday::Tuesday => Self::Tue,
            Weekday::Wednesday => Self::Wed,
            Weekday::Thursday => Self::Thu,
            Weekday::Friday => Self::Fri,
            Weekday::Saturday => Self::Sat,
            Weekday::Sunday => Self::Sun,
        }
    }
}

/// A time of the day to the minute, from 00:00 to 24:00.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeOfDay(u16);

/// Why a text is no time of the day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimeOfDayError {
    /// It is not two digits, a colon and two digits, or no clock shows it.
    #[error(
        "`{0}` is no time of the day: hours and minutes from \"00:00\" to \"24:00\" are expected"
    )]
    Malformed(String),
}

impl TimeOfDay {
    /// The minutes of a day.
    pub const DAY: u16 = 24 * 60;

    /// Reads `HH:MM`.
    ///
    /// # Errors
    /// [`TimeOfDayError`] when the text is anything else, or past 24:00.
    pub fn parse(text: &str) -> Result<Self, TimeOfDayError> {
        let malformed = || TimeOfDayError::Malformed(text.to_owned());
        let (hours, minutes) = text.split_once(':').ok_or_else(malformed)?;
        let number = |part: &str| {
            let is_two_digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
            let number: Option<u16> = part.parse().ok();
            number.filter(|_| is_two_digits).ok_or_else(malformed)
        };
        let (hours, minutes) = (number(hours)?, number(minutes)?);
        let all = hours * 60 + minutes;
        if minutes >= 60 || all > Self::DAY {
            return Err(malformed());
        }
        Ok(Self(all))
    }

    /// Minutes after midnight, at most [`TimeOfDay::DAY`].
    pub fn minutes(self) -> u16 {
        self.0
    }

    /// It on a date. 24:00 is midnight of the next. Nothing past the last date that there is.
    pub(super) fn on(self, date: Date) -> Option<DateTime> {
        if self.0 == Self::DAY {
            return date.tomorrow().ok().map(|next| next.at(0, 0, 0, 0));
        }
        let part = |number: u16| i8::try_from(number).ok();
        Some(date.at(part(self.0 / 60)?, part(self.0 % 60)?, 0, 0))
    }
}

impl TryFrom<String> for TimeOfDay {
    type Error = TimeOfDayError;
    fn try_from(text: String) -> Result<Self, TimeOfDayError> {
        Self::parse(&text)
    }
}

impl From<TimeOfDay> for String {
    fn from(time: TimeOfDay) -> String {
        time.to_string()
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_the_day_is_hours_and_minutes() {
        for text in ["00:00", "09:05", "22:00", "23:59", "24:00"] {
            assert_eq!(TimeOfDay::parse(text).unwrap().to_string(), text);
        }
        for bad in [
            "", "22", "9:00", "24:01", "23:60", "+1:00", "22:0", "22:000", "١٢:00",
        ] {
            assert_eq!(
                TimeOfDay::parse(bad),
                Err(TimeOfDayError::Malformed(bad.to_owned()))
            );
        }
    }

    #[test]
    fn a_day_has_its_word() {
        for (word, day) in Day::ALL {
            assert_eq!((Day::named(word), day.name()), (Some(day), word));
        }
        assert_eq!(Day::named("Monday"), None);
    }
}
