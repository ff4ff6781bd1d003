//! Watches what a world's coordinator shows: who looks at `status` and `explain` sees no more.

use super::{
    Modelled,
    report::{FaultSeen, HeldBy, Pause, since},
    scenario::{Event, Scenario},
    stage::{self, Stage},
    world::World,
};
use crate::{
    cell::{JobState, Staging},
    fleet::Fleet,
    id::{HostId, RolloutId},
    rollout::{PauseCause, Phase, Rollout},
    time::Timestamp,
    warrant::Outcome,
};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

/// It is looked at what is held when this share of the time has passed again: a look takes a whole
/// decision, and there are to be some dozens of them, however long a rehearsal is (guess).
const HOLDS_EVERY: u64 = 10;

/// The least time between two such looks, in milliseconds (guess).
const LEAST_MS: u64 = 60_000;

/// Watches a coordinator.
#[derive(Debug)]
pub(super) struct Watch {
    start: Timestamp,
    faults: Vec<FaultSeen>,
    /// Those of them that let hosts be born.
    births: BTreeSet<usize>,
    /// The faults that each host is of.
    of_host: BTreeMap<HostId, Vec<usize>>,
    pub(super) pauses: Vec<Pause>,
    is_paused: bool,
    /// When it is looked next at what is held.
    holds_at_ms: u64,
    by_rule: BTreeMap<&'static str, HeldBy>,
}

impl Watch {
    pub(super) fn new(
        scenario: &Scenario,
        stage: &Stage<'_>,
        world: &World<Modelled>,
        start: Timestamp,
    ) -> Self {
        let mut of_host: BTreeMap<HostId, Vec<usize>> = BTreeMap::new();
        let (mut faults, mut births) = (Vec::new(), BTreeSet::new());
        for (place, fault) in scenario.faults.iter().enumerate() {
            let hosts = stage.hosts_of(world, fault);
            faults.push(FaultSeen {
                name: fault.name.clone(),
                hosts: hosts.len(),
                struck_ms: None,
                noticed_ms: None,
                by: String::new(),
            });
            if fault.event() == Some(Event::HostsCome) {
                births.insert(place);
            }
            for host in hosts {
                of_host.entry(host).or_default().push(place);
            }
        }
        Self {
            start,
            faults,
            births,
            of_host,
            pauses: Vec::new(),
            is_paused: false,
            holds_at_ms: 0,
            by_rule: BTreeMap::new(),
        }
    }

    /// When it began.
    pub(super) fn start(&self) -> Timestamp {
        self.start
    }

    /// Looks whether the fleet shows what is wrong with a host.
    pub(super) fn look(&mut self, world: &World<Modelled>, host: &HostId) {
        let Some(faults) = self.of_host.get(host) else {
            return;
        };
        for place in faults {
            let has_struck = world.model.struck.contains_key(place);
            let Some(seen) = self
                .faults
                .get_mut(*place)
                .filter(|seen| seen.noticed_ms.is_none())
            else {
                continue;
            };
            let shown = match self.births.contains(place) {
                true => enrolled(&world.owner.fleet, host),
                false => shown(&world.owner.fleet, host, world.now),
            };
            if let Some(by) = shown.filter(|_| has_struck) {
                seen.noticed_ms = Some(since(self.start, world.now));
                seen.by = by;
            }
        }
    }

    /// Follows where the rollout stands.
    pub(super) fn follow(&mut self, world: &World<Modelled>, name: &RolloutId) {
        let Some(rollout) = stage::rollout(world, name) else {
            return;
        };
        let Phase::Paused { cause } = rollout.phase() else {
            self.is_paused = false;
            return;
        };
        if std::mem::replace(&mut self.is_paused, true) {
            return;
        }
        let why = match cause {
            PauseCause::Operator { by, .. } => format!("by {by}"),
            PauseCause::Brake { finding } => finding.clone(),
        };
        self.pauses.push(Pause {
            at_ms: since(self.start, world.now),
            wave: wave_name(rollout),
            why,
        });
    }

    /// Looks at all hosts of faults that nobody noticed yet, and now and then at all that is held: that
    /// takes a whole decision.
    pub(super) fn sample(&mut self, world: &mut World<Modelled>) {
        let at_ms = since(self.start, world.now);
        if at_ms >= self.holds_at_ms {
            self.holds_at_ms = at_ms + (at_ms / HOLDS_EVERY).max(LEAST_MS);
            self.sample_holds(world);
        }
        self.look_at_all(world);
    }

