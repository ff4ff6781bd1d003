//! What the coordinator counts and measures of itself, for `GET /metrics`.
//!
//! Counters and histograms grow as things happen; gauges are set from the fleet's state when they
//! are asked for (see `web/gauges.rs`).

use crate::artefact::Figures;
use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};
use std::fmt;

/// One label, as in `state="running"`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ByState {
    /// The state's name.
    pub state: String,
}

/// Two labels, as in `rollout="openssl",outcome="passed"`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ByOutcome {
    /// The rollout's name.
    pub rollout: String,
    /// How hosts stand in it.
    pub outcome: &'static str,
}

/// One label, as in `rule="floor"`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ByRule {
    /// The rule's name.
    pub rule: String,
}

/// One label, as in `answer="granted"`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ByAnswer {
    /// The answer's name.
    pub answer: &'static str,
}

/// One label, as in `fate="refused"`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ByFate {
    /// What became of a change.
    pub fate: &'static str,
}

/// Every metric. Clones count into the same.
#[derive(Debug, Clone)]
pub struct Metrics {
    /// Agents with a session.
    pub connected: Gauge,
    /// Hosts by what they are at: in service, out, silent.
    pub hosts: Family<ByState, Gauge>,
    /// Rollouts by state.
    pub rollouts: Family<ByState, Gauge>,
    /// Hosts of the rollouts that are not over, by how they stand.
    pub rollout_hosts: Family<ByOutcome, Gauge>,
    /// 1 while the cord is pulled, here or above. 0: it is not.
    pub cord_pulled: Gauge,
    /// Hosts that may still be started although the cord is pulled, by regions that have not heard of it.
    pub cord_hosts_at_risk: Gauge,
    /// Holds by the rule that holds.
    pub holds: Family<ByRule, Gauge>,
    /// Hosts by what their guards do.
    pub guards: Family<ByState, Gauge>,
    /// Hosts whose guards are not in control of every channel.
    pub guards_not_in_control: Gauge,
    /// Hosts at which a person has opened a window.
    pub guard_windows: Gauge,
    /// Hosts on which something changed without an order.
    pub drifted_hosts: Gauge,
    /// Changes of packages that no order covers, by what became of them.
    pub guard_tries: Family<ByFate, Counter>,
    /// How often a guard lost control of a channel.
    pub guard_losses: Counter,
    /// How far the system's clock was set ahead of the process's own, in seconds; below 0: behind.
    pub clock_step_seconds: Gauge,
    /// Orders handed to agents, repetitions not counted.
    pub orders: Counter,
    /// Claims answered.
    pub claims: Family<ByAnswer, Counter>,
    /// Reports stored.
    pub reports: Counter,
    /// Inputs that the state refused.
    pub refused: Counter,
    /// How long an append to the store took.
    pub append_seconds: Histogram,
    /// How many inputs were taken at once.
    pub batch_inputs: Histogram,
    /// How long a decision took.
    pub decide_seconds: Histogram,
    /// What the artefact store counts.
    pub artefacts: Figures,
}

impl Default for Metrics {
    fn default() -> Self {
        // From 50 us (a page of an idle disk) to 1.6 s (a disk in trouble), doubling.
        let seconds = || Histogram::new(exponential_buckets(0.000_05, 2.0, 16));
        Self {
            connected: Gauge::default(),
            hosts: Family::default(),
            rollouts: Family::default(),
            rollout_hosts: Family::default(),
            cord_pulled: Gauge::default(),
            cord_hosts_at_risk: Gauge::default(),
            holds: Family::default(),
            guards: Family::default(),
            guards_not_in_control: Gauge::default(),
            guard_windows: Gauge::default(),
            drifted_hosts: Gauge::default(),
            guard_tries: Family::default(),
            guard_losses: Counter::default(),
            clock_step_seconds: Gauge::default(),
            orders: Counter::default(),
            claims: Family::default(),
            reports: Counter::default(),
            refused: Counter::default(),
            append_seconds: seconds(),
            batch_inputs: Histogram::new(exponential_buckets(1.0, 2.0, 9)),
            decide_seconds: seconds(),
            artefacts: Figures::default(),
        }
    }
}

impl Metrics {
    /// Everything in the OpenMetrics text format.
    ///
    /// # Errors
    /// Never in practice: text is written to memory.
    pub fn encode(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        text::encode(&mut text, &self.registry())?;
        Ok(text)
    }

    fn registry(&self) -> Registry {
        let mut registry = Registry::with_prefix("cofferdam");
        let r = &mut registry;
        r.register(
            "connected_agents",
            "Agents with a session",
            self.connected.clone(),
        );
        r.register("hosts", "Hosts by state", self.hosts.clone());
        r.register("rollouts", "Rollouts by state", self.rollouts.clone());
        r.register(
            "rollout_hosts",
            "Hosts of rollouts that are not over, by outcome",
            self.rollout_hosts.clone(),
        );
        r.register("holds", "What does not move, by rule", self.holds.clone());
        self.register_guards(r);
        r.register(
            "clock_step_seconds",
            "How far the system's clock was set ahead of the time that the process counts by",
            self.clock_step_seconds.clone(),
        );
        r.register("orders", "Orders handed to agents", self.orders.clone());
        r.register("claims", "Claims answered", self.claims.clone());
        r.register("reports", "Reports stored", self.reports.clone());
        r.register(
            "refused_inputs",
            "Inputs that the state refused",
            self.refused.clone(),
        );
        r.register(
            "store_append_seconds",
            "Time to append a batch to the store",
            self.append_seconds.clone(),
        );
        r.register(
            "batch_inputs",
            "Inputs taken at once",
            self.batch_inputs.clone(),
        );
        r.register(
            "decide_seconds",
            "Time of a decision",
            self.decide_seconds.clone(),
        );
        self.artefacts.register(r);
        registry
    }

    fn register_guards(&self, r: &mut Registry) {
        r.register(
            "cord_pulled",
            "1 while the cord is pulled",
            self.cord_pulled.clone(),
        );
        r.register(
            "cord_hosts_at_risk",
            "Hosts that regions which have not heard of the cord may still start",
            self.cord_hosts_at_risk.clone(),
        );
        r.register(
            "guards",
            "Hosts by what their guards do",
            self.guards.clone(),
        );
        r.register(
            "guards_not_in_control",
            "Hosts whose guards do not control every channel",
            self.guards_not_in_control.clone(),
        );
        r.register(
            "guard_windows",
            "Hosts at which a person has opened a window",
            self.guard_windows.clone(),
        );
        r.register(
            "drifted_hosts",
            "Hosts on which something changed without an order",
            self.drifted_hosts.clone(),
        );
        r.register(
            "guard_tries",
            "Changes of packages that no order covers, by what became of them",
            self.guard_tries.clone(),
        );
        r.register(
            "guard_losses",
            "Times that a guard lost control of a channel",
            self.guard_losses.clone(),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_shown() {
        let metrics = Metrics::default();
        metrics.orders.inc();
        let answer = "granted";
        metrics.claims.get_or_create(&ByAnswer { answer }).inc();

        let text = metrics.encode().unwrap();

        assert!(text.contains("cofferdam_orders_total 1"), "{text}");
        assert!(
            text.contains("cofferdam_claims_total{answer=\"granted\"} 1"),
            "{text}"
        );
        assert!(text.ends_with("# EOF\n"), "{text}");
    }
}
