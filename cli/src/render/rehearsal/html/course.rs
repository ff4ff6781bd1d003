//! How many of the fullest capacity groups served over time, against their floors.

use super::{
    axis::{LEFT, RIGHT, SHEET, Tenths, TimeAxis, share},
    lane::cut,
    legend, none, time, wide,
};
use cofferdam_engine::rehearse::report::{GroupPeak, Report};
use maud::{Markup, html};
use std::fmt::Write as _;

/// From group to group, and how high one is drawn.
const PITCH: u64 = 46;
const HEIGHT: u64 = 30;

/// Where the first group begins.
const TOP: u64 = 8;

/// The most letters of a group's name in a line, of which it has two.
const MOST_LETTERS: usize = 25;

/// The section of the groups over time.
pub(super) fn section(report: &Report, axis: &TimeAxis) -> Markup {
    let drawn = report
        .groups
        .iter()
        .filter(|group| !group.course.is_empty());
    let drawn: Vec<&GroupPeak> = drawn.collect();
    let inside = match drawn.is_empty() {
        true => none("No capacity group had a host out."),
        false => html! {
            (legend(&[
                ("running", "in service".to_owned()),
                ("floor", "the floor: so many stay by what rollouts take out".to_owned()),
            ]))
            (picture(&drawn, axis))
        },
    };
    super::section("The fullest groups over time", inside)
}

fn picture(groups: &[&GroupPeak], axis: &TimeAxis) -> Markup {
    let bottom = TOP + wide(groups.len()) * PITCH;
    let rows = (TOP..bottom).step_by(usize::try_from(PITCH).unwrap_or(1));
    html! {
        svg role="img" aria-label=(described(groups)) viewBox={ "0 0 " (SHEET) " " (bottom + 24) } {
            (axis.draw(TOP, bottom))
            @for (group, top) in groups.iter().zip(rows) { (band(group, top, axis)) }
        }
    }
}

fn band(group: &GroupPeak, top: u64, axis: &TimeAxis) -> Markup {
    let scale = Scale::of(group);
    let floor = Tenths((top * 10) + scale.down(scale.floor));
    let most = group.course.iter().map(|point| point.out).max();
    let least = group.members.saturating_sub(most.unwrap_or(0));
    let says = format!(
        "{}: at least {least} of {} in service, {} by its floor; most taken out at {}",
        group.group,
        group.members,
        scale.floor,
        time(group.at_ms)
    );
    let (first, second) = in_two(&group.group);
    html! {
        text.label.small x=(LEFT - 10) y=(top + 10) text-anchor="end" {
            title { (group.group) }
            (cut(first, wide(MOST_LETTERS)))
        }
        text.label.small x=(LEFT - 10) y=(top + 20) text-anchor="end" {
            (cut(second, wide(MOST_LETTERS)))
        }
        text.tick.small x=(LEFT - 10) y=(top + 30) text-anchor="end" {
            "least " (least) " of " (group.members) ", floor " (scale.floor)
        }
        path.running d=(outline(group, top, scale, axis)) { title { (says) } }
        path.floor d={ "M" (LEFT) " " (floor) "H" (RIGHT) } {}
    }
}

/// A group's name, broken at a gap where it is too long for a line.
fn in_two(name: &str) -> (&str, &str) {
    if name.chars().count() <= MOST_LETTERS {
        return (name, "");
    }
    name.rsplit_once(' ').unwrap_or((name, ""))
}

/// How high so many of a group are.
#[derive(Clone, Copy)]
struct Scale {
    members: usize,
    /// How many stay.
    floor: usize,
    /// What is at the bottom: none, or as many below the floor as above it, or fewer.
    bottom: usize,
}

impl Scale {
    fn of(group: &GroupPeak) -> Self {
        let members = group.members + group.came;
        let floor = group.members.saturating_sub(group.allowance);
        let most = group.course.iter().map(|point| point.out).max();
        let least = group.members.saturating_sub(most.unwrap_or(0));
        let bottom = floor.saturating_sub(group.allowance.max(1)).min(least);
        Self {
            members,
            floor,
            bottom,
        }
    }

    /// How far below the top so many in service are, in tenths.
    fn down(self, serve: usize) -> u64 {
        let below = self.members.saturating_sub(serve.max(self.bottom));
        share(wide(below), HEIGHT * 10, wide(self.members - self.bottom))
    }
}

fn outline(group: &GroupPeak, top: u64, scale: Scale, axis: &TimeAxis) -> String {
    let y = |out: usize| Tenths(top * 10 + scale.down(group.members.saturating_sub(out)));
    let mut path = String::new();
    let mut draw = |command: char, to: Tenths| {
        write!(path, "{command}{to}").expect("writing to a text cannot fail");
    };
    draw('M', Tenths(LEFT * 10));
    draw(' ', Tenths((top + HEIGHT) * 10));
    draw('V', y(0));
    for point in &group.course {
        draw('H', axis.x(point.at_ms));
        draw('V', y(point.out));
    }
    draw('H', Tenths(RIGHT * 10));
    draw('V', Tenths((top + HEIGHT) * 10));
    path.push('Z');
    path
}

fn described(groups: &[&GroupPeak]) -> String {
    let below = groups.iter().filter(|group| {
        let most = group.course.iter().map(|point| point.out).max();
        most.unwrap_or(0) > group.allowance
    });
    format!(
        "In service over time: the {} fullest groups, of which {} were below their floors at some time",
        groups.len(),
        below.count()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use cofferdam_engine::rehearse::report::GroupPoint;

    #[test]
    fn a_group_that_loses_two_hosts_and_gets_them_back_goes_down_to_its_floor_and_up_again() {
        let point = |at_ms, out| GroupPoint { at_ms, out };
        let group = GroupPeak {
            group: "service=web zone=a".to_owned(),
            min_in_service: "90%".to_owned(),
            members: 20,
            allowance: 2,
            came: 0,
            most_out: 2,
            at_ms: 1000,
            course: vec![point(1000, 2), point(3000, 0)],
        };
        let scale = Scale::of(&group);
        assert_eq!((scale.floor, scale.bottom), (18, 16));
        let path = outline(&group, 0, scale, &TimeAxis::new(4000));
        assert_eq!(path, "M170 30V0H372.5V15H777.5V0H980V30Z");
    }
}
