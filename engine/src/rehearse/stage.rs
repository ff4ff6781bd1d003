//! What happens to a rehearsal from outside: faults that strike at a moment, and operators.

mod acts;
mod over;
mod strike;

use self::{over::Stillness, strike::Struck};
use super::{
    Modelled,
    play::Rehearsal,
    scenario::{Act, Deed, Event, Fault, FaultKind, When},
    world::World,
};
use crate::{
    id::{HostId, RolloutId},
    plan::Plan,
    rollout::Rollout,
    select::Selection,
    time::Timestamp,
};
use std::collections::{BTreeSet, VecDeque};

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
    struck: Struck,
    acts: VecDeque<&'a Act>,
    acted: usize,
    /// When somebody last did.
    acted_at: Option<Timestamp>,
    /// When somebody first asked for a rollback.
    rolled_back_at: Option<Timestamp>,
    /// Why what operators asked could not be planned.
    pub(super) refused: Vec<String>,
    still: Stillness,
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
            struck: Struck::default(),
            acts: rehearsal.scenario.acts.iter().collect(),
            acted: 0,
            acted_at: None,
            rolled_back_at: None,
            refused: Vec::new(),
            still: Stillness::default(),
        }
    }

    /// The hosts that a fault is about.
    pub(super) fn hosts_of(&self, world: &World<Modelled>, fault: &Fault) -> Vec<HostId> {
        if fault.event() == Some(Event::CoordinatorDies) {
            return Vec::new();
        }
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

    /// All faults, in the order of their file.
    pub(super) fn faults(&self) -> &'a [Fault] {
        &self.rehearsal.scenario.faults
    }

    /// What operators never came to.
    pub(super) fn not_acted(&self) -> impl Iterator<Item = &'a Act> {
        self.acts.iter().copied()
    }

    /// Notes of times that are said of no host of the fleet, and of exclusions of nobody.
    pub(super) fn strangers(&self) -> impl Iterator<Item = String> {
        let hosts = self.rehearsal.hosts;
        let is_of_none = |selection: &Selection| !hosts.iter().any(|host| selection.matches(host));
        let times = self.rehearsal.scenario.others.iter();
        let times = times.filter_map(move |other| other.hosts.selection.as_ref());
        let of_times = times.filter(move |selection| is_of_none(selection));
        let of_times = of_times
            .map(|selection| format!("times_for is about no host of the fleet: {selection}"));
        let acts = self.rehearsal.scenario.acts.iter();
        let excluded = acts.filter_map(|act| act.does.excluded());
        let excluded = excluded.filter(move |selection| is_of_none(selection));
        let excluded = excluded
            .map(|selection| format!("an exclusion is of no host of the fleet: {selection}"));
        of_times.chain(excluded)
    }

    /// When somebody asked that the rollout be taken back. Nothing: nobody did.
    pub(super) fn went_back_at(&self, world: &World<Modelled>) -> Option<Timestamp> {
        let rollout = rollout(world, &self.plan.rollout)?;
        rollout.goes_back().then_some(self.rolled_back_at?)
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
            if act.does == Deed::Rollback {
                self.rolled_back_at.get_or_insert(world.now);
            }
            self.act(world, &act.does);
        }
    }
}

pub(super) fn rollout<'w>(world: &'w World<Modelled>, name: &RolloutId) -> Option<&'w Rollout> {
    world.owner.fleet.rollouts().get(name)
}
