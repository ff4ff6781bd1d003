//! How many hosts stood how, over time.

use super::{
    axis::{CountAxis, LEFT, RIGHT, SHEET, Tenths, TimeAxis},
    legend, none, time, wide,
};
use cofferdam_engine::rehearse::report::{Point, Report};
use maud::{Markup, html};
use std::fmt::Write as _;

const TOP: u64 = 10;
const BOTTOM: u64 = 230;

/// How hosts can stand, from the bottom to the top.
const LAYERS: [Layer; 5] = [
    Layer {
        class: "patched",
        count: |point, _| point.patched,
    },
    Layer {
        class: "running",
        count: |point, _| point.running,
    },
    Layer {
        class: "failed",
        count: |point, _| point.failed,
    },
    Layer {
        class: "lost",
        count: |point, _| point.lost,
    },
    Layer {
        class: "waiting",
        count: |point, planned| {
            let others = [point.patched, point.running, point.failed, point.lost];
            planned.saturating_sub(others.into_iter().fold(0, usize::saturating_add))
        },
    },
];

/// One of the ways in which a host can stand.
struct Layer {
    /// Its name, and its class in `page.css`.
    class: &'static str,
    count: fn(&Point, usize) -> usize,
}

/// The section of the hosts.
pub(super) fn section(report: &Report, axis: &TimeAxis) -> Markup {
    let inside = match report.points.last() {
        None => none("Nobody counted the hosts."),
        Some(last) => html! { (key(report, last)) (picture(report, axis)) },
    };
    super::section("Hosts over time", inside)
}

fn key(report: &Report, last: &Point) -> Markup {
    let layers = LAYERS.iter().map(|layer| {
        let words = format!(
            "{} ({} at the end)",
            layer.class,
            (layer.count)(last, report.planned)
        );
        (layer.class, words)
    });
    let planned = ("planned", format!("planned ({})", report.planned));
    legend(&layers.chain([planned]).collect::<Vec<_>>())
}

fn picture(report: &Report, axis: &TimeAxis) -> Markup {
    let most = report
        .points
        .iter()
        .map(|point| up_to(point, LAYERS.len(), report.planned));
    let most = most.max().unwrap_or(0).max(report.planned);
    let counts = CountAxis::new(most, TOP, BOTTOM);
    html! {
        svg role="img" aria-label=(described(report)) viewBox={ "0 0 " (SHEET) " " (BOTTOM + 24) } {
            (counts.draw()) (axis.draw(TOP, BOTTOM))
            @for (place, layer) in LAYERS.iter().enumerate() {
                path class=(layer.class) d=(area(report, place, axis, counts)) {
                    title { (layer.class) }
                }
            }
            path.planned d={ "M" (LEFT) " " (counts.y(wide(report.planned))) "H" (RIGHT) } {}
            (axis.pauses(report, TOP, BOTTOM))
        }
    }
}

/// How many hosts are in the layers below one.
fn up_to(point: &Point, place: usize, planned: usize) -> usize {
    let below = LAYERS
        .iter()
        .take(place)
        .map(|layer| (layer.count)(point, planned));
    below.fold(0, usize::saturating_add)
}

/// The outline of a layer: along its top to the end of time, and back along its bottom. A count stands
/// until the next one, so all lines go across or up and down.
fn area(report: &Report, place: usize, axis: &TimeAxis, counts: CountAxis) -> String {
    let (points, planned) = (&report.points, report.planned);
    let height = |point: &Point, place| counts.y(wide(up_to(point, place, planned)));
    let along = points
        .iter()
        .map(|point| (axis.x(point.at_ms), height(point, place + 1)));
    let upper = corners(along);
    let along = points
        .iter()
        .map(|point| (axis.x(point.at_ms), height(point, place)));
    let lower = corners(along);
    let mut path = String::new();
    let Some((start, first)) = upper.first() else {
        return path;
    };
    let mut draw = |command: char, to: Tenths| {
        write!(path, "{command}{to}").expect("writing to a text cannot fail");
    };
    draw('M', *start);
    draw(' ', *first);
    for (x, y) in upper.iter().skip(1) {
        draw('H', *x);
        draw('V', *y);
    }
    draw('H', Tenths(RIGHT * 10));
    for (x, y) in lower.iter().rev() {
        draw('V', *y);
        draw('H', *x);
    }
    path.push('Z');
    path
}

/// Those places of a line at which its height changes.
fn corners(along: impl Iterator<Item = (Tenths, Tenths)>) -> Vec<(Tenths, Tenths)> {
    let mut corners: Vec<(Tenths, Tenths)> = along.collect();
    corners.dedup_by_key(|(_, y)| *y);
    corners
}

fn described(report: &Report) -> String {
    let last = report.points.last().copied().unwrap_or_default();
    let counts =
        LAYERS.map(|layer| format!("{} {}", (layer.count)(&last, report.planned), layer.class));
    format!(
        "Hosts over time: of {} planned hosts {} after {}",
        report.planned,
        counts.join(", "),
        time(last.at_ms),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_area_goes_in_steps_and_only_where_something_changes() {
        let point = |at_ms, patched| Point {
            at_ms,
            patched,
            ..Point::default()
        };
        let mut report = super::super::tests::calm();
        report.points = vec![point(0, 0), point(1000, 2), point(2000, 2), point(3000, 4)];
        let axis = TimeAxis::new(4000);
        let counts = CountAxis::new(4, 0, 40);
        let path = area(&report, 0, &axis, counts);
        assert_eq!(path, "M170 40H372.5V20H777.5V0H980V40H170Z");
    }
}
