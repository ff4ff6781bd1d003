//! What happens to a rehearsal from outside: faults that strike at a moment, and operators.

use super::{
    Modelled,
    play::{Rehearsal, STILL, operator},
    scenario::{Act, Deed, Event, Fault, FaultKind, When},
    world::{Boots, Crash, World},
};
use crate::{
    denial::Scope,
    exception::Word,
    fleet::FleetEvent,
    id::{CellId, HostId, OperatorId, RolloutId},
    plan::Plan,
    rollout::{Action, Phase, Rollout, RolloutEvent},
    select::Selection,
    time::Timestamp,
};
use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

/// How long what an operator asks may be under way.
const HEARD: Duration = Duration::from_secs(60);

/// What of a fault comes at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    /// It begins.
    Begins,
    /// The coordinator learns of it, later than it began.
    Learnt,
    /// It ends.
    Ends,
}

/// Sets the stage of a world.
#[derive(Debug)]
pub(super) struct Stage<'a> {
    rehearsal: &'a Rehearsal<'a>,
    plan: &'a Plan,
    start: Timestamp,
    /// What is to come, in order: of which fault, and what of it.
    coming: BTreeSet<(Timestamp, usize, Turn)>,
    /// How much later than it happens it is learnt that a host was deleted.
    learnt_late: Duration,
    acts: VecDeque<&'a Act>,
    acted: usize,
    /// When somebody last did.
    acted_at: Option<Timestamp>,
    /// Why what operators asked could not be planned.
    pub(super) refused: Vec<String>,
    /// When the rollout was first seen not to move. Nothing: it moves.
    still_since: Option<Timestamp>,
}

impl<'a> Stage<'a> {
    pub(super) fn new(rehearsal: &'a Rehearsal<'a>, plan: &'a Plan, start: Timestamp) -> Self {
        let mut coming = BTreeSet::new();
        for (place, fault) in rehearsal.scenario.faults.iter().enumerate() {
            if let FaultKind::Timed { at, lasts, .. } = fault.kind {
                coming.insert((start.after(at), place, Turn::Begins));
                if !lasts.is_zero() {
                    coming.insert((start.after(at).after(lasts), place, Turn::Ends));
                }
            }
        }
        Self {
            rehearsal,
            plan,
            start,
            coming,
            learnt_late: Duration::ZERO,
            acts: rehearsal.scenario.acts.iter().collect(),
            acted: 0,
            acted_at: None,
            refused: Vec::new(),
            still_since: None,
        }
    }

    /// The hosts that a fault is about.
    pub(super) fn hosts_of(&self, world: &World<Modelled>, fault: &Fault) -> Vec<HostId> {
        if fault.throttles() {
            // Its answers are late: those about hosts that go.
            let faults = self.rehearsal.scenario.faults.iter();
            let gone = faults.filter(|fault| fault.event() == Some(Event::HostsGone));
            return gone.flat_map(|fault| self.hosts_of(world, fault)).collect();
        }
        let picked = world
            .model
            .pick(&fault.hosts, &fault.name, self.rehearsal.hosts);
        picked.into_iter().cloned().collect()
    }

    /// How many times operators acted.
    pub(super) fn acted(&self) -> usize {
        self.acted
    }

    /// When something comes from outside. Nothing: nothing does by itself.
    pub(super) fn next_at(&self, world: &World<Modelled>) -> Option<Timestamp> {
        let fault = self.coming.first().map(|(at, _, _)| *at);
        let act = self.acts.front().and_then(|act| match &act.when {
            When::At(at) => Some(self.start.after(*at)),
            When::Phase(phase) => self.is_in(world, phase).then_some(world.now),
        });
        [fault, act].into_iter().flatten().min()
    }

    /// Whether the rollout is in a phase.
    fn is_in(&self, world: &World<Modelled>, phase: &str) -> bool {
        let rollout = rollout(world, &self.plan.rollout);
        rollout.is_some_and(|rollout| rollout.phase().name() == phase)
    }

    /// Lets everything come that is due at a moment.
    pub(super) fn set(&mut self, world: &mut World<Modelled>, next: Timestamp) {
        while let Some(one) = self.coming.first().copied().filter(|(at, ..)| *at <= next) {
            let (at, place, turn) = one;
            self.coming.remove(&one);
            let ahead = at.since(world.now);
            world.advance(ahead);
            self.strike(world, place, turn);
        }
        let Some(act) = self.acts.front().copied() else {
            return;
        };
        let is_due = match &act.when {
            When::At(at) => self.start.after(*at) <= next,
            When::Phase(phase) => self.is_in(world, phase),
        };
        if is_due {
            self.acts.pop_front();
            self.acted += 1;
            self.acted_at = Some(world.now);
            self.act(world, &act.does);
        }
    }

