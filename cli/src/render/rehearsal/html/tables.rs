//! What there is to read.

use super::{super::words, names, none, section, time};
use cofferdam_engine::rehearse::report::Report;
use maud::{Markup, html};

/// The most rows of a table, so that a file can still be sent around.
const MOST_ROWS: usize = 200;

/// A heading, and whether numbers are below it.
type Heading = (&'static str, Holds);

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    Words,
    Numbers,
}

use Holds::{Numbers, Words};

/// What is to be read before the pictures.
pub(super) fn first(report: &Report) -> Markup {
    let warnings = "The plan warns of nothing.";
    let kept = format!("No promise was broken: {}.", words::checked(report));
    html! {
        (lines("Broken promises", &kept, &report.broken))
        (lines("What to know before it starts", warnings, &report.warnings))
        @if !report.notes.is_empty() {
            (lines("What did not come to what the faults say", "", &report.notes))
        }
        (left(report))
    }
}

/// What is to be read after the pictures.
pub(super) fn rest(report: &Report) -> Markup {
    html! {
        (out_at_the_end(report))
        (faults(report))
        (pauses(report))
        (holds(report))
        (lines("What operators were refused", "Operators were refused nothing.", &report.refused))
    }
}

fn left(report: &Report) -> Markup {
    let headings = [
        ("cause", Words),
        ("all of", Words),
        ("hosts", Numbers),
        ("which", Words),
    ];
    let rows = report.left.iter().map(|left| {
        let of = left.stratum.as_deref().unwrap_or_default();
        let (cause, of) = (html! { (left.cause) }, html! { (of) });
        [
            cause,
            of,
            html! { (left.hosts.len()) },
            names::of(&left.hosts),
        ]
    });
    table(
        "Left for a person",
        "No host is left for a person.",
        headings,
        rows,
    )
}

fn out_at_the_end(report: &Report) -> Markup {
    let inside = match report.out_at_the_end.is_empty() {
        true => none("Every host serves at the end."),
        false => html! { p { (names::of(&report.out_at_the_end)) } },
    };
    section("Out of service at the end", inside)
}

fn faults(report: &Report) -> Markup {
    let headings = [
        ("fault", Words),
        ("hosts", Numbers),
        ("struck at", Numbers),
        ("noticed after", Numbers),
        ("by", Words),
    ];
    let rows = report.faults.iter().map(|fault| {
        let (hosts, struck) = (fault.hosts.to_string(), words::struck(fault));
        let noticed = words::noticed(fault);
        let cells = [&fault.name, &hosts, &struck, &noticed, &fault.by];
        cells.map(|cell| html! { (cell) })
    });
    table("Faults", "The scenario has no faults.", headings, rows)
}

fn pauses(report: &Report) -> Markup {
    let headings = [("at", Numbers), ("wave", Words), ("why", Words)];
    let rows = report.pauses.iter().map(|pause| {
        let at = time(pause.at_ms);
        [&at, &pause.wave, &pause.why].map(|cell| html! { (cell) })
    });
    table("Pauses", "The rollout never paused.", headings, rows)
}

fn holds(report: &Report) -> Markup {
    let headings = [
        ("rule", Words),
        ("most at once", Numbers),
        ("longest", Numbers),
        ("such as", Words),
    ];
    let rows = report.holds.iter().map(|held| {
        let (most, longest) = (held.most.to_string(), time(held.longest_ms));
        [&held.rule, &most, &longest, &held.such_as].map(|cell| html! { (cell) })
    });
    table("What held things", "Nothing was held.", headings, rows)
}

/// A section with a table, or with a line when there are no rows.
fn table<const N: usize>(
    heading: &str,
    nothing: &str,
    headings: [Heading; N],
    rows: impl ExactSizeIterator<Item = [Markup; N]>,
) -> Markup {
    if rows.len() == 0 {
        return section(heading, none(nothing));
    }
    let more = rows.len().saturating_sub(MOST_ROWS);
    let class = |holds: Holds| (holds == Numbers).then_some("number");
    let inside = html! {
        table {
            thead {
                tr { @for (name, holds) in headings { th class=[class(holds)] { (name) } } }
            }
            tbody {
                @for row in rows.take(MOST_ROWS) {
                    tr {
                        @for (cell, (_, holds)) in row.into_iter().zip(headings) {
                            td class=[class(holds)] { (cell) }
                        }
                    }
                }
            }
        }
        (and_more(more))
    };
    section(heading, inside)
}

/// A section with a list of sentences, or with the one that says that there are none.
fn lines(heading: &str, nothing: &str, lines: &[String]) -> Markup {
    if lines.is_empty() {
        return section(heading, none(nothing));
    }
    let inside = html! {
        ul { @for line in lines.iter().take(MOST_ROWS) { li { (line) } } }
        (and_more(lines.len().saturating_sub(MOST_ROWS)))
    };
    section(heading, inside)
}

fn and_more(more: usize) -> Markup {
    html! { @if more > 0 { (none(&format!("And {more} more."))) } }
}
