//! A rehearsal as text.

use super::words::{self, lasts};
use crate::render::{
    first::first,
    table::{counted, table},
};
use cofferdam_engine::{id::HostId, rehearse::report::Report};

/// The most capacity groups that are shown.
const GROUPS: usize = 10;

/// The most hosts of one cause that are named.
const HOSTS: usize = 10;

/// The whole text.
pub(super) fn of(report: &Report) -> String {
    let mut text = format!(
        "{}: {} after {}{}\n",
        report.rollout,
        report.phase,
        lasts(report.took_ms),
        words::coordination(report).map_or_else(String::new, |said| format!(", {said}"))
    );
    let rest = [
        words::overhead(report),
        words::stalled(report),
        words::went_back(report),
    ];
    for line in rest.into_iter().flatten() {
        text += &format!("  {line}\n");
    }
    text += &format!(
        "  {} of {} patched, {} harmed, {} out at the end\n",
        report.patched,
        counted(report.planned, "host"),
        report.harmed.len(),
        report.out_at_the_end.len()
    );
    for pause in &report.pauses {
        let at = lasts(pause.at_ms);
        text += &format!(
            "  paused after {at} in wave {}: {}\n",
            pause.wave, pause.why
        );
    }
    for refusal in &report.refused {
        text += &format!("  refused: {refusal}\n");
    }
    text += &left(report);
    for (heading, part) in [
        ("faults", faults(report)),
        ("most hosts out at once", groups(report)),
        ("what held it", holds(report)),
        ("what to know before it starts", lines(&report.warnings)),
        (
            "what did not come to what the faults say",
            lines(&report.notes),
        ),
    ] {
        if !part.is_empty() {
            text += &format!("\n{heading}\n{part}");
        }
    }
    text + &broken(report)
}

/// One line each.
fn lines(lines: &[String]) -> String {
    let lines = lines.iter();
    lines.map(|line| format!("  {line}\n")).collect()
}

fn left(report: &Report) -> String {
    if report.left.is_empty() {
        return format!("  {}\n", words::NOTHING_LEFT);
    }
    let causes = report.left.iter().map(|left| {
        let (count, hosts) = (counted(left.hosts.len(), "host"), named(&left.hosts));
        let of = left.stratum.as_ref();
        let of = of.map_or_else(String::new, |stratum| format!(" of {stratum}"));
        format!(
            "  left for a person: {count}{of}, {}: {hosts}\n",
            left.cause
        )
    });
    causes.collect()
}

fn named(hosts: &[HostId]) -> String {
    first(HOSTS, hosts, ", ")
}

fn faults(report: &Report) -> String {
    let headings = ["fault", "hosts", "struck at", "noticed after", "by"];
    let rows = report.faults.iter().map(|fault| {
        [
            fault.name.clone(),
            fault.hosts.to_string(),
            words::struck(fault),
            words::noticed(fault),
            fault.by.clone(),
        ]
    });
    table(headings, rows.collect())
}

fn groups(report: &Report) -> String {
    let headings = [
        "group",
        "members",
        "stays",
        "most out",
        "may be",
        "first after",
    ];
    let groups = report.groups.iter().take(GROUPS);
    let rows = groups.map(|peak| {
        [
            peak.group.clone(),
            peak.members.to_string(),
            peak.min_in_service.clone(),
            peak.most_out.to_string(),
            peak.allowance.to_string(),
            match peak.most_out {
                0 => "-".to_owned(),
                _ => lasts(peak.at_ms),
            },
        ]
    });
    let more = report.groups.len().saturating_sub(GROUPS);
    let more = match more {
        0 => String::new(),
        more => format!("  and {}, less full\n", counted(more, "group")),
    };
    table(headings, rows.collect()) + &more
}

fn holds(report: &Report) -> String {
    let headings = ["rule", "most at once", "longest", "such as"];
    let rows = report.holds.iter().map(|held| {
        [
            held.rule.clone(),
            held.most.to_string(),
            lasts(held.longest_ms),
            held.such_as.clone(),
        ]
    });
    table(headings, rows.collect())
}

fn broken(report: &Report) -> String {
    let checked = words::checked(report);
    if report.broken.is_empty() {
        return format!("\nno promise was broken ({checked})\n");
    }
    format!("\nbroken promises ({checked})\n{}", lines(&report.broken))
}
