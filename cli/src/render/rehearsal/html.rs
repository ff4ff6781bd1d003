//! What a rehearsal came to, as one HTML file that can be attached to a change request.
//!
//! The file needs nothing beside itself, and its policy forbids it to load or run anything. Names and
//! messages come from rollout files and hosts, so nothing gets into it unescaped: all is written by
//! `html!`. Every picture is drawn with whole tenths of a unit, so the same report is the same file.

mod axis;
mod capacity;
mod course;
mod events;
mod figures;
mod hosts;
mod lane;
mod names;
mod slices;
mod tables;
mod velocity;
mod verdict;

use super::{Incident, words, words::lasts as time};
use crate::render::table::counted;
use axis::TimeAxis;
use cofferdam_engine::rehearse::report::Report;
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// How it looks, on a light screen, on a dark one and on paper.
const STYLE: &str = include_str!("html/page.css");

/// What the file may do: show itself with its own styles.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// The word for how glad one may be of a rehearsal: green, amber or red.
pub(super) fn colour(report: &Report) -> &'static str {
    verdict::of(report).colour.name()
}

/// The whole file. `incident` is the one that was played, if one was.
pub(super) fn page(report: &Report, is_made_up: bool, incident: Option<&Incident>) -> String {
    let verdict = verdict::of(report);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                title { (report.rollout) ": " (verdict.headline) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    p.kind { "Rehearsal of a rollout" }
                    h1 { (report.rollout) }
                    (verdict.banner())
                    @if let Some(incident) = incident { (of_incident(incident)) }
                    (figures::of(report))
                }
                main {
                    (tables::first(report))
                    (pictures(report))
                    (tables::rest(report))
                }
                (footer(report, is_made_up))
            }
        }
    };
    page.into_string()
}

/// Which incident was played, and whether it would still be one.
fn of_incident(played: &Incident) -> Markup {
    let Incident { incident, played } = played;
    let class = if played.unmet.is_empty() {
        "green"
    } else {
        "red"
    };
    html! {
        div class={ "verdict " (class) } {
            strong { "Incident " (incident.number) ": " (incident.title) "." }
            p { (incident.story) }
            p { "Played again, " (words::incident(played)) }
            @if !played.unmet.is_empty() {
                ul { @for line in &played.unmet { li { (line) } } }
            }
        }
    }
}

fn pictures(report: &Report) -> Markup {
    let axis = TimeAxis::of(report);
    html! {
        (slices::section(report, &axis))
        (hosts::section(report, &axis))
        (velocity::section(report, &axis))
        (capacity::section(report))
        (course::section(report, &axis))
    }
}

fn footer(report: &Report, is_made_up: bool) -> Markup {
    html! {
        footer {
            @if is_made_up { p { (words::MADE_UP) "." } }
            p {
                "Played over " (counted(report.hosts, "host")) " on paper with seed " (report.seed)
                "; the same rehearsal comes to the same report. Operators acted "
                (counted(report.acts, "time")) ". All times are counted from the start of the rollout."
            }
        }
    }
}

/// A section with its heading.
fn section(heading: &str, inside: Markup) -> Markup {
    html! { section { h2 { (heading) } (inside) } }
}

/// What a section says that has nothing to show.
fn none(line: &str) -> Markup {
    html! { p.none { (line) } }
}

/// What the colours of a picture mean: a class of `page.css`, and words.
fn legend(entries: &[(&str, String)]) -> Markup {
    html! {
        p.legend {
            @for (class, words) in entries {
                span.entry { span class={ "swatch " (class) } {} (words) }
            }
        }
    }
}

/// A count as pictures reckon with it.
fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