    fn strike(&mut self, world: &mut World<Modelled>, place: usize, turn: Turn) {
        let Some(fault) = self.rehearsal.scenario.faults.get(place) else {
            return;
        };
        let FaultKind::Timed { event, lasts, .. } = fault.kind else {
            return;
        };
        let mut hosts = self.hosts_of(world, fault);
        hosts.retain(|host| world.agents.contains_key(host));
        match turn {
            Turn::Begins => {
                let now = world.now;
                world.model.struck.entry(place).or_insert(now);
                self.begin(world, place, event, lasts, &hosts);
            }
            Turn::Learnt => hosts.iter().for_each(|host| world.forget(host)),
            Turn::Ends => self.end(world, event, &hosts),
        }
    }

    fn begin(
        &mut self,
        world: &mut World<Modelled>,
        place: usize,
        event: Event,
        lasts: Duration,
        hosts: &[HostId],
    ) {
        match event {
            Event::HostsCut => hosts.iter().for_each(|host| world.cut(host)),
            Event::CellsCut => {
                let cells = cells(world, hosts);
                cells.iter().for_each(|cell| world.cut_cell(cell));
            }
            Event::HostsDie => {
                for host in hosts {
                    world.crash_agent(host, Boots::Anew, (!lasts.is_zero()).then_some(lasts));
                }
            }
            Event::HostsGone => self.go(world, place, hosts),
            Event::HostsCome => self.come(world, place),
            Event::HostsFall => hosts.iter().for_each(|host| world.fall(host)),
            Event::CoordinatorDies => {
                let away = lasts.max(Duration::from_secs(1));
                world.crash_owner(Crash::BeforeStore, away);
            }
            Event::InventoryThrottled { late } => self.learnt_late = late,
        }
    }

    fn end(&mut self, world: &mut World<Modelled>, event: Event, hosts: &[HostId]) {
        match event {
            Event::HostsCut => hosts.iter().for_each(|host| world.mend(host)),
            Event::CellsCut => {
                let cells = cells(world, hosts);
                cells.iter().for_each(|cell| world.mend_cell(cell));
            }
            Event::HostsFall => hosts.iter().for_each(|host| world.repair(host)),
            Event::InventoryThrottled { .. } => self.learnt_late = Duration::ZERO,
            Event::HostsDie | Event::HostsGone | Event::HostsCome | Event::CoordinatorDies => {}
        }
    }

    /// Hosts are born that are not there yet.
    fn come(&self, world: &mut World<Modelled>, place: usize) {
        let Some(fault) = self.rehearsal.scenario.faults.get(place) else {
            return;
        };
        let born: BTreeSet<HostId> = self.hosts_of(world, fault).into_iter().collect();
        for host in self
            .rehearsal
            .hosts
            .iter()
            .filter(|host| born.contains(&host.id))
        {
            if !world.agents.contains_key(&host.id) {
                world.join(host.clone());
            }
        }
    }

    /// Hosts die for good. That they are deleted is learnt at once, or as late as the inventory answers.
    fn go(&mut self, world: &mut World<Modelled>, place: usize, hosts: &[HostId]) {
        for host in hosts {
            world.crash_agent(host, Boots::Anew, None);
        }
        match self.learnt_late.is_zero() {
            true => hosts.iter().for_each(|host| world.forget(host)),
            false => {
                let learnt = world.now.after(self.learnt_late);
                self.coming.insert((learnt, place, Turn::Learnt));
            }
        }
    }

    fn act(&mut self, world: &mut World<Modelled>, does: &Deed) {
        match does {
            Deed::Resume => self.ask(world, Action::Resume),
            Deed::Pause => self.ask(world, Action::Pause),
            Deed::Abort => self.ask(world, Action::Abort),
            Deed::Rollback => self.ask(world, Action::Rollback),
            Deed::Exclude(selection) => {
                let said = RolloutEvent::Excepted {
                    word: Word::Exclude,
                    hosts: self.matched(selection),
                    by: operator(),
                    reason: String::new(),
                };
                self.tell(world, said);
                let rollout = rollout(world, &self.plan.rollout);
                if rollout.is_some_and(|rollout| matches!(rollout.phase(), Phase::Paused { .. })) {
                    self.ask(world, Action::Resume);
                }
            }
            Deed::StartAgain => self.start_again(world),
            Deed::Approve => self.approve(world),
            Deed::Promote => self.promote(world),
        }
    }

