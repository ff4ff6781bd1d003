//! What tests ask of a world: how things stand, and whether what the fleet believes is true.

use super::{Agent, START, World, hosts::id, rollout::rollout_id};
use cofferdam_engine::{
    cell::{Active, CellEvent},
    fleet::FleetEvent,
    hold::Hold,
    id::HostId,
    ledger::Occupancy,
    order::{ClaimPoint, Order},
    rollout::Rollout,
    run::{Ending, RunState},
    time::Timestamp,
    warrant::{Change, FailedEnd, Outcome},
};
use std::time::Duration;

impl World {
    /// Lets time pass; fails when a promise was broken.
    pub(crate) fn pass(&mut self, time: Duration) {
        self.advance(time);
        self.assert_sound();
    }

    /// Lets one thing happen after the other until something is so; fails when it is not within a
    /// day, or when a promise was broken.
    pub(crate) fn until(&mut self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let day = self.now.after(Duration::from_secs(24 * 3600));
        while !is_so(self) {
            let may_yet = self.now < day && !self.owner.is_stuck;
            assert!(may_yet, "never: {what}\n{}", self.sketch());
            let next = self.until_next();
            self.advance(next);
        }
        self.assert_sound();
    }

    /// Fails when a promise was broken.
    pub(crate) fn assert_sound(&self) {
        let untrue = self.untrue();
        assert!(
            self.owner.broken.is_empty() && untrue.is_empty(),
            "{:#?}\n{untrue:#?}\n{}",
            self.owner.broken,
            self.sketch()
        );
    }

    /// A rollout.
    pub(crate) fn rollout(&self, name: &str) -> &Rollout {
        &self.owner.fleet.rollouts()[&rollout_id(name)]
    }

