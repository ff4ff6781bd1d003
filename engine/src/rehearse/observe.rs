//! Watches the hosts of a world themselves, beside what its coordinator believes.

mod groups;
mod slices;

use self::{groups::Groups, slices::Slices};
use super::{
    report::{Point, Slice, since},
    world::{Agent, Agents, ByNumber, Number},
};
use crate::{
    id::HostId,
    plan::Plan,
    run::{Ending, RunState},
    time::Timestamp,
};
use std::{collections::BTreeSet, time::Duration};

/// The most points of time that are kept: past that every second one goes.
const MOST_POINTS: usize = 600;

/// By then a coordinator knows of a host that fell: twice as long as an end of a session takes to notice.
const NOTICED: Duration = Duration::from_secs(60);

/// How a host stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stands {
    /// It serves, and nobody was at work on it.
    Untouched,
    /// A run is under way.
    Running,
    /// It has the patch.
    Patched,
    /// Its run failed, and it serves with what it had.
    Failed,
    /// It does not serve, and nobody is at work on it.
    Lost,
}

impl Stands {
    /// Whether its run went wrong, or it fell.
    fn is_bad(self) -> bool {
        matches!(self, Self::Failed | Self::Lost)
    }
}

/// What is known of a host.
#[derive(Debug, Clone, Copy)]
struct Seen {
    stands: Stands,
    is_out: bool,
    /// Its slice. Nothing: no wave of the plan takes it.
    slice: Option<usize>,
}

impl Seen {
    fn untouched(slice: Option<usize>) -> Self {
        Self {
            stands: Stands::Untouched,
            is_out: false,
            slice,
        }
    }
}

/// Watches hosts.
#[derive(Debug)]
pub(super) struct Observer {
    start: Timestamp,
    seen: ByNumber<Seen>,
    pub(super) groups: Groups,
    slices: Slices,
    pub(super) harmed: BTreeSet<HostId>,
    now: Point,
    points: Vec<Point>,
    /// How far points are apart, in milliseconds.
    every: u64,
}

impl Observer {
    /// Watches all agents that there are.
    pub(super) fn new(plan: &Plan, agents: &Agents, start: Timestamp) -> Self {
        let mut slices = Slices::default();
        let mut seen = ByNumber::default();
        for (number, agent) in agents.numbered() {
            let planned = plan.hosts.get(&agent.host.id);
            let slice = planned.map(|planned| slices.of(plan, &planned.cell, planned.wave));
            seen.insert(number, Seen::untouched(slice));
        }
        let mut observer = Self {
            start,
            seen,
            groups: Groups::of(plan, agents, start),
            slices,
            harmed: BTreeSet::new(),
            now: Point::default(),
            points: Vec::new(),
            every: 1000,
        };
        for (number, agent) in agents.numbered() {
            observer.begin(number, agent);
        }
        observer
    }

    /// Takes in a host that is out before anything was done. Nobody harmed it.
    fn begin(&mut self, number: Number, agent: &Agent) {
        let Some(seen) = self.seen.get_mut(number).filter(|_| !agent.in_service()) else {
            return;
        };
        seen.is_out = true;
        seen.stands = Stands::Lost;
        self.count(Stands::Lost, true);
        step(&mut self.now.out, true);
        let start = self.start;
        self.groups.note_fallen(number, &agent.host.id, Some(start));
        self.groups.count_out(number, true, false, start);
    }

    /// Looks at a host to which something happened. Whether it is dead for good the world says.
    pub(super) fn look(&mut self, number: Number, agent: &Agent, is_dead: bool, now: Timestamp) {
        if self.seen.get(number).is_none() {
            self.groups.come(number, &agent.host);
            self.seen.insert(number, Seen::untouched(None));
        }
        let Some(seen) = self.seen.get_mut(number) else {
            return;
        };
        let (before, at) = (*seen, since(self.start, now));
        let is_up = agent.process.is_some() || (is_rebooting(agent) && !is_dead);
        let is_out = !agent.in_service() || !is_up;
        let stands = stands(agent, is_up, is_out);
        if before.stands == stands && before.is_out == is_out {
            return;
        }
        *seen = Seen {
            stands,
            is_out,
            ..before
        };
        let has_failed = agent
            .open()
            .is_some_and(|run| run.failure().is_some() && run.is_drained());
        if stands.is_bad() || has_failed {
            self.harmed.insert(agent.host.id.clone());
        }
        self.count(before.stands, false);
        self.count(stands, true);
        let fell = stands == Stands::Lost && agent.open().is_none() && !has_failed_run(agent);
        let known = match is_up {
            true => now.after(NOTICED),
            false => Timestamp(u64::MAX),
        };
        let host = &agent.host.id;
        self.groups.note_fallen(number, host, fell.then_some(known));
        if before.is_out != is_out {
            step(&mut self.now.out, is_out);
            let is_start = stands == Stands::Running;
            self.groups.count_out(number, is_out, is_start, now);
        }
        self.slices.note(before.slice, before.stands, stands, at);
    }

