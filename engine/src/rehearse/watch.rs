//! Watches what a world's coordinator shows: who looks at `status` and `explain` sees no more.

mod held;
mod symptom;

use self::{held::Holds, symptom::Symptom};
use super::{
    Modelled,
    report::{Checks, FaultSeen, HeldBy, Pause, since},
    scenario::{Event, FaultKind},
    stage::{self, Stage},
    world::{HeldTo, World},
};
use crate::{
    fleet::FleetDecision,
    hold::Hold,
    id::{HostId, RolloutId},
    rollout::{PauseCause, Phase, Rollout},
    time::Timestamp,
};
use std::collections::BTreeMap;

/// It is looked at the whole fleet when this share of the time has passed again: a look takes a whole
/// decision, and there are to be some dozens of them, however long a rehearsal is (guess).
const LOOKS_EVERY: u64 = 10;

/// The least time between two such looks, in milliseconds (guess).
const LEAST_MS: u64 = 60_000;

/// Watches a coordinator.
#[derive(Debug)]
pub(super) struct Watch {
    start: Timestamp,
    faults: Vec<(FaultKind, FaultSeen)>,
    /// The faults that each host is of.
    of_host: BTreeMap<HostId, Vec<usize>>,
    pub(super) pauses: Vec<Pause>,
    is_paused: bool,
    /// When it is looked next at the whole fleet.
    looks_at_ms: u64,
    /// How often it was checked as a whole: at every second look, which costs several times what a look does.
    looks: usize,
    is_checked_next: bool,
    holds: Holds,
    checks_each_step: bool,
}

impl Watch {
    pub(super) fn new(stage: &Stage<'_>, world: &World<Modelled>) -> Self {
        let mut of_host: BTreeMap<HostId, Vec<usize>> = BTreeMap::new();
        let mut faults = Vec::new();
        for (place, fault) in stage.faults().iter().enumerate() {
            let hosts = stage.hosts_of(world, fault);
            let seen = FaultSeen {
                name: fault.name.clone(),
                hosts: hosts.len(),
                struck_ms: None,
                noticed_ms: None,
                by: String::new(),
            };
            faults.push((fault.kind, seen));
            for host in hosts {
                of_host.entry(host).or_default().push(place);
            }
        }
        let checks_each_step = world.owner.held == HeldTo::EachStep;
        Self {
            start: world.now,
            faults,
            of_host,
            pauses: Vec::new(),
            is_paused: false,
            looks_at_ms: 0,
            looks: 0,
            is_checked_next: false,
            holds: Holds::new(world.now, checks_each_step),
            checks_each_step,
        }
    }

    /// When it began.
    pub(super) fn start(&self) -> Timestamp {
        self.start
    }

    /// Looks whether the fleet shows what is wrong with a host.
    pub(super) fn look(&mut self, world: &World<Modelled>, host: &HostId) {
        let Some(places) = self.of_host.get(host) else {
            return;
        };
        let mut symptoms = None;
        for place in places {
            let Some((kind, seen)) = self.faults.get_mut(*place) else {
                continue;
            };
            if seen.noticed_ms.is_some() || !world.model.has_struck(*place, host) {
                continue;
            }
            let fleet = &world.owner.fleet;
            let symptoms: &Vec<Symptom> =
                symptoms.get_or_insert_with(|| Symptom::all(fleet, host, world.now));
            if let Some(by) = symptoms.iter().find(|symptom| symptom.tells_of(kind)) {
                seen.noticed_ms = Some(since(self.start, world.now));
                seen.by = by.told();
            }
        }
    }

    /// A coordinator that died is noticed once it is back: until then there is nobody to notice it.
    fn look_at_coordinator(&mut self, world: &World<Modelled>) {
        if !world.owner.is_up {
            return;
        }
        for (place, (kind, seen)) in self.faults.iter_mut().enumerate() {
            let is_death = kind.event() == Some(Event::CoordinatorDies);
            let struck = world.model.struck.get(&place).copied();
            if is_death && seen.noticed_ms.is_none() && world.owner.started_at > struck {
                seen.noticed_ms = Some(since(self.start, world.now));
                let epoch = world.owner.fleet.epoch();
                seen.by = format!("it is back, as owner {epoch}");
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

    /// Takes in what is held now, where every step is checked.
    pub(super) fn step(&mut self, world: &World<Modelled>) {
        self.look_at_coordinator(world);
        if self.checks_each_step && world.owner.is_up {
            self.holds.count(&world.owner.rest.holds, world.now);
        }
    }

    /// Looks at all hosts of faults that nobody noticed yet, and now and then at the whole fleet: whether it
    /// keeps its promises, and what is held. That takes a whole decision.
    pub(super) fn sample(&mut self, world: &mut World<Modelled>) {
        let at_ms = since(self.start, world.now);
        if at_ms >= self.looks_at_ms && !self.checks_each_step && world.owner.is_up {
            self.looks_at_ms = at_ms + (at_ms / LOOKS_EVERY).max(LEAST_MS);
            let whole = world.owner.explained(world.now);
            self.holds.count(&whole.holds, world.now);
            self.is_checked_next = !self.is_checked_next;
            if self.is_checked_next {
                self.check(world, &whole);
            }
        }
        self.look_at_all(world);
    }

    /// Holds the whole fleet against the promises.
    fn check(&mut self, world: &mut World<Modelled>, whole: &FleetDecision) {
        self.looks += 1;
        world.owner.check_whole(whole, world.now);
    }

    /// The last look, at the end: what holds then.
    pub(super) fn end(&mut self, world: &mut World<Modelled>) -> Vec<Hold> {
        let whole = world.owner.explained(world.now);
        if !self.checks_each_step && world.owner.is_up {
            self.check(world, &whole);
        }
        whole.holds
    }

    /// How closely promises were checked.
    pub(super) fn checks(&self) -> Checks {
        match self.checks_each_step {
            true => Checks::EachStep,
            false => Checks::EachCommand { looks: self.looks },
        }
    }

    fn look_at_all(&mut self, world: &World<Modelled>) {
        let is_open = |place: &usize| {
            let seen = self.faults.get(*place);
            seen.is_some_and(|(_, seen)| seen.noticed_ms.is_none())
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
        self.holds.all()
    }

    /// What became of the faults.
    pub(super) fn faults(&self, world: &World<Modelled>) -> Vec<FaultSeen> {
        let faults = self.faults.iter().enumerate();
        let seen = faults.map(|(place, (_, seen))| {
            let struck = world.model.struck.get(&place);
            FaultSeen {
                struck_ms: struck.map(|at| since(self.start, *at)),
                ..seen.clone()
            }
        });
        seen.collect()
    }

    /// Hosts that were patched twice by one rollout.
    pub(super) fn doubled(&self, world: &World<Modelled>) -> Vec<String> {
        let agents = world.agents.values().filter(|agent| agent.is_doubled);
        let doubled = agents.map(|agent| format!("{} was patched twice", agent.host.id));
        doubled.collect()
    }
}

fn wave_name(rollout: &Rollout) -> String {
    let wave = rollout.plan().wave(rollout.wave());
    wave.map(|wave| wave.name.to_string()).unwrap_or_default()
}
