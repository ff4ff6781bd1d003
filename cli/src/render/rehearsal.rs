//! What a rehearsal came to.

pub mod html;

use crate::{
    exit::Exit,
    render::{
        View,
        first::first,
        table::{counted, short, table},
    },
};
use cofferdam_engine::{
    id::HostId,
    rehearse::{
        incident::{self, Played},
        report::{FaultSeen, Report},
    },
};
use serde::{Serialize, Serializer};
use std::time::Duration;

/// The most capacity groups that are shown.
const GROUPS: usize = 10;

/// The most hosts of one cause that are named.
const HOSTS: usize = 10;

/// A rollout was rehearsed.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct Rehearsed {
    /// What it came to.
    pub report: Report,
    /// Whether its bits are made up, since nothing was resolved yet.
    #[serde(skip)]
    pub is_made_up: bool,
}

impl Rehearsed {
    /// What the command's exit says.
    pub fn exit(&self) -> Exit {
        let report = &self.report;
        // A standing rollout goes on when all have the patch.
        let have_all = report.patched == report.planned;
        match (report.broken.is_empty(), report.phase.as_str()) {
            (false, _) => Exit::Failed,
            (true, "done" | "rolled-back") => Exit::Done,
            (true, _) if have_all => Exit::Done,
            (true, _) => Exit::Held,
        }
    }
}

impl View for Rehearsed {
    fn text(&self) -> String {
        let mut text = of_report(&self.report);
        if self.is_made_up {
            text += "\nits bits are made up: there is no lock file yet\n";
        }
        text
    }

    fn html(&self) -> Option<String> {
        Some(html::page(&self.report))
    }
}

/// An incident was played.
#[derive(Debug)]
pub struct Incident {
    /// Which.
    pub incident: incident::Incident,
    /// What came of it.
    pub played: Played,
}

impl Serialize for Incident {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shown<'i> {
            incident: u32,
            title: &'i str,
            unmet: &'i [String],
            report: &'i Report,
        }
        let shown = Shown {
            incident: self.incident.number,
            title: &self.incident.title,
            unmet: &self.played.unmet,
            report: &self.played.report,
        };
        shown.serialize(serializer)
    }
}

impl View for Incident {
    fn text(&self) -> String {
        let incident = &self.incident;
        let mut text = format!(
            "incident {}: {}\n{}\n\n",
            incident.number, incident.title, incident.story
        );
        text += &of_report(&self.played.report);
        text += match self.played.unmet.is_empty() {
            true => "\nit is no incident any more\n",
            false => "\nit is an incident still:\n",
        };
        for unmet in &self.played.unmet {
            text += &format!("  {unmet}\n");
        }
        text
    }

    fn html(&self) -> Option<String> {
        Some(html::page(&self.played.report))
    }
}

fn of_report(report: &Report) -> String {
    let mut text = format!(
        "{}: {} after {}{}\n",
        report.rollout,
        report.phase,
        lasts(report.took_ms),
        coordination(report)
    );
    text += &overhead(report);
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
        ("what to know before it starts", warnings(report)),
    ] {
        if !part.is_empty() {
            text += &format!("\n{heading}\n{part}");
        }
    }
    text + &broken(report)
}

/// What the plan warns of, one line each.
fn warnings(report: &Report) -> String {
    let lines = report.warnings.iter();
    lines.map(|warning| format!("  {warning}\n")).collect()
}

fn coordination(report: &Report) -> String {
    let share = report.coordination_permille().map(percent);
    share.map_or_else(String::new, |share| format!(", {share} of it coordination"))
}

/// How much longer it took than it had to.
fn overhead(report: &Report) -> String {
    let over = report.overhead_permille().map(percent);
    over.map_or_else(String::new, |over| {
        let bound = lasts(report.bound_ms);
        format!("  {over} over the bound that its limits set, {bound}\n")
    })
}

fn percent(permille: u64) -> String {
    format!("{}.{} %", permille / 10, permille % 10)
}

fn left(report: &Report) -> String {
    if report.left.is_empty() {
        return "  nothing is left for a person\n".to_owned();
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
    let headings = ["fault", "hosts", "struck", "noticed after", "by"];
    let rows = report.faults.iter().map(|fault| {
        [
            fault.name.clone(),
            fault.hosts.to_string(),
            fault.struck_ms.map_or_else(|| "never".to_owned(), lasts),
            noticed(fault),
            fault.by.clone(),
        ]
    });
    table(headings, rows.collect())
}

fn noticed(fault: &FaultSeen) -> String {
    match (fault.struck_ms, fault.noticed_ms) {
        (Some(struck), Some(noticed)) => lasts(noticed.saturating_sub(struck)),
        (Some(_), None) => "never".to_owned(),
        (None, _) => "-".to_owned(),
    }
}

fn groups(report: &Report) -> String {
    let headings = ["group", "members", "most out", "may be", "first after"];
    let groups = report.groups.iter().take(GROUPS);
    let rows = groups.map(|peak| {
        [
            peak.group.clone(),
            peak.members.to_string(),
            peak.most_out.to_string(),
            peak.allowance.to_string(),
            lasts(peak.at_ms),
        ]
    });
    table(headings, rows.collect())
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
    if report.broken.is_empty() {
        return "\nno promise was broken\n".to_owned();
    }
    let lines = report.broken.iter().map(|line| format!("  {line}\n"));
    "\nbroken promises\n".to_owned() + &lines.collect::<String>()
}

fn lasts(millis: u64) -> String {
    short(Duration::from_millis(millis))
}
