//! How near the capacity groups came to their floors.

use super::{
    axis::{SHEET, Tenths, share},
    lane::cut,
    legend, none, time, wide,
};
use crate::render::table::counted;
use cofferdam_engine::rehearse::report::{GroupPeak, Report};
use maud::{Markup, html};

/// The most groups that are drawn: the fullest.
const MOST_GROUPS: usize = 30;

/// The most letters of a group's name.
const MOST_LETTERS: u64 = 44;

/// Where bars begin, how long one is that takes the whole allowance, and where they end at the latest.
const LEFT: u64 = 290;
const WHOLE: u64 = 360;
const RIGHT: u64 = 830;

const TOP: u64 = 20;
const PITCH: u64 = 18;

/// The section of the capacity groups.
pub(super) fn section(report: &Report) -> Markup {
    let shown = report.groups.get(..MOST_GROUPS).unwrap_or(&report.groups);
    let more = report.groups.len() - shown.len();
    let inside = match shown.is_empty() {
        true => none("No host is of a capacity group."),
        false => html! {
            (legend(&[
                ("within", "most out at once, within the allowance".to_owned()),
                ("over", "more than that".to_owned()),
                ("allowance", "the allowance".to_owned()),
            ]))
            (picture(shown))
            @if more > 0 { (none(&format!("And {} less full.", counted(more, "group")))) }
        },
    };
    super::section("Capacity against the floor", inside)
}

fn picture(groups: &[GroupPeak]) -> Markup {
    let bottom = TOP + wide(groups.len()) * PITCH;
    let rows = (TOP..bottom).step_by(usize::try_from(PITCH).unwrap_or(1));
    let quarters = [0, 1, 2, 3, 4];
    html! {
        svg role="img" aria-label=(described(groups)) viewBox={ "0 0 " (SHEET) " " (bottom + 6) } {
            @for quarter in quarters {
                @let x = LEFT + WHOLE * quarter / 4;
                text.tick x=(x) y="11" text-anchor="middle" { (quarter * 25) " %" }
                path.grid d={ "M" (x) " " (TOP - 4) "V" (bottom) } {}
            }
            text.tick x=(SHEET - 10) y="11" text-anchor="end" { "out / may be" }
            text.tick x=(SHEET - 90) y="11" text-anchor="end" { "hosts" }
            @for (group, top) in groups.iter().zip(rows) { (row(group, top)) }
            path.allowance d={ "M" (LEFT + WHOLE) " " (TOP - 4) "V" (bottom) } {}
        }
    }
}

fn row(group: &GroupPeak, top: u64) -> Markup {
    let is_over = group.most_out > group.allowance;
    let says = format!(
        "{}: {} of {} out at {}, {} may be",
        group.group,
        group.most_out,
        group.members,
        time(group.at_ms),
        group.allowance,
    );
    let base = top + 12;
    html! {
        text.label x=(LEFT - 10) y=(base) text-anchor="end" {
            title { (group.group) }
            (cut(&group.group, MOST_LETTERS))
        }
        rect.track x=(LEFT) y=(top + 3) width=(WHOLE) height="11" {}
        rect class=(if is_over { "over" } else { "within" }) x=(LEFT) y=(top + 3)
            width=(Tenths(length(group))) height="11" { title { (says) } }
        text class=(if is_over { "number over" } else { "number" }) x=(SHEET - 10) y=(base)
            text-anchor="end" { (group.most_out) " / " (group.allowance) }
        text.tick x=(SHEET - 90) y=(base) text-anchor="end" { (group.members) }
    }
}

/// How long the bar of a group is, in tenths. A group of which none may be out, and was, is as long as
/// can be.
fn length(group: &GroupPeak) -> u64 {
    let (out, may) = (wide(group.most_out), wide(group.allowance));
    let most = (RIGHT - LEFT) * 10;
    match may {
        0 => out.min(1) * most,
        may => share(out, WHOLE * 10, may).min(most),
    }
}

fn described(groups: &[GroupPeak]) -> String {
    let over = groups
        .iter()
        .filter(|group| group.most_out > group.allowance);
    format!(
        "Capacity against the floor: the {} fullest, of which {} had more out than they may",
        counted(groups.len(), "group"),
        over.count(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_ends_at_the_allowance_when_it_is_used_up_and_past_it_when_it_is_broken() {
        let cases = [
            (0, 4, 0),
            (2, 4, WHOLE * 5),
            (4, 4, WHOLE * 10),
            (5, 4, WHOLE * 25 / 2),
            (90, 4, (RIGHT - LEFT) * 10),
            (0, 0, 0),
            (1, 0, (RIGHT - LEFT) * 10),
        ];
        for (most_out, allowance, tenths) in cases {
            let group = GroupPeak {
                group: "r1/a web".to_owned(),
                min_in_service: "90%".to_owned(),
                members: 100,
                allowance,
                came: 0,
                most_out,
                at_ms: 0,
                course: Vec::new(),
            };
            assert_eq!(length(&group), tenths, "{most_out} of {allowance}");
        }
    }
}