    fn sample_holds(&mut self, world: &mut World<Modelled>) {
        let mut counts: BTreeMap<&'static str, usize> = BTreeMap::new();
        for hold in &world.owner.explained(world.now).holds {
            let rule = hold.reason.rule();
            *counts.entry(rule).or_default() += 1;
            let lasts = since(hold.since, world.now);
            let held = self.by_rule.entry(rule).or_insert_with(|| HeldBy {
                rule: rule.to_owned(),
                most: 0,
                longest_ms: 0,
                such_as: String::new(),
            });
            if lasts >= held.longest_ms {
                held.longest_ms = lasts;
                held.such_as = format!("{}: {}", hold.subject, hold.reason);
            }
        }
        for (rule, count) in counts {
            if let Some(held) = self.by_rule.get_mut(rule) {
                held.most = held.most.max(count);
            }
        }
    }

    fn look_at_all(&mut self, world: &World<Modelled>) {
        let is_open = |place: &usize| {
            let seen = self.faults.get(*place);
            seen.is_some_and(|seen| seen.noticed_ms.is_none())
                && world.model.struck.contains_key(place)
        };
        let hosts = self.of_host.iter().filter(|(_, of)| of.iter().any(is_open));
        let hosts: Vec<HostId> = hosts.map(|(host, _)| host.clone()).collect();
        for host in hosts {
            self.look(world, &host);
        }
    }

    /// What held things, the longest first.
    pub(super) fn holds(&self) -> Vec<HeldBy> {
        let mut holds: Vec<HeldBy> = self.by_rule.values().cloned().collect();
        holds.sort_by_key(|held| (Reverse(held.longest_ms), held.rule.clone()));
        holds
    }

    /// What became of the faults.
    pub(super) fn faults(&self, world: &World<Modelled>) -> Vec<FaultSeen> {
        let mut faults = self.faults.clone();
        for (place, at) in &world.model.struck {
            if let Some(seen) = faults.get_mut(*place) {
                seen.struck_ms = Some(since(self.start, *at));
            }
        }
        faults
    }

    /// Hosts that were patched twice by one rollout.
    pub(super) fn doubled(&self, world: &World<Modelled>) -> Vec<String> {
        let agents = world.agents.values().filter(|agent| agent.is_doubled);
        let doubled = agents.map(|agent| format!("{} was patched twice", agent.host.id));
        doubled.collect()
    }
}

/// Where a host is that was born. Nothing: it is not known yet.
fn enrolled(fleet: &Fleet, host: &HostId) -> Option<String> {
    let (cell, _) = fleet.host(host)?;
    Some(format!("it is in cell {}", cell.id()))
}

/// What a fleet shows of a host that is not well. Nothing where it looks well.
fn shown(fleet: &Fleet, host: &HostId, now: Timestamp) -> Option<String> {
    let Some((cell, member)) = fleet.host(host) else {
        return Some("no longer in the inventory".to_owned());
    };
    if fleet.silent().contains_key(cell.id()) {
        return Some(format!("nothing is heard of cell {}", cell.id()));
    }
    let mut active = cell
        .work()
        .values()
        .filter_map(|work| work.jobs.get(host)?.active());
    // Who reboots by order is away for a while, and well: of a host at work its deadlines tell.
    if !member.is_connected() && !active.any(|active| active.disrupted) {
        return Some("not connected".to_owned());
    }
    let jobs = cell
        .work()
        .values()
        .filter_map(|work| Some((work, work.jobs.get(host)?)));
    let of_jobs = jobs.filter_map(|(work, job)| match &job.state {
        JobState::Over(Outcome::Failed { failure, .. }) => Some(failure.to_string()),
        JobState::Over(Outcome::LeftOut { reason, .. }) => Some(reason.clone()),
        JobState::Again(again) => Some(again.failure.to_string()),
        JobState::Active(active) => match (
            &active.failure,
            work.mean.is_slow(now.since(active.ordered_at)),
        ) {
            (Some(failure), _) => Some(failure.to_string()),
            (None, true) => Some("slower than the others".to_owned()),
            (None, false) => None,
        },
        JobState::Waiting => staging_failed(&job.staging),
        JobState::Over(_) => None,
    });
    let shown = of_jobs.into_iter().next();
    shown.or_else(|| (!member.in_service).then(|| "not in service".to_owned()))
}

fn staging_failed(staging: &Staging) -> Option<String> {
    match staging {
        Staging::Again { failure, .. } => Some(failure.to_string()),
        Staging::Asked { failure, .. } => failure.as_ref().map(ToString::to_string),
        Staging::NotAsked | Staging::Ready => None,
    }
}

fn wave_name(rollout: &Rollout) -> String {
    let wave = rollout.plan().wave(rollout.wave());
    wave.map(|wave| wave.name.to_string()).unwrap_or_default()
}
