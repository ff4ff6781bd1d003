//! The numbers that are asked for first.

use super::{super::words, time};
use crate::render::table::counted;
use cofferdam_engine::rehearse::report::Report;
use maud::{Markup, html};

/// A number, what it counts, and what else is to be said of it.
struct Figure {
    name: &'static str,
    value: String,
    note: String,
}

/// The key figures of a rehearsal.
pub(super) fn of(report: &Report) -> Markup {
    html! {
        dl.figures {
            @for figure in figures(report) {
                div {
                    dt { (figure.name) }
                    dd.value { (figure.value) }
                    @if !figure.note.is_empty() { dd.note { (figure.note) } }
                }
            }
        }
    }
}

fn figures(report: &Report) -> [Figure; 6] {
    let figure = |name, value: String, note: String| Figure { name, value, note };
    let harmed = report.harmed.len().to_string();
    let (left, pauses) = (report.left.len(), report.pauses.len());
    let planned = format!(
        "of {} planned, {} in the fleet",
        report.planned, report.hosts
    );
    let broken = match report.broken.len() {
        0 => "none".to_owned(),
        broken => broken.to_string(),
    };
    [
        figure("Time taken", time(report.took_ms), coordination(report)),
        figure("Hosts patched", report.patched.to_string(), planned),
        figure(
            "Hosts harmed",
            harmed,
            out_at_the_end(report.out_at_the_end.len()),
        ),
        figure(
            "Left for a person",
            report.hands().to_string(),
            format!(
                "{} and {}",
                counted(left, "cause"),
                counted(pauses, "pause")
            ),
        ),
        figure(
            "Broken promises",
            broken,
            words::checked_in_short(report).to_owned(),
        ),
        figure(
            "Slices",
            report.slices.len().to_string(),
            failed_slices(report),
        ),
    ]
}

fn coordination(report: &Report) -> String {
    let unknown = || "coordination not measured".to_owned();
    let said = [
        Some(words::coordination(report).unwrap_or_else(unknown)),
        words::overhead(report),
        words::went_back(report),
    ];
    let said: Vec<String> = said.into_iter().flatten().collect();
    said.join("; ")
}

fn out_at_the_end(out: usize) -> String {
    match out {
        0 => "all serve at the end".to_owned(),
        out => format!("{out} out at the end"),
    }
}

fn failed_slices(report: &Report) -> String {
    match report
        .slices
        .iter()
        .filter(|slice| slice.failed > 0)
        .count()
    {
        0 => "no host failed".to_owned(),
        failed => format!("{failed} with failed hosts"),
    }
}