    /// Where a rollout stands, in one word.
    pub(crate) fn phase(&self, name: &str) -> &'static str {
        self.rollout(name).phase().name()
    }

    /// How a host stands in a rollout, in one word.
    pub(crate) fn outcome(&self, rollout: &str, host: &HostId) -> &'static str {
        match self.rollout(rollout).outcomes().get(host) {
            None => "untouched",
            Some(Outcome::Waiting) => "waiting",
            Some(Outcome::Running) => "running",
            Some(Outcome::Passed) => "passed",
            Some(Outcome::Failed { end, .. }) => match end {
                FailedEnd::RolledBack => "failed",
                FailedEnd::Quarantined => "quarantined",
                FailedEnd::Silent => "silent",
            },
            Some(Outcome::LeftOut { .. }) => "left out",
            Some(Outcome::Skipped { change, .. }) => match change {
                Change::NotBegun => "skipped",
                Change::Unknown => "skipped and silent",
            },
            Some(Outcome::RolledBack) => "rolled back",
            Some(Outcome::Gone) => "gone",
        }
    }

    /// The hosts that stand so in a rollout.
    pub(crate) fn hosts_that_are(&self, rollout: &str, outcome: &str) -> Vec<HostId> {
        let mut hosts: Vec<HostId> = self.agents.keys().cloned().collect();
        hosts.retain(|host| self.outcome(rollout, host) == outcome);
        hosts
    }

    /// The order that is out to a host.
    pub(crate) fn active(&self, host: &HostId) -> Option<&Active> {
        let (cell, _) = self.owner.fleet.host(host)?;
        let jobs = cell.work().values().filter_map(|work| work.jobs.get(host));
        jobs.filter_map(|job| job.active()).next()
    }

    /// Where the run on a host is.
    pub(crate) fn state_of(&self, host: &str) -> Option<RunState> {
        let run = self.agents[&id(host)].journal.run.as_ref();
        run.map(|run| run.state())
    }

    /// What the run on a host asks its owner.
    pub(crate) fn awaits(&self, host: &str) -> Option<ClaimPoint> {
        self.agents[&id(host)].open()?.awaits()
    }

    /// Whether the bits of a rollout are on a host.
    pub(crate) fn has_staged(&self, host: &HostId) -> bool {
        !self.agents[host].staged.is_empty()
    }

    /// Every order that was given, and when.
    pub(crate) fn orders(&self) -> impl Iterator<Item = (Timestamp, &Order)> {
        self.owner.log.iter().filter_map(|(at, event)| {
            let FleetEvent::Cell { event, .. } = event else {
                return None;
            };
            let CellEvent::Ordered { order } = event else {
                return None;
            };
            Some((*at, order.as_ref()))
        })
    }

    /// Why nothing moves.
    pub(crate) fn holds(&self) -> &[Hold] {
        &self.owner.rest.holds
    }

    /// The hosts in the ledgers, each with how it stands there.
    pub(crate) fn ledger(&self) -> Vec<(HostId, &'static str)> {
        let cells = self.owner.fleet.cells().values();
        let entries = cells.flat_map(|cell| cell.ledger().entries());
        let word = |occupancy: &Occupancy| match occupancy {
            Occupancy::Reserved => "reserved",
            Occupancy::Disrupted => "disrupted",
            Occupancy::Casualty { .. } => "casualty",
        };
        entries
            .map(|(host, entry)| (host.clone(), word(&entry.occupancy)))
            .collect()
    }

    /// What the fleet believes that is not so, whatever the state of the links.
    pub(crate) fn untrue(&self) -> Vec<String> {
        let fleet = &self.owner.fleet;
        let mut untrue = Vec::new();
        for (host, agent) in self.agents.iter() {
            let Some((cell, member)) = fleet.host(host) else {
                continue;
            };
            let is_known = member.incarnation == agent.journal.incarnation;
            if is_known && agent.is_drained() && !cell.ledger().holds(host) {
                untrue.push(format!("{host} is drained, and free in the ledger"));
            }
            if agent.is_mistaken {
                untrue.push(format!(
                    "{host} was patched with another delta than its order's"
                ));
            }
            let mut keys = agent.journal.accepted.clone();
            keys.dedup();
            if !keys.is_sorted() || keys.len() != agent.journal.accepted.len() {
                untrue.push(format!("{host} accepted {:?}", agent.journal.accepted));
            }
        }
        untrue
    }

    /// What is not over, or is kept without need: runs, drained hosts, entries of the ledger.
    pub(crate) fn unfinished(&self) -> Vec<String> {
        let mut unfinished = Vec::new();
        for (host, agent) in self.agents.iter() {
            let state = agent.journal.run.as_ref().map(|run| run.state());
            if agent.open().is_some() {
                unfinished.push(format!("{host} still runs: {state:?}"));
            }
            let quarantined = state == Some(RunState::Ended(Ending::Quarantined));
            if agent.is_drained() && !quarantined {
                unfinished.push(format!("{host} is left drained: {state:?}"));
            }
            let entry = self.owner.fleet.host(host);
            let entry = entry.and_then(|(cell, _)| cell.ledger().entry(host));
            if agent.in_service() && entry.is_some() {
                unfinished.push(format!("{host} is in service and not free: {entry:?}"));
            }
            if self.active(host).is_some() {
                unfinished.push(format!("{host} has an order that is not over"));
            }
        }
        unfinished
    }

    /// What rollouts that are over say of hosts, and is not so. Of hosts that were made anew or
    /// forgotten nobody knows.
    pub(crate) fn untrue_at_the_end(&self) -> Vec<String> {
        let is_known = |host: &HostId, agent: &Agent| {
            agent.journal.incarnation.0 == 1 && !self.forgotten.contains(host)
        };
        let known = self
            .agents
            .iter()
            .filter(|(host, agent)| is_known(host, agent));
        let mut untrue = Vec::new();
        for (host, agent) in known {
            for (name, rollout) in self.owner.fleet.rollouts() {
                let has_it = agent.installed.contains(name);
                let outcome = self.outcome(name.as_str(), host);
                let fits = match outcome {
                    "passed" => has_it,
                    "quarantined" => true,
                    "silent" | "skipped and silent" | "running" => false,
                    _ => !has_it,
                };
                if !fits {
                    let phase = rollout.phase().name();
                    untrue.push(format!(
                        "{name} is {phase} and calls {host} {outcome}; it has the patch: {has_it}"
                    ));
                }
            }
        }
        untrue
    }

    /// How everything stands, and how it came to that, for a test that failed.
    pub(crate) fn sketch(&self) -> String {
        let mut text = self.trace(START).join("\n");
        text += &format!("\nat {}\n", self.now);
        for (name, rollout) in self.owner.fleet.rollouts() {
            let (phase, wave) = (rollout.phase(), rollout.wave());
            text += &format!("{name}: {phase:?}, wave {wave}\n");
            for host in rollout.plan().hosts.keys() {
                let outcome = self.outcome(name.as_str(), host);
                text += &format!("  {host}: {outcome}\n");
            }
        }
        for hold in self.holds() {
            text += &format!("held: {}, {}\n", hold.subject, hold.reason);
        }
        for (host, agent) in self.agents.iter() {
            let run = agent.journal.run.as_ref().map(|run| run.state());
            let active = self.active(host).map(|active| active.state);
            let up = agent.process.is_some();
            text += &format!("{host}: up {up}, run {run:?}, as its owner knows {active:?}\n");
        }
        text + &format!("ledger {:?}\n", self.ledger())
    }
}
