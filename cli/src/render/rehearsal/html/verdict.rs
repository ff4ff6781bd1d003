//! What a rehearsal came to in a line.

use super::{super::words, time};
use crate::render::table::counted;
use cofferdam_engine::rehearse::report::Report;
use maud::{Markup, html};

/// How glad one may be of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Colour {
    /// Nothing is left to do.
    Green,
    /// Something is left for a person.
    Amber,
    /// A promise was broken, or hosts were lost that no fault took.
    Red,
}

impl Colour {
    /// Its word, and its class in `page.css`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Amber => "amber",
            Self::Red => "red",
        }
    }
}

/// What a rehearsal came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    /// How glad one may be of it.
    pub(super) colour: Colour,
    /// How it ended, after how long, and for how many.
    pub(super) headline: String,
    /// Why it has its colour.
    pub(super) why: String,
}

/// The verdict of a rehearsal.
pub(super) fn of(report: &Report) -> Verdict {
    let (colour, why) = judged(report);
    let (patched, planned) = (report.patched, counted(report.planned, "host"));
    let word = match report.has_stalled {
        true => "Stalled".to_owned(),
        false => word(&report.phase),
    };
    let took = time(report.took_ms);
    Verdict {
        colour,
        headline: format!("{word} after {took}, {patched} of {planned} patched."),
        why,
    }
}

impl Verdict {
    /// The verdict on its colour.
    pub(super) fn banner(&self) -> Markup {
        html! {
            p class={ "verdict " (self.colour.name()) } {
                strong { (self.headline) } " " span { (self.why) }
            }
        }
    }
}

fn judged(report: &Report) -> (Colour, String) {
    let broken = report.broken.len();
    if broken > 0 {
        let why = match broken {
            1 => "A promise was broken.".to_owned(),
            _ => format!("{broken} promises were broken."),
        };
        return (Colour::Red, why);
    }
    let unexplained = unexplained(report);
    if unexplained > 0 {
        let why = format!(
            "{} out at the end without a fault.",
            are(unexplained, "host")
        );
        return (Colour::Red, why);
    }
    let hands = report.hands();
    if hands > 0 {
        let why = format!("{} left for a person.", are(hands, "thing"));
        return (Colour::Amber, why);
    }
    let calm = format!("No promise was broken, and {}.", words::NOTHING_LEFT);
    match report.phase.as_str() {
        "done" => (Colour::Green, calm),
        _ => (Colour::Amber, format!("It was not done. {calm}")),
    }
}

/// How many hosts are out at the end beyond all that faults struck. A report does not say which hosts
/// a fault was about, so a fault explains as many as it had.
fn unexplained(report: &Report) -> usize {
    let struck = report
        .faults
        .iter()
        .filter(|fault| fault.struck_ms.is_some());
    let explained = struck
        .map(|fault| fault.hosts)
        .fold(0, usize::saturating_add);
    report.out_at_the_end.len().saturating_sub(explained)
}

fn are(number: usize, thing: &str) -> String {
    let verb = if number == 1 { "is" } else { "are" };
    format!("{} {verb}", counted(number, thing))
}

/// A phase as the first word of a sentence.
fn word(phase: &str) -> String {
    let mut letters = phase.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    let rest = letters.map(|letter| if letter == '-' { ' ' } else { letter });
    match phase {
        "" => "Never started".to_owned(),
        "running" => "Still running".to_owned(),
        _ => first.chain(rest).collect(),
    }
}
