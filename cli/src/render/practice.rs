//! What a practice showed.

use crate::render::{
    View,
    rollout::{failures, warnings},
    table::{counted, indented, short, table},
};
use cofferdam_engine::{id::HostId, time::Timestamp};
use cofferdam_proto::operator::{HoldView, RolloutView};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    time::Duration,
};

/// What a rollout waits for because it was told to: that is no news of the fleet.
const PLANNED: [&str; 19] = [
    "approval",
    "at-once-per-cell",
    "bake",
    "braked",
    "canary-turn",
    "cell-turn",
    "claim",
    "grace",
    "later",
    "patcher-turn",
    "paused",
    "settle",
    "slices",
    "staging",
    "standing",
    "start-spacing",
    "stopped",
    "stratum",
    "zone-bake",
];

/// How long something must hold a rollout up to be told (guess: a patch of one host takes longer).
const LONG: Duration = Duration::from_mins(1);

/// What is held, and the name of the rule.
type Held = (String, String);

/// What held a practice up, and which hosts were slow, as it was seen while it ran.
#[derive(Debug, Default)]
pub struct Delays {
    /// What is held now: since when, and why.
    open: BTreeMap<Held, (Timestamp, String)>,
    /// What was held: for how long at most, and why then.
    over: BTreeMap<Held, (Duration, String)>,
    slow: BTreeSet<HostId>,
}

/// Something that held a practice up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Delay {
    /// What was held.
    subject: String,
    /// The name of the rule.
    rule: String,
    /// Why.
    reason: String,
    /// For how long at most, in seconds.
    seconds: u64,
}

impl Delays {
    /// Takes in how a rollout stands.
    pub fn see(&mut self, rollout: &RolloutView, now: Timestamp) {
        self.slow.extend(rollout.slow_hosts.iter().cloned());
        let is_news = |hold: &&HoldView| !PLANNED.contains(&hold.rule.as_str());
        let open = rollout.holds.iter().filter(is_news).map(|hold| {
            let held = (hold.subject.clone(), hold.rule.clone());
            (held, (hold.since_ms, hold.reason.clone()))
        });
        self.hold(open.collect(), now);
    }

    /// Takes in that nobody looks any more: what is held still was held until now.
    pub fn end(&mut self, now: Timestamp) {
        self.hold(BTreeMap::new(), now);
    }

    fn hold(&mut self, open: BTreeMap<Held, (Timestamp, String)>, now: Timestamp) {
        for (held, (since, reason)) in mem::replace(&mut self.open, open) {
            let goes_on = self.open.get(&held).is_some_and(|open| open.0 == since);
            let time = now.since(since);
            let longest = self.over.entry(held).or_default();
            if !goes_on && time >= longest.0 {
                *longest = (time, reason);
            }
        }
    }

    /// What took long, the longest first.
    fn long(&self) -> Vec<Delay> {
        let long = self.over.iter().filter(|(_, (time, _))| *time >= LONG);
        let mut long: Vec<Delay> = long
            .map(|((subject, rule), (time, reason))| Delay {
                subject: subject.clone(),
                rule: rule.clone(),
                reason: reason.clone(),
                seconds: time.as_secs(),
            })
            .collect();
        long.sort_by_key(|delay| std::cmp::Reverse(delay.seconds));
        long
    }
}

/// What a practice showed.
#[derive(Debug, Serialize)]
pub struct Practised<'a> {
    /// The rollout as it ended.
    rollout: &'a RolloutView,
    /// Why it was ended before its end. Absent: it ended by itself.
    stopped: Option<String>,
    /// Whether a real patch would have hurt.
    would_have_hurt: bool,
    /// How many hosts were taken out and came back well.
    passed: u64,
    /// What held it up, the longest first.
    delays: Vec<Delay>,
    /// Hosts that took longer than others.
    slow_hosts: Vec<HostId>,
}

impl<'a> Practised<'a> {
    /// What a rollout showed that ended, or was ended for this reason.
    pub fn new(rollout: &'a RolloutView, delays: &Delays, stopped: Option<String>) -> Self {
        let missing = |rollout: &RolloutView| {
            let waves = rollout.waves.iter();
            waves
                .map(|wave| wave.hosts - wave.passed.min(wave.hosts))
                .sum::<u64>()
        };
        Self {
            would_have_hurt: stopped.is_some() || missing(rollout) > 0,
            passed: rollout.waves.iter().map(|wave| wave.passed).sum(),
            stopped,
            delays: delays.long(),
            slow_hosts: delays.slow.iter().cloned().collect(),
            rollout,
        }
    }

    /// Whether a host would have been hurt or left behind by a real patch, or it would not have ended.
    pub fn would_have_hurt(&self) -> bool {
        self.would_have_hurt
    }
}

impl View for Practised<'_> {
    fn text(&self) -> String {
        let Self { rollout, .. } = self;
        let took = rollout.started_at_ms.zip(rollout.ended_at_ms);
        let took = took.map(|(began, ended)| format!(" in {}", short(ended.since(began))));
        let (passed, hosts, took) = (self.passed, rollout.hosts, took.unwrap_or_default());
        let verdict = match self.would_have_hurt {
            true => "a patch would have hurt",
            false => "a patch would have hurt nobody",
        };
        let mut text = format!(
            "{}: {verdict}\n  {passed} of {hosts} hosts were out and came back well{took}\n",
            rollout.name
        );
        if let Some(why) = &self.stopped {
            text += &format!("  it was aborted: {why}\n");
        }
        text += &failures("What would have hurt", &rollout.failures);
        if passed < hosts {
            text += &warnings(&rollout.warnings);
        }
        text += &held_up(&self.delays);
        if !self.slow_hosts.is_empty() {
            let slow: Vec<&str> = self.slow_hosts.iter().map(HostId::as_str).collect();
            let count = counted(slow.len(), "host");
            text += &format!("\n{count} slower than others: {}\n", slow.join(", "));
        }
        text
    }
}

fn held_up(delays: &[Delay]) -> String {
    let rows = delays.iter().map(|delay| {
        [
            delay.subject.clone(),
            short(Duration::from_secs(delay.seconds)),
            format!("{} [{}]", delay.reason, delay.rule),
        ]
    });
    let shown = table(["what", "for", "why"], rows.collect());
    match shown.is_empty() {
        true => shown,
        false => format!("\nWhat held it up\n{}", indented(&shown)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::rollout;

    fn held(rule: &str, since: u64, reason: &str) -> HoldView {
        HoldView {
            subject: "cell r1-a-1".to_owned(),
            reason: reason.to_owned(),
            rule: rule.to_owned(),
            since_ms: Timestamp(since),
            hosts: 0,
            until_ms: None,
        }
    }

    #[test]
    fn what_holds_for_long_is_told_until_it_ends_and_what_was_planned_is_not() {
        let mut delays = Delays::default();
        let mut view = rollout::tests::stopped();
        view.holds = vec![held("floor", 0, "1 is out"), held("bake", 0, "it bakes")];
        delays.see(&view, Timestamp(1_000));
        assert_eq!(delays.long(), [], "it is not known yet how long it lasts");
        view.holds = vec![held("floor", 200_000, "2 are out")];
        delays.see(&view, Timestamp(210_000));
        delays.end(Timestamp(230_000));
        let told = delays.long();
        let told: Vec<_> = told
            .iter()
            .map(|delay| (delay.rule.as_str(), delay.seconds, delay.reason.as_str()))
            .collect();
        assert_eq!(told, [("floor", 210, "1 is out")]);
    }
}
