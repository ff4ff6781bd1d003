//! When a rehearsal is over: the rollout has ended, or stands still and nothing comes that could move it.

use super::Stage;
use crate::{
    rehearse::{
        Modelled,
        play::STILL,
        world::{Number, World},
    },
    rollout::{Phase, Rollout},
    time::Timestamp,
};
use std::time::Duration;

/// How long what an operator asks may be under way.
const HEARD: Duration = Duration::from_secs(60);

/// How far a rehearsal is from its end.
#[derive(Debug, Default)]
pub(super) struct Stillness {
    /// When the rollout was first seen not to move. Nothing: it moves.
    since: Option<Timestamp>,
    /// Runs that were under way when it was seen not to.
    open: Vec<Number>,
    /// Until when something is waited for that time alone brings.
    awaited_until: Option<Timestamp>,
}

impl Stage<'_> {
    /// Whether the rollout is over and its last run, too; or it stands still and nothing comes that could move
    /// it.
    pub(in crate::rehearse) fn is_over(&mut self, world: &mut World<Modelled>) -> bool {
        let is_heard = self.acted_at.is_none_or(|at| world.now.since(at) > HEARD);
        if self.next_at(world).is_some() || !(is_heard || world.next_at().is_none()) {
            return false;
        }
        if !self.stands(world) {
            self.still = Stillness::default();
            return false;
        }
        let since = match self.still.since {
            Some(since) => since,
            None => {
                self.still.open = at_work(world, None);
                self.still.since = Some(world.now);
                world.now
            }
        };
        if !self.still.open.is_empty() {
            self.still.open = at_work(world, Some(&self.still.open));
        }
        let is_still = world.now.since(since) > STILL;
        is_still || (self.has_ended(world) && self.still.open.is_empty())
    }

    /// Whether nothing moves any rollout.
    fn stands(&mut self, world: &mut World<Modelled>) -> bool {
        let rollouts = world.owner.fleet.rollouts();
        if !rollouts.contains_key(&self.plan.rollout) {
            // Its start is still under way.
            return world.now.since(self.start) > STILL;
        }
        rollouts.values().all(stands_by_itself) || self.is_stalled(world)
    }

    /// Whether every rollout has ended.
    fn has_ended(&self, world: &World<Modelled>) -> bool {
        let mut rollouts = world.owner.fleet.rollouts().values();
        rollouts.all(|rollout| !rollout.is_live())
    }

    /// Whether nothing happened to any host for long, and no hold ends by time.
    fn is_stalled(&mut self, world: &mut World<Modelled>) -> bool {
        if !world.owner.is_up || world.now.since(world.touched_at) <= STILL {
            return false;
        }
        if self.still.since.is_some() {
            return true;
        }
        if self
            .still
            .awaited_until
            .is_some_and(|until| world.now <= until)
        {
            return false;
        }
        let holds = world.owner.explained(world.now).holds;
        let ends = holds.iter().filter_map(|hold| hold.reason.until());
        let next = ends.filter(|until| *until > world.now).min();
        self.still.awaited_until = next.map(|until| until.after(STILL));
        next.is_none()
    }

    /// When it was over, or began to stand still.
    pub(in crate::rehearse) fn ended_at(&self, world: &World<Modelled>) -> Timestamp {
        let rollout = super::rollout(world, &self.plan.rollout);
        let stalled = || {
            let is_running = rollout.is_some_and(|rollout| !stands_by_itself(rollout));
            is_running.then_some(world.touched_at)
        };
        let ended = rollout.and_then(Rollout::ended_at).or_else(stalled);
        ended.or(self.still.since).unwrap_or(world.now)
    }

    /// Whether it stood still at the end although nobody had paused it.
    pub(in crate::rehearse) fn has_stalled(&self, world: &World<Modelled>) -> bool {
        let rollout = super::rollout(world, &self.plan.rollout);
        rollout.is_some_and(|rollout| !stands_by_itself(rollout))
    }
}

/// Whether a rollout is over or paused, or its waves are over and it stays for hosts that come later.
fn stands_by_itself(rollout: &Rollout) -> bool {
    match rollout.phase() {
        Phase::Ended { .. } | Phase::Paused { .. } => true,
        Phase::Running => stands_for_good(rollout),
        Phase::Aborting | Phase::RollingBack => false,
    }
}

fn stands_for_good(rollout: &Rollout) -> bool {
    let waves = rollout.plan().waves.len();
    let is_last = usize::try_from(rollout.wave().0).is_ok_and(|wave| wave + 1 == waves);
    rollout.is_standing() && is_last && rollout.bake_since().is_some()
}

/// The agents that have a run under way, of some or of all. That of a host which is dead for good goes nowhere.
fn at_work(world: &World<Modelled>, of: Option<&[Number]>) -> Vec<Number> {
    let works = |number: &Number| {
        let agent = world.agents.at(*number);
        agent.is_some_and(|agent| agent.open().is_some()) && !world.dead.contains(number)
    };
    match of {
        Some(of) => of.iter().copied().filter(works).collect(),
        None => {
            let all = world.agents.numbered().map(|(number, _)| number);
            all.filter(works).collect()
        }
    }
}