    /// For each host that waits somebody says yes who may.
    fn approve(&mut self, world: &mut World<Modelled>) {
        let rollout = rollout(world, &self.plan.rollout);
        let waiting = rollout.into_iter().flat_map(|rollout| {
            let hosts = rollout.plan().approvals.keys();
            hosts.filter_map(|host| rollout.awaits_approval(host))
        });
        let by = waiting.filter_map(|needed| needed.by.first().cloned());
        let by: BTreeSet<OperatorId> = by.collect();
        if by.is_empty() {
            self.refused
                .push("nothing waits for an approval".to_owned());
        }
        for by in by {
            let reason = String::new();
            self.tell(world, RolloutEvent::Approved { by, reason });
        }
    }

    fn promote(&mut self, world: &mut World<Modelled>) {
        let Some(by) = self.plan.approvers.first().cloned() else {
            let refusal = "nobody may end a bake: the file names no approvers";
            self.refused.push(refusal.to_owned());
            return;
        };
        let reason = String::new();
        self.tell(world, RolloutEvent::Promoted { by, reason });
    }

    fn matched(&self, selection: &Selection) -> BTreeSet<HostId> {
        let hosts = self.rehearsal.hosts.iter();
        let matched = hosts.filter(|host| selection.matches(host));
        let planned = matched.filter(|host| self.plan.hosts.contains_key(&host.id));
        planned.map(|host| host.id.clone()).collect()
    }

    fn ask(&self, world: &mut World<Modelled>, action: Action) {
        let said = RolloutEvent::Asked {
            action,
            reach: Scope::default(),
            by: operator(),
            reason: String::new(),
        };
        self.tell(world, said);
    }

    fn tell(&self, world: &mut World<Modelled>, event: RolloutEvent) {
        let rollout = self.plan.rollout.clone();
        world.act(FleetEvent::Rollout { rollout, event });
    }

    /// Starts the same bits again under another name. What refuses that stands in the report.
    fn start_again(&mut self, world: &mut World<Modelled>) {
        let again = self
            .rehearsal
            .plan(world)
            .map_err(|errors| errors.to_string());
        match again.and_then(renamed) {
            Err(refusal) => self.refused.push(refusal),
            Ok(plan) => world.act(FleetEvent::RolloutStarted {
                plan: Box::new(plan),
                by: operator(),
            }),
        }
    }

    /// Whether the rollout is over, or stands still and nothing comes that could move it.
    pub(super) fn is_over(&mut self, world: &World<Modelled>) -> bool {
        let is_heard = self.acted_at.is_none_or(|at| world.now.since(at) > HEARD);
        if self.next_at(world).is_some() || !(is_heard || world.next_at().is_none()) {
            return false;
        }
        let Some(rollout) = rollout(world, &self.plan.rollout) else {
            // Its start is still under way.
            return world.now.since(self.start) > STILL;
        };
        let stands = match rollout.phase() {
            Phase::Ended { .. } => return true,
            Phase::Paused { .. } => true,
            Phase::Running => stands_for_good(rollout),
            Phase::Aborting | Phase::RollingBack => false,
        };
        if !stands {
            self.still_since = None;
            return false;
        }
        let since = *self.still_since.get_or_insert(world.now);
        world.now.since(since) > STILL
    }

    /// When it was over, or began to stand still.
    pub(super) fn ended_at(&self, world: &World<Modelled>) -> Timestamp {
        let ended = rollout(world, &self.plan.rollout).and_then(Rollout::ended_at);
        ended.or(self.still_since).unwrap_or(world.now)
    }
}

/// A plan under another name.
fn renamed(mut plan: Plan) -> Result<Plan, String> {
    let name = RolloutId::new(format!("{}-again", plan.rollout));
    let name = name.map_err(|mistake| mistake.to_string())?;
    for assignment in plan.assignments.values_mut() {
        assignment.rollout = name.clone();
    }
    plan.rollout = name;
    Ok(plan)
}

/// Whether the waves of a rollout are over that stays for hosts which come later.
fn stands_for_good(rollout: &Rollout) -> bool {
    let waves = rollout.plan().waves.len();
    let is_last = usize::try_from(rollout.wave().0).is_ok_and(|wave| wave + 1 == waves);
    rollout.is_standing() && is_last && rollout.bake_since().is_some()
}

pub(super) fn rollout<'w>(world: &'w World<Modelled>, name: &RolloutId) -> Option<&'w Rollout> {
    world.owner.fleet.rollouts().get(name)
}

/// The cells of hosts.
fn cells(world: &World<Modelled>, hosts: &[HostId]) -> BTreeSet<CellId> {
    let homes = world.owner.fleet.homes();
    hosts
        .iter()
        .filter_map(|host| homes.get(host).cloned())
        .collect()
}
