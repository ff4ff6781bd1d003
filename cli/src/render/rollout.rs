//! How one rollout stands.

use crate::{
    exit::Exit,
    render::{
        View,
        first::first,
        table::{ago, indented, short, table},
    },
};
use cofferdam_engine::{id::HostId, time::Timestamp};
use cofferdam_proto::operator::{
    Alarm, FailureCluster, HoldView, RolloutState, RolloutView, WaveView,
};
use serde::Serialize;
use std::collections::BTreeSet;

/// A rollout, seen at a moment.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct Standing<'a> {
    rollout: &'a RolloutView,
    #[serde(skip)]
    now: Timestamp,
    #[serde(skip)]
    detail: Detail,
}

/// How much of a rollout people are told. JSON always has all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Detail {
    /// One line, and what to do next.
    Begun,
    /// How far it came and what failed.
    Course,
    /// What does not move and what to know, too.
    All,
}

impl<'a> Standing<'a> {
    /// All of a rollout as it stands now.
    pub fn new(rollout: &'a RolloutView, now: Timestamp) -> Self {
        let detail = Detail::All;
        Self {
            rollout,
            now,
            detail,
        }
    }

    /// The same of a rollout that just began.
    #[must_use]
    pub fn begun(self) -> Self {
        let detail = Detail::Begun;
        Self { detail, ..self }
    }

    /// The same of a rollout whose course ended, for now or for good.
    #[must_use]
    pub fn course(self) -> Self {
        let detail = Detail::Course;
        Self { detail, ..self }
    }
}

/// How a command exits that was asked how a rollout ends.
pub fn exit_of(state: RolloutState) -> Exit {
    match state {
        RolloutState::Planned
        | RolloutState::Running
        | RolloutState::Aborting
        | RolloutState::RollingBack
        | RolloutState::Done => Exit::Done,
        RolloutState::Aborted | RolloutState::RolledBack => Exit::Failed,
        RolloutState::Paused => Exit::Held,
    }
}

impl View for Standing<'_> {
    fn text(&self) -> String {
        let Self { rollout, now, .. } = *self;
        let headline = self.headline();
        if self.detail == Detail::Begun {
            return format!("{headline}\nfollow it: cofferdam watch {}\n", rollout.name);
        }
        let mut text = format!("{headline}\n\n{}", waves(&rollout.waves, now));
        text += &failures("What failed", &rollout.failures);
        if self.detail == Detail::Course {
            let mut waves = rollout.waves.iter();
            return match waves.any(|wave| wave.unreachable + wave.left_out + wave.skipped > 0) {
                true => text + &warnings(&rollout.warnings),
                false => text,
            };
        }
        text += &holds("What does not move, and why", &rollout.holds, now);
        if !rollout.slow_hosts.is_empty() {
            text += &format!("\nslower than others: {}\n", names(&rollout.slow_hosts));
        }
        if rollout.changed_hosts > 0 {
            text += &format!("\n{}\n", changed(rollout));
        }
        if let Some(effective) = &rollout.effective {
            text += &format!("\neffective on hosts that passed: {effective}\n");
        }
        text += &guards_saw(&rollout.alarms, now);
        text + &warnings(&rollout.warnings)
    }
}

fn changed(rollout: &RolloutView) -> String {
    let (hosts, name) = (rollout.changed_hosts, &rollout.name);
    format!(
        "packages changed since the plan was made on {hosts} of its hosts: each is tried as what it was found to be; \
         `cofferdam explain {name}` names them"
    )
}

/// What the guards of a rollout's hosts saw, each told once: for whoever follows it.
#[derive(Debug, Default)]
pub struct NewAlarms(BTreeSet<(HostId, Timestamp, u64)>);

impl NewAlarms {
    /// What was not told before, a line each.
    pub fn of(&mut self, rollout: &RolloutView) -> Vec<String> {
        let is_new = |alarm: &&Alarm| {
            let Alarm { host, event } = alarm;
            self.0.insert((host.clone(), event.at, event.number))
        };
        let new = rollout.alarms.iter().filter(is_new);
        new.map(|alarm| format!("guard of {}: {}", alarm.host, alarm.event))
            .collect()
    }
}

fn guards_saw(alarms: &[Alarm], now: Timestamp) -> String {
    if alarms.is_empty() {
        return String::new();
    }
    let line =
        |Alarm { host, event }: &Alarm| format!("  {host}: {event}, {}\n", ago(event.at, now));
    let lines: String = alarms.iter().map(line).collect();
    format!("\nWhat guards of its hosts saw\n{lines}")
}

