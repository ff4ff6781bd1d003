//! Where things stand in a picture.

use super::{time, wide};
use cofferdam_engine::rehearse::report::Report;
use maud::{Markup, html};
use std::fmt;

/// How wide every picture is, in its own units: about as many pixels on a screen.
pub(super) const SHEET: u64 = 1000;

/// Where time begins in a picture, so that the same moment is in the same place in all of them.
pub(super) const LEFT: u64 = 170;

/// Where time ends in a picture.
pub(super) const RIGHT: u64 = 980;

/// The most marks of an axis of time.
const MOST_TICKS: u64 = 9;

const SECOND: u64 = 1000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

/// The lengths of time in which people count.
const STEPS: [u64; 24] = [
    SECOND,
    2 * SECOND,
    5 * SECOND,
    10 * SECOND,
    15 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    20 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    4 * HOUR,
    6 * HOUR,
    12 * HOUR,
    24 * HOUR,
    48 * HOUR,
    96 * HOUR,
    240 * HOUR,
    480 * HOUR,
];

/// A place or a length in tenths of a unit: fine enough for a printer, and the same on every machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Tenths(pub(super) u64);

impl fmt::Display for Tenths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 % 10 {
            0 => write!(f, "{}", self.0 / 10),
            tenth => write!(f, "{}.{tenth}", self.0 / 10),
        }
    }
}

impl maud::Render for Tenths {
    fn render_to(&self, to: &mut String) {
        *to += &self.to_string();
    }
}

/// The time that all pictures show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TimeAxis {
    span_ms: u64,
}

impl TimeAxis {
    /// From the start of a rehearsal until after all that is drawn of it.
    pub(super) fn of(report: &Report) -> Self {
        let slices = report.slices.iter().map(|slice| slice.ended_ms);
        let pauses = report.pauses.iter().map(|pause| pause.at_ms);
        let faults = report.faults.iter();
        let faults = faults.filter_map(|fault| fault.noticed_ms.max(fault.struck_ms));
        let last = slices.chain(pauses).chain(faults).max().unwrap_or(0);
        let span_ms = last.max(report.took_ms).max(SECOND);
        Self { span_ms }
    }

    /// From the start until a moment.
    #[cfg(test)]
    pub(super) fn new(span_ms: u64) -> Self {
        Self { span_ms }
    }

    /// How long it is, in milliseconds.
    pub(super) fn span_ms(&self) -> u64 {
        self.span_ms
    }

    /// Where a moment is.
    pub(super) fn x(&self, at_ms: u64) -> Tenths {
        let along = share(at_ms.min(self.span_ms), (RIGHT - LEFT) * 10, self.span_ms);
        Tenths(LEFT * 10 + along)
    }

    /// The shortest time in which people count, of which at most so many go into the whole.
    pub(super) fn step(&self, most: u64) -> u64 {
        let fits = |step: &u64| self.span_ms / *step <= most;
        STEPS.into_iter().find(fits).unwrap_or(self.span_ms)
    }

    /// Lines down from the top to the bottom, with their times below.
    pub(super) fn draw(&self, top: u64, bottom: u64) -> Markup {
        let step = self.step(MOST_TICKS);
        let ticks = (0..=self.span_ms / step).map(|tick| tick * step);
        html! {
            @for at_ms in ticks {
                @let x = self.x(at_ms);
                path.grid d={ "M" (x) " " (top) "V" (bottom + 4) } {}
                text.tick x=(x) y=(bottom + 17) text-anchor="middle" { (time(at_ms)) }
            }
            path.base d={ "M" (LEFT) " " (bottom) "H" (RIGHT) } {}
        }
    }

    /// A line down at each pause.
    pub(super) fn pauses(&self, report: &Report, top: u64, bottom: u64) -> Markup {
        html! {
            @for pause in report.pauses.iter().take(super::events::MOST_PAUSES) {
                path.pause d={ "M" (self.x(pause.at_ms)) " " (top) "V" (bottom) } {}
            }
        }
    }
}

/// How many hosts are how high.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CountAxis {
    /// The highest mark.
    full: u64,
    step: u64,
    top: u64,
    bottom: u64,
}

impl CountAxis {
    /// From none at the bottom to at least so many at the top.
    pub(super) fn new(most: usize, top: u64, bottom: u64) -> Self {
        let most = wide(most).max(1);
        let step = round_step(most);
        let full = most.div_ceil(step).saturating_mul(step);
        Self {
            full,
            step,
            top,
            bottom,
        }
    }

    /// How high so many are.
    pub(super) fn y(&self, count: u64) -> Tenths {
        let height = (self.bottom - self.top) * 10;
        let up = share(count.min(self.full), height, self.full);
        Tenths(self.bottom * 10 - up)
    }

    /// Lines across, with their counts to the left.
    pub(super) fn draw(&self) -> Markup {
        html! {
            @for count in (0..=self.full / self.step).map(|tick| tick * self.step) {
                @let y = self.y(count);
                path.grid d={ "M" (LEFT - 4) " " (y) "H" (RIGHT) } {}
                text.tick x=(LEFT - 8) y=(Tenths(y.0 + 40)) text-anchor="end" { (count) }
            }
        }
    }
}

/// One, two or five with as many noughts as it takes to have at most five of them in a number.
fn round_step(most: u64) -> u64 {
    let mut ten: u64 = 1;
    loop {
        let step = [1, 2, 5].map(|of| ten.saturating_mul(of));
        if let Some(step) = step.into_iter().find(|step| most.div_ceil(*step) <= 5) {
            return step;
        }
        ten = ten.saturating_mul(10);
    }
}

/// So much of a length as a part is of a whole, rounded down.
pub(super) fn share(part: u64, length: u64, whole: u64) -> u64 {
    part.saturating_mul(length) / whole.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_of_time_has_marks_where_people_count() {
        let cases = [
            (8 * SECOND, SECOND),
            (40 * MINUTE, 5 * MINUTE),
            (100 * MINUTE, 15 * MINUTE),
            (30 * 24 * HOUR, 96 * HOUR),
        ];
        for (span_ms, step) in cases {
            assert_eq!(TimeAxis::new(span_ms).step(MOST_TICKS), step);
        }
    }

    #[test]
    fn time_goes_from_the_left_to_the_right_and_no_further() {
        let axis = TimeAxis::new(3000);
        let places = [0, 1000, 3000, 9000].map(|at| axis.x(at).to_string());
        assert_eq!(places, ["170", "440", "980", "980"]);
    }

    #[test]
    fn an_axis_of_counts_ends_at_a_round_number() {
        let cases = [
            (0, 1),
            (3, 3),
            (7, 8),
            (24, 25),
            (130, 150),
            (30_001, 40_000),
        ];
        for (most, full) in cases {
            assert_eq!(CountAxis::new(most, 0, 100).full, full);
        }
    }

    #[test]
    fn numbers_past_all_measure_neither_panic_nor_hang() {
        let axis = CountAxis::new(usize::MAX, 0, 100);
        assert!(axis.y(u64::MAX) <= Tenths(1000));
        let axis = TimeAxis::new(u64::MAX);
        assert!(axis.x(u64::MAX) <= Tenths(RIGHT * 10));
    }
}
