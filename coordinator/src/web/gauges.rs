//! The gauges, counted from the fleet's state when they are asked for.

use crate::{
    metrics::{ByOutcome, ByRule, ByState, Metrics},
    view::{Situation, rollout_line},
};
use cofferdam_engine::{
    cell::{Cell, Member},
    counts::Counts,
    id::HostId,
    time::Timestamp,
};
use std::collections::BTreeMap;

/// Every gauge with its value. Empty: nobody could tell.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Gauges {
    hosts: BTreeMap<&'static str, i64>,
    rollouts: BTreeMap<String, i64>,
    /// By rollout and outcome.
    rollout_hosts: BTreeMap<(String, &'static str), i64>,
    is_cord_pulled: bool,
    cord_hosts_at_risk: usize,
    holds: BTreeMap<&'static str, i64>,
    /// By what they do.
    guards: BTreeMap<&'static str, i64>,
    guards_not_in_control: i64,
    guard_windows: i64,
    drifted_hosts: i64,
}

impl Gauges {
    /// Counts.
    pub(super) fn of(situation: Situation<'_>) -> Self {
        let mut gauges = Self {
            hosts: ["in-service", "out", "silent"]
                .map(|state| (state, 0))
                .into(),
            ..Self::default()
        };
        for cell in situation.fleet.cells().values() {
            for (host, member) in cell.members() {
                *gauges.hosts.entry(state(cell, host)).or_default() += 1;
                gauges.count_guard(member, situation.now);
            }
        }
        for rollout in situation.fleet.rollouts().values() {
            let state = rollout_line(rollout).state.to_string();
            *gauges.rollouts.entry(state).or_default() += 1;
        }
        let live = situation.fleet.rollouts().iter();
        for (name, rollout) in live.filter(|(_, rollout)| rollout.is_live()) {
            for (outcome, count) in outcomes(Counts::of(rollout.outcomes().values())) {
                let count = i64::try_from(count).unwrap_or(i64::MAX);
                gauges
                    .rollout_hosts
                    .insert((name.to_string(), outcome), count);
            }
        }
        gauges.is_cord_pulled = !situation.fleet.cords().is_empty();
        let reach = situation.fleet.cord_reach(situation.now);
        gauges.cord_hosts_at_risk = reach.map_or(0, |reach| reach.at_risk());
        for hold in situation.holds() {
            *gauges.holds.entry(hold.reason.rule()).or_default() += 1;
        }
        gauges
    }

    fn count_guard(&mut self, member: &Member, now: Timestamp) {
        let guard = member.guard.as_ref();
        let mode = guard.map_or("unknown", |guard| guard.state.mode.name());
        *self.guards.entry(mode).or_default() += 1;
        let is_lost = guard.is_some_and(|guard| !guard.state.lost.is_empty());
        self.guards_not_in_control += i64::from(is_lost);
        self.guard_windows += i64::from(member.window(now).is_some());
        let has_drifted = member
            .drift
            .as_ref()
            .is_some_and(|drift| drift.changes() > 0);
        self.drifted_hosts += i64::from(has_drifted);
    }

    /// Replaces what the metrics show.
    pub(super) fn show(self, metrics: &Metrics) {
        metrics.hosts.clear();
        metrics.rollouts.clear();
        metrics.rollout_hosts.clear();
        metrics.holds.clear();
        metrics.guards.clear();
        for (state, count) in self.hosts {
            let state = state.to_owned();
            metrics.hosts.get_or_create(&ByState { state }).set(count);
        }
        for (state, count) in self.rollouts {
            metrics
                .rollouts
                .get_or_create(&ByState { state })
                .set(count);
        }
        for ((rollout, outcome), count) in self.rollout_hosts {
            let labels = ByOutcome { rollout, outcome };
            metrics.rollout_hosts.get_or_create(&labels).set(count);
        }
        for (state, count) in self.guards {
            let state = state.to_owned();
            metrics.guards.get_or_create(&ByState { state }).set(count);
        }
        metrics
            .guards_not_in_control
            .set(self.guards_not_in_control);
        metrics.cord_pulled.set(i64::from(self.is_cord_pulled));
        let at_risk = i64::try_from(self.cord_hosts_at_risk).unwrap_or(i64::MAX);
        metrics.cord_hosts_at_risk.set(at_risk);
        metrics.guard_windows.set(self.guard_windows);
        metrics.drifted_hosts.set(self.drifted_hosts);
        for (rule, count) in self.holds {
            let rule = rule.to_owned();
            metrics.holds.get_or_create(&ByRule { rule }).set(count);
        }
    }
}

fn outcomes(counts: Counts) -> [(&'static str, usize); 9] {
    [
        ("running", counts.running),
        ("passed", counts.passed),
        ("failed", counts.failed),
        ("timed-out", counts.timed_out),
        ("unreachable", counts.unreachable),
        ("left-out", counts.left_out + counts.unknown),
        ("skipped", counts.skipped),
        ("rolled-back", counts.rolled_back),
        ("gone", counts.gone),
    ]
}

fn state(cell: &Cell, host: &HostId) -> &'static str {
    if cell.ledger().entry(host).is_some() {
        return "out";
    }
    match cell.is_out(host) {
        true => "silent",
        false => "in-service",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::{Holds, tests::every_outcome};

    #[test]
    fn each_outcome_of_a_live_rollout_has_its_gauge() {
        let fleet = every_outcome();
        let now = Timestamp(2000);
        let kept = &Holds::known([]);
        let metrics = Metrics::default();
        Gauges::of(Situation {
            fleet: &fleet,
            kept,
            step: None,
            now,
        })
        .show(&metrics);

        let text = metrics.encode().unwrap();

        for outcome in ["failed", "timed-out", "unreachable", "left-out", "skipped"] {
            let line =
                format!("cofferdam_rollout_hosts{{rollout=\"practice\",outcome=\"{outcome}\"}} 1");
            assert!(text.contains(&line), "{line} is not in:\n{text}");
        }
        let guards = format!(
            "cofferdam_guards{{state=\"unknown\"}} {}",
            fleet.homes().len()
        );
        assert!(text.contains(&guards), "{guards} is not in:\n{text}");
    }
}