impl Standing<'_> {
    fn headline(&self) -> String {
        let rollout = self.rollout;
        let mut line = format!(
            "{}: {}, {} hosts",
            rollout.name, rollout.state, rollout.hosts
        );
        let ended = rollout.ended_at_ms;
        if let Some(started) = rollout.started_at_ms {
            line += &match ended {
                Some(ended) => format!(
                    ", took {}, ended {}",
                    short(ended.since(started)),
                    ago(ended, self.now)
                ),
                None => format!(", started {}", ago(started, self.now)),
            };
        }
        if let Some(signer) = &rollout.signed_by {
            line += &format!("\n  signed by {signer}");
        }
        if let Some(amends) = &rollout.amends {
            line += &format!("\n  amends {amends}");
        }
        if !rollout.amended_by.is_empty() {
            line += &format!("\n  amended by {}", names(&rollout.amended_by));
        }
        if !rollout.reason.is_empty() {
            line += &format!("\n  {}", rollout.reason);
        }
        let told = |at| ago(at, self.now);
        let said = rollout.approvals.iter().map(|a| a.told(&told(a.at_ms)));
        let said = said.chain(rollout.promotions.iter().map(|p| p.told(&told(p.at_ms))));
        line + &said.map(|said| format!("\n  {said}")).collect::<String>()
    }
}

/// What an operator should know, a line each.
pub fn warnings(warnings: &[String]) -> String {
    let lines = warnings
        .iter()
        .map(|warning| format!("\nwarning: {warning}"));
    match lines.collect::<String>() {
        none if none.is_empty() => none,
        lines => lines + "\n",
    }
}

fn waves(waves: &[WaveView], now: Timestamp) -> String {
    let rows = waves.iter().map(|wave| {
        let state = match wave.bake_until_ms {
            Some(until) if until > now => {
                format!("{} {} more", wave.state, short(until.since(now)))
            }
            Some(_) | None => wave.state.to_string(),
        };
        let counts = [
            wave.hosts,
            wave.running,
            wave.passed,
            wave.failed,
            wave.timed_out,
            wave.unreachable,
            wave.left_out,
            wave.skipped,
            wave.rolled_back,
        ];
        let [
            hosts,
            running,
            passed,
            failed,
            timed_out,
            unreachable,
            left_out,
            skipped,
            rolled_back,
        ] = counts.map(|count| count.to_string());
        [
            wave.name.clone(),
            state,
            hosts,
            running,
            passed,
            failed,
            timed_out,
            unreachable,
            left_out,
            skipped,
            rolled_back,
        ]
    });
    table(HEADINGS, rows.collect())
}

const HEADINGS: [&str; 11] = [
    "wave",
    "state",
    "hosts",
    "running",
    "passed",
    "failed",
    "timed out",
    "unreachable",
    "left out",
    "skipped",
    "rolled back",
];

/// What failed, under a heading. Nothing when nothing did.
pub fn failures(heading: &str, clusters: &[FailureCluster]) -> String {
    if clusters.is_empty() {
        return String::new();
    }
    let mut text = format!("\n{heading}\n");
    for cluster in clusters {
        let count = cluster.hosts.len();
        let hosts = names(&cluster.hosts);
        text += &format!("  {} on {count}: {hosts}\n", cluster.kind);
        text += &indented(&indented(&cluster.detail));
    }
    text
}

/// What does not move, one line each. Nothing when everything moves.
///
/// That the whole rollout is stopped, and why, is the headline's to say.
pub fn holds(heading: &str, holds: &[HoldView], now: Timestamp) -> String {
    let is_stop = |hold: &&HoldView| matches!(hold.rule.as_str(), "paused" | "braked");
    let rows = holds.iter().filter(|hold| !is_stop(hold)).map(|hold| {
        [
            hold.subject.clone(),
            match hold.hosts {
                0 => String::new(),
                hosts => hosts.to_string(),
            },
            short(now.since(hold.since_ms)),
            why(hold, now),
        ]
    });
    let shown = table(["what", "hosts", "for", "why"], rows.collect());
    if shown.is_empty() {
        return shown;
    }
    format!("\n{heading}\n{}", indented(&shown))
}

fn why(hold: &HoldView, now: Timestamp) -> String {
    let HoldView { reason, rule, .. } = hold;
    match hold.until_ms.filter(|until| *until > now) {
        Some(until) => format!("{reason}, {} more [{rule}]", short(until.since(now))),
        None => format!("{reason} [{rule}]"),
    }
}

/// The most hosts that one line names; JSON has all.
const NAMED_HOSTS: usize = 8;

fn names(hosts: &[impl std::fmt::Display]) -> String {
    first(NAMED_HOSTS, hosts, ", ")
}

#[cfg(test)]
#[path = "rollout/tests.rs"]
pub(crate) mod tests;
