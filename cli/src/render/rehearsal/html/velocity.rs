//! How fast hosts got the patch.

use super::{
    axis::{CountAxis, SHEET, Tenths, TimeAxis},
    none, time, wide,
};
use crate::render::table::counted;
use cofferdam_engine::rehearse::report::{Point, Report};
use maud::{Markup, html};

const TOP: u64 = 10;
const BOTTOM: u64 = 150;

/// The most bars.
const MOST_BARS: u64 = 60;

/// The section of the velocity.
pub(super) fn section(report: &Report, axis: &TimeAxis) -> Markup {
    let every_ms = axis.step(MOST_BARS);
    let bars = bars(&report.points, axis.span_ms(), every_ms);
    let inside = match bars.iter().any(|hosts| *hosts > 0) {
        true => picture(&bars, every_ms, report, axis),
        false => none("No host was patched."),
    };
    let heading = format!("Velocity: hosts patched every {}", time(every_ms));
    super::section(&heading, inside)
}

/// How many hosts got the patch in each interval. What is taken back later still counts.
fn bars(points: &[Point], span_ms: u64, every_ms: u64) -> Vec<usize> {
    let last = span_ms.saturating_sub(1) / every_ms;
    let mut bars = vec![0_usize; usize::try_from(last).unwrap_or(0) + 1];
    let before = std::iter::once(0).chain(points.iter().map(|point| point.patched));
    for (point, before) in points.iter().zip(before) {
        let place = (point.at_ms.saturating_sub(1) / every_ms).min(last);
        let bar = usize::try_from(place)
            .ok()
            .and_then(|place| bars.get_mut(place));
        if let Some(bar) = bar {
            *bar = bar.saturating_add(point.patched.saturating_sub(before));
        }
    }
    bars
}

fn picture(bars: &[usize], every_ms: u64, report: &Report, axis: &TimeAxis) -> Markup {
    let most = bars.iter().copied().max().unwrap_or(0);
    let counts = CountAxis::new(most, TOP, BOTTOM);
    let every = time(every_ms);
    let described = format!(
        "Velocity: at most {} patched in {every}, over {}",
        counted(most, "host"),
        time(report.took_ms),
    );
    let starts = (0..axis.span_ms()).step_by(usize::try_from(every_ms).unwrap_or(usize::MAX));
    html! {
        svg role="img" aria-label=(described) viewBox={ "0 0 " (SHEET) " " (BOTTOM + 24) } {
            (counts.draw()) (axis.draw(TOP, BOTTOM))
            @for (start_ms, hosts) in starts.zip(bars) {
                @if *hosts > 0 { (bar(start_ms, every_ms, *hosts, axis, counts)) }
            }
            (axis.pauses(report, TOP, BOTTOM))
        }
    }
}

fn bar(start_ms: u64, every_ms: u64, hosts: usize, axis: &TimeAxis, counts: CountAxis) -> Markup {
    let end_ms = start_ms.saturating_add(every_ms);
    let (from, to, top) = (axis.x(start_ms), axis.x(end_ms), counts.y(wide(hosts)));
    let long = Tenths((to.0 - from.0).saturating_sub(10));
    let high = Tenths((BOTTOM * 10).saturating_sub(top.0));
    html! {
        rect.patched x=(from) y=(top) width=(long) height=(high) {
            title { (time(start_ms)) " to " (time(end_ms)) ": " (counted(hosts, "host")) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(at_ms: u64, patched: usize) -> Point {
        Point {
            at_ms,
            patched,
            ..Point::default()
        }
    }

    #[test]
    fn a_host_counts_in_the_interval_in_which_it_was_patched() {
        let points = [point(0, 0), point(500, 2), point(1000, 3), point(2500, 9)];
        assert_eq!(bars(&points, 3000, 1000), [3, 0, 6]);
    }

    #[test]
    fn a_host_that_loses_the_patch_again_takes_nothing_away() {
        let points = [point(500, 4), point(900, 1), point(1500, 2)];
        assert_eq!(bars(&points, 2000, 1000), [4, 1]);
    }

    #[test]
    fn what_is_counted_after_the_end_is_in_the_last_interval() {
        assert_eq!(bars(&[point(9000, 4)], 2000, 1000), [0, 4]);
    }
}
