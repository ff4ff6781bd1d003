//! Windows: the times of the week in which hosts may be started.
//!
//! A window opens on each of its days at its `start`, by the clocks of its time zone, and closes at
//! the next `end`: on the same day, or on the next one when `end` is not after `start`. Nothing is
//! started, and no host is drained, in the last `last_start` of it.
//!
//! On days on which clocks change (see [`time_zone`](crate::time_zone)):
//!
//! - a start that does not happen is the first moment after the gap, and so is such an end,
//! - a start that happens twice is the first, an end that happens twice the second,
//! - a window that lies within the gap does not open that day.
//!
//! So a window of a night may be an hour shorter or longer than its times say, and is never lost to
//! a change of clocks unless its local time does not happen at all.

#[cfg(test)]
mod tests;
mod time_of_day;

pub use time_of_day::{Day, TimeOfDay, TimeOfDayError};

use crate::{
    time::{Timestamp, millis},
    time_zone::TimeZone,
};
use jiff::{ToSpan, civil::Date};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, time::Duration};

/// How many days back a stretch that is still open may have begun: a night, and a day that the
/// clocks left out.
const DAYS_BACK: i64 = 2;

/// How many days back its last closing is looked for: a week, and the night before.
const WEEK_BACK: i64 = 8;

/// How many days ahead the next opening is looked for: two weeks in which the clocks swallow it,
/// and one in which they do not.
const DAYS_AHEAD: i64 = 21;

/// Stretches that follow each other without a gap after which there never is one: those of all days
/// of the week.
const DAYS_OF_WEEK: usize = 7;

/// The times of the week in which hosts may be started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// The days on which it opens. Not empty.
    pub days: BTreeSet<Day>,
    /// When it opens. Before 24:00.
    pub start: TimeOfDay,
    /// When it closes. Not after `start`: on the next day.
    pub end: TimeOfDay,
    /// By whose clocks.
    pub time_zone: TimeZone,
    /// No start later than this before its end.
    pub last_start: Duration,
}

/// Whether a window lets hosts start at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowState {
    /// It does.
    Open {
        /// Since when, at least.
        since: Timestamp,
        /// The first moment at which it does not. Absent: it always does.
        until: Option<Timestamp>,
    },
    /// It does not.
    Closed {
        /// The next moment at which it does. Absent: none is in sight.
        opens: Option<Timestamp>,
    },
}

impl Window {
    /// Whether hosts may start at a moment, and when that changes.
    pub fn at(&self, now: Timestamp) -> WindowState {
        let Some(today) = self.time_zone.local(now).map(|local| local.date()) else {
            return WindowState::Closed { opens: None };
        };
        let mut open: Option<Stretch> = None;
        let mut days_open = 0;
        for days in -DAYS_BACK..=DAYS_AHEAD {
            let Some(next) = self.stretch(today, days) else {
                continue;
            };
            match &mut open {
                None if next.closes <= now => {}
                None if now < next.opens => {
                    let opens = Some(next.opens);
                    return WindowState::Closed { opens };
                }
                None => open = Some(next),
                Some(open) if next.opens <= open.closes => {
                    open.closes = open.closes.max(next.closes);
                    days_open += 1;
                }
                Some(_) => break,
            }
        }
        match open {
            None => WindowState::Closed { opens: None },
            Some(Stretch { opens, closes }) => WindowState::Open {
                since: opens,
                until: (days_open <= DAYS_OF_WEEK).then_some(closes),
            },
        }
    }

    /// Whether hosts may start at a moment.
    pub fn is_open(&self, now: Timestamp) -> bool {
        matches!(self.at(now), WindowState::Open { .. })
    }

    /// When it last closed, not after a moment. Nothing: not within a week.
    pub fn last_close(&self, now: Timestamp) -> Option<Timestamp> {
        let today = self.time_zone.local(now)?.date();
        let days = -WEEK_BACK..=0;
        let closes = days.filter_map(|days| Some(self.stretch(today, days)?.closes));
        closes.filter(|closes| *closes <= now).max()
    }

    /// Whether it lets no host start on any day on which clocks do not change: `last_start` takes
    /// all of it.
    pub fn never_opens(&self) -> bool {
        self.days.is_empty() || self.last_start >= self.length()
    }

    /// How long it is on a day on which clocks do not change.
    pub fn length(&self) -> Duration {
        let (start, end) = (self.start.minutes(), self.end.minutes());
        let end = if end > start {
            end
        } else {
            end + TimeOfDay::DAY
        };
        Duration::from_secs(60 * u64::from(end - start))
    }

    /// The time in which hosts may start that begins so many days after a date. Nothing when it
    /// does not open that day.
    fn stretch(&self, today: Date, days: i64) -> Option<Stretch> {
        let date = today.checked_add(days.days()).ok()?;
        if !self.days.contains(&Day::of(date)) {
            return None;
        }
        let end_date = match self.end > self.start {
            true => date,
            false => date.tomorrow().ok()?,
        };
        let opens = self.time_zone.beginning(self.start.on(date)?)?;
        let ends = self.time_zone.end(self.end.on(end_date)?)?;
        let closes = Timestamp(ends.0.saturating_sub(millis(self.last_start)));
        (opens < closes).then_some(Stretch { opens, closes })
    }
}

/// A time in which hosts may start: from a moment to the first one at which they may not.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    opens: Timestamp,
    closes: Timestamp,
}