    /// A host is gone: it is of no group any more. Nor is it harmed, unless a run was under way or had failed.
    pub(super) fn forget(&mut self, number: Number, agent: &Agent, now: Timestamp) {
        let host = &agent.host.id;
        if agent.open().is_none() && !has_failed_run(agent) {
            self.harmed.remove(host);
        }
        let Some(seen) = self.seen.remove(number) else {
            return;
        };
        self.count(seen.stands, false);
        if seen.is_out {
            step(&mut self.now.out, false);
        }
        self.groups.forget(number, host, seen.is_out, now);
    }

    fn count(&mut self, stands: Stands, is_more: bool) {
        let count = match stands {
            Stands::Untouched => return,
            Stands::Running => &mut self.now.running,
            Stands::Patched => &mut self.now.patched,
            Stands::Failed => &mut self.now.failed,
            Stands::Lost => &mut self.now.lost,
        };
        step(count, is_more);
    }

    /// Notes how all stands at a moment, if it is far enough from the last one.
    pub(super) fn sample(&mut self, now: Timestamp) -> bool {
        let at_ms = since(self.start, now);
        let due = self
            .points
            .last()
            .is_none_or(|last| at_ms >= last.at_ms + self.every);
        if !due {
            return false;
        }
        self.points.push(Point { at_ms, ..self.now });
        if self.points.len() > MOST_POINTS {
            let mut number = 0;
            self.points.retain(|_| {
                number += 1;
                number % 2 == 1
            });
            self.every *= 2;
        }
        true
    }

    /// The slices that began, in that order, and all points.
    pub(super) fn course(mut self, now: Timestamp) -> (Vec<Slice>, Vec<Point>) {
        let at_ms = since(self.start, now);
        self.points.push(Point { at_ms, ..self.now });
        (self.slices.begun(), self.points)
    }

    /// How many hosts have the patch.
    pub(super) fn patched(&self) -> usize {
        self.now.patched
    }

    /// The hosts that some wave takes and that have not the patch.
    pub(super) fn unpatched(&self, agents: &Agents) -> Vec<HostId> {
        let lacks = |number| {
            let seen = self.seen.get(number);
            seen.is_some_and(|seen| seen.slice.is_some() && seen.stands != Stands::Patched)
        };
        let lacking = agents.numbered().filter(|(number, _)| lacks(*number));
        lacking.map(|(_, agent)| agent.host.id.clone()).collect()
    }

    /// The hosts that do not serve and are not worked on.
    pub(super) fn lost(&self, agents: &Agents) -> Vec<HostId> {
        let is_lost = |number| {
            let seen = self.seen.get(number);
            seen.is_some_and(|seen| seen.stands == Stands::Lost)
        };
        let lost = agents.numbered().filter(|(number, _)| is_lost(*number));
        lost.map(|(_, agent)| agent.host.id.clone()).collect()
    }
}

/// One more, or one less.
fn step(count: &mut usize, is_more: bool) {
    *count = match is_more {
        true => *count + 1,
        false => count.saturating_sub(1),
    };
}

/// Whether its process is away because a run reboots it.
fn is_rebooting(agent: &Agent) -> bool {
    agent
        .open()
        .is_some_and(|run| run.state() == RunState::Rebooting)
}

/// Whether its last run ended otherwise than well.
fn has_failed_run(agent: &Agent) -> bool {
    let run = agent.journal.run.as_ref();
    run.is_some_and(|run| run.failure().is_some())
}

fn stands(agent: &Agent, is_up: bool, is_out: bool) -> Stands {
    if agent.open().is_some() && is_up {
        return Stands::Running;
    }
    let ended = agent
        .journal
        .run
        .as_ref()
        .map(|run| (run.state(), run.failure().is_some()));
    match ended {
        _ if is_out => Stands::Lost,
        Some((RunState::Ended(Ending::Patched), _)) => Stands::Patched,
        Some((RunState::Ended(_), true)) => Stands::Failed,
        Some(_) | None => Stands::Untouched,
    }
}
