//! The gauges, counted from the fleet's state when they are asked for.

use crate::{
    metrics::{ByRule, ByState, Metrics},
    view::{Situation, rollout_line},
};
use cofferdam_engine::{cell::Cell, id::HostId};
use std::collections::BTreeMap;

/// Every gauge with its value. Empty: nobody could tell.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Gauges {
    hosts: BTreeMap<&'static str, i64>,
    rollouts: BTreeMap<String, i64>,
    holds: BTreeMap<&'static str, i64>,
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
            for host in cell.members().keys() {
                *gauges.hosts.entry(state(cell, host)).or_default() += 1;
            }
        }
        for rollout in situation.fleet.rollouts().values() {
            let state = rollout_line(rollout).state.to_string();
            *gauges.rollouts.entry(state).or_default() += 1;
        }
        for hold in situation.holds {
            *gauges.holds.entry(hold.reason.rule()).or_default() += 1;
        }
        gauges
    }

    /// Replaces what the metrics show.
    pub(super) fn show(self, metrics: &Metrics) {
        metrics.hosts.clear();
        metrics.rollouts.clear();
        metrics.holds.clear();
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
        for (rule, count) in self.holds {
            let rule = rule.to_owned();
            metrics.holds.get_or_create(&ByRule { rule }).set(count);
        }
    }
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
