//! Promise 8: a coordinator starts and drains in windows only, cut off or not.
//!
//! Read off the clocks of the window's zone minute by minute: on each of its days a window goes from
//! the first minute at which they show its start or more, to the last at which they show less than
//! its end.

use super::{Broken, Disturbance, Step};
use crate::{
    time::Timestamp,
    window::{Day, Window},
};
use jiff::civil::{Date, DateTime};

const MINUTE: u64 = 60_000;

/// The minutes that are looked at: before a moment, for a night that began the day before yesterday
/// on a day that the clocks left out; after it, for an end of tomorrow.
const BEFORE: u64 = 3 * 24 * 60;
const AFTER: u64 = 2 * 24 * 60;

/// A patch's start, and its yes before drain, lie in one of the host's windows.
pub(super) fn by(of: &Disturbance<'_>, now: Timestamp, all: &mut Vec<Broken>) {
    if of.step == Step::Again || !of.is_forward() {
        return;
    }
    let windows = of.work.assignment.windows.iter();
    let bound: Vec<_> = windows.filter(|bound| bound.binds(of.host())).collect();
    let is_open = bound.iter().any(|bound| is_open(&bound.window, now));
    if !bound.is_empty() && !is_open {
        all.push(of.broken(8, &format!("it is {now}, and none of its windows is open")));
    }
}

fn is_open(window: &Window, now: Timestamp) -> bool {
    let first = (now.0 / MINUTE).saturating_sub(BEFORE);
    let clock: Vec<(u64, DateTime)> = (first..first + BEFORE + AFTER)
        .filter_map(|minute| Some((minute, window.time_zone.local(Timestamp(minute * MINUTE))?)))
        .collect();
    let mut dates: Vec<Date> = clock.iter().map(|(_, shown)| shown.date()).collect();
    // A day that the clocks left out is between two that they show.
    dates.extend(dates.clone().iter().filter_map(|date| date.tomorrow().ok()));
    dates.sort_unstable();
    dates.dedup();
    let opens_on = |date: &&Date| window.days.contains(&day(**date));
    dates.iter().filter(opens_on).any(|date| {
        let (start, end) = times(window, *date);
        let starts = clock.iter().find(|(_, shown)| *shown >= start);
        let last = clock.iter().rfind(|(_, shown)| *shown < end);
        let (Some((starts, _)), Some((last, _))) = (starts, last) else {
            return false;
        };
        let ends = (last + 1) * MINUTE;
        let last_start = u64::try_from(window.last_start.as_millis()).unwrap_or(u64::MAX);
        starts * MINUTE <= now.0 && now.0 < ends.saturating_sub(last_start)
    })
}

/// What the clocks show at the start and at the end of a window of a date.
fn times(window: &Window, date: Date) -> (DateTime, DateTime) {
    let midnight = date.at(0, 0, 0, 0);
    let after = |minutes: u16| {
        let minutes = jiff::Span::new().minutes(i64::from(minutes));
        midnight.saturating_add(minutes)
    };
    let (start, end) = (window.start.minutes(), window.end.minutes());
    let days = if end <= start { 24 * 60 } else { 0 };
    (after(start), after(end + days))
}

fn day(date: Date) -> Day {
    let place = date.weekday().to_monday_zero_offset();
    let place = usize::try_from(place).expect("from 0 to 6");
    Day::ALL[place].1
}
