//! Starts hosts: asks the rules of `candidate` of each; the first that says no is its hold.

use super::{
    HeldWarrant, Job, Lacking, Member, Work, apart,
    candidate::{self, LedgerSays},
    decide::Draft,
    groups::OutCounts,
    permit::Taken,
    so_far::SoFar,
    turn::{self, Wanted},
    window::{self, Windows},
};
use crate::{
    hold::Reason, id::HostId, ledger::Entry, order::Direction, time::Timestamp, warrant::Warrant,
};
use std::collections::BTreeMap;

/// What it costs the groups of a host to have it taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Costs {
    /// It is out already.
    Nothing,
    /// The room for one.
    Room,
}

impl Draft<'_> {
    pub(super) fn start(&mut self, work: &Work, counts: &mut OutCounts) {
        let Some(warrant) = work.warrant.as_ref().map(|held| &held.warrant) else {
            return;
        };
        let agenda = self.cell.agenda(work);
        if agenda.wanted().is_empty() {
            return;
        }
        if let Some(reason) = self.cell.bar(work, self.now) {
            self.hold_slice(work, reason, self.cell.barred_since(work, self.now));
            return;
        }
        self.wake_at(work.warrant.as_ref().map_or(self.now, HeldWarrant::ends_at));
        let settle = work.assignment.deadlines.settle;
        if let Some(until) = self.cell.settles_until(settle, self.now) {
            self.hold_slice(work, Reason::Settle { until }, self.cell.owner_since);
            return;
        }
        let windows = self.windows(work);
        let mut so_far = SoFar {
            counts,
            binding: self.cell.groups.binding(&work.assignment),
            windows,
            active: agenda.active().len(),
            last_start: work.last_start,
            paced: None,
            paced_since: self.now,
            closed: Vec::new(),
            floored: BTreeMap::new(),
            apart: BTreeMap::new(),
        };
        if self.may_skim(work, warrant.direction, &so_far) {
            self.skim(work, warrant, &mut so_far);
        } else {
            for one in turn::wanted(self.cell, work) {
                self.consider_starting(work, warrant, one, &mut so_far);
            }
        }
        self.hold_rest(work, so_far);
    }

    /// The windows of a work now. When one closes, and when a freeze begins, it is looked again.
    fn windows<'w>(&mut self, work: &'w Work) -> Windows<'w> {
        let windows = Windows::at(work, self.now);
        let closes = windows.next_end();
        let freezes = self.cell.calendar.next_begin(self.now);
        closes
            .into_iter()
            .chain(freezes)
            .for_each(|at| self.wake_at(at));
        windows
    }

    /// Says why the rest of a slice does not start.
    fn hold_rest(&mut self, work: &Work, mut so_far: SoFar<'_>) {
        for (_, (reason, since)) in std::mem::take(&mut so_far.apart) {
            self.hold_slice(work, reason, since);
        }
        self.go_on_without(work, &so_far);
        self.go_on_without_held(work, &so_far.windows);
        self.hold_floored(work, &so_far);
        for (reason, since) in so_far.closed {
            self.hold_slice(work, reason, since);
        }
        if let Some(reason) = so_far.paced {
            let since = so_far.last_start.unwrap_or_default();
            self.hold_slice(work, reason, since.max(so_far.paced_since));
        }
    }

    /// Says which groups may have no more out. Time alone makes no room in them: who does not ask why needs
    /// no reason.
    fn hold_floored(&mut self, work: &Work, so_far: &SoFar<'_>) {
        if !self.ask.explains {
            return;
        }
        for (&group, &since) in &so_far.floored {
            let reason = self.cell.groups.reason(so_far.counts, group);
            let since = since.max(self.cell.last_out(group).unwrap_or_default());
            self.hold_slice(work, reason, since);
        }
    }

    /// Holds a host, or leaves it out, for what concerns it alone: its bits, the time, its own state.
    /// Returns since when it may go on, if it may.
    fn ready_since(
        &mut self,
        taken: Taken<'_>,
        job: &Job,
        so_far: &mut SoFar<'_>,
    ) -> Option<Timestamp> {
        let Taken {
            work,
            member,
            direction,
            ..
        } = taken;
        let host = &member.host.id;
        if let Some(reason) = self.denied(taken) {
            self.leave_out(work, host, reason);
            return None;
        }
        let granted = job.granted_at.unwrap_or(self.now);
        let allowed = match self.in_its_time(taken, &so_far.windows) {
            Ok(since) => since,
            Err(reason) => {
                let closed = self.closed_since(work, host, &reason);
                so_far.close(reason, granted.max(closed.unwrap_or_default()));
                return None;
            }
        };
        let granted = granted.max(allowed);
        let held = candidate::held_by_itself(member, job, work, direction, self.now);
        let Some(reason) = held else {
            let ready = candidate::ready_at(member, job, work).unwrap_or_default();
            let since = granted.max(ready).min(self.now);
            return (!self.taken.contains(host)).then_some(since);
        };
        match matches!(reason, Reason::Grace { .. }) {
            true => self.await_rest(work, host, job, granted, reason),
            false => self.hold_or_leave_out(work, host, granted, member, reason),
        }
        None
    }

    /// Since when a window or a freeze keeps a host from starting. Nothing of other reasons; nobody who
    /// does not ask why needs it.
    fn closed_since(&self, work: &Work, host: &HostId, reason: &Reason) -> Option<Timestamp> {
        if !self.ask.explains {
            return None;
        }
        if let Reason::Freeze { name, .. } = reason {
            let mut freezes = self.cell.calendar.freezes.iter();
            let on = freezes.find(|freeze| freeze.name == *name && freeze.from <= self.now);
            return on.map(|freeze| freeze.from);
        }
        let is_window = matches!(reason, Reason::Window { .. });
        is_window
            .then(|| window::last_close(work, host, self.now))
            .flatten()
    }

    /// Starts a host, holds it or leaves it out. Whether its groups had room for one more.
    pub(super) fn consider_starting(
        &mut self,
        work: &Work,
        warrant: &Warrant,
        one: Wanted<'_>,
        so_far: &mut SoFar<'_>,
    ) -> bool {
        let Wanted { member, job, .. } = one;
        let taken = one.taken(work, warrant.direction);
        let Some(since) = self.ready_since(taken, job, so_far) else {
            return true;
        };
        let costs = match self.cost(taken, one.entry, since, so_far) {
            Ok(costs) => costs,
            Err(has_room) => return has_room,
        };
        let beside = || apart::held_by_neighbour(work, &member.host, self.at_work);
        let is_patch = warrant.direction == Direction::Patch;
        if let Some(reason) = is_patch.then(beside).flatten() {
            so_far.keep_apart(member, reason, since);
            return true;
        }
        so_far.pace(work, since, self.now);
        if so_far.paced.is_some() || !self.order_or_leave_out(work, warrant, job, member) {
            return true;
        }
        self.note_started(member, costs, so_far);
        true
    }

    /// What taking a host costs its groups, as far as nothing forbids it that is not its own doing. An error says
    /// whether its groups had room.
    fn cost(
        &mut self,
        taken: Taken<'_>,
        entry: Option<&Entry>,
        since: Timestamp,
        so_far: &mut SoFar<'_>,
    ) -> Result<Costs, bool> {
        let (work, member, direction) = (taken.work, taken.member, taken.direction);
        if let Some(reason) = self.beside_trouble(taken, &so_far.binding) {
            so_far.close(reason, since);
            return Err(true);
        }
        let host = &member.host.id;
        match LedgerSays::of(entry, work, direction) {
            LedgerSays::FreeAndOut => Ok(Costs::Nothing),
            LedgerSays::Held(reason) => {
                self.hold_host(work, host, reason);
                Err(true)
            }
            LedgerSays::Free => {
                let full: Vec<_> = so_far.full(self.cell, host, taken.places).collect();
                if full.is_empty() {
                    return Ok(Costs::Room);
                }
                self.floored(work, (member, since), &full, direction, so_far);
                Err(false)
            }
        }
    }

    fn note_started(&mut self, member: &Member, costs: Costs, so_far: &mut SoFar<'_>) {
        let host = &member.host.id;
        so_far.active += 1;
        so_far.last_start = Some(self.now);
        self.taken.insert(host.clone());
        self.at_work.note(&member.host);
        match costs {
            Costs::Nothing => {}
            Costs::Room => self.cell.groups.note_out(so_far.counts, host),
        }
    }

    /// A host, which could start since a moment, waits until fewer of its group are out. Where none ever
    /// may be, as in a group of one, only people can decide, and the rollout goes on without it.
    pub(super) fn floored(
        &mut self,
        work: &Work,
        (member, since): (&Member, Timestamp),
        full: &[usize],
        direction: Direction,
        so_far: &mut SoFar<'_>,
    ) {
        let host = &member.host.id;
        let groups = &self.cell.groups;
        let closed = full.iter().find(|group| groups.may_have_none_out(**group));
        if let (Some(&closed), Direction::Patch) = (closed, direction) {
            let reason = groups.reason(so_far.counts, closed);
            self.leave_out(work, host, reason.to_string());
            return;
        }
        let is_first = self.decision.lacking.is_empty();
        let anyway = match is_first || self.ask.explains {
            true => self.held_anyway(work, member, direction, so_far),
            false => None,
        };
        if is_first && anyway.is_none() {
            self.decision.lacking = full.iter().copied().map(Lacking).collect();
        }
        let full = match &anyway {
            None => full.first(),
            // No token is asked for, so that a group of which none is out here says nothing of itself.
            Some(_) => full.iter().find(|group| so_far.counts.is_any_out(**group)),
        };
        if let Some(group) = full {
            let first = so_far.floored.entry(*group).or_insert(since);
            *first = since.min(*first);
        }
        match anyway {
            Some(reason @ Reason::Dependency { .. }) => so_far.keep_apart(member, reason, since),
            Some(_) => so_far.pace(work, since, self.now),
            None => {}
        }
    }

    /// What else holds a host, tokens or not: pace or a neighbour. One that it could not use would only
    /// go back and forth. The moment at which the pace lets go is not missed, since the tokens are asked
    /// for then.
    fn held_anyway(
        &mut self,
        work: &Work,
        member: &Member,
        direction: Direction,
        so_far: &SoFar<'_>,
    ) -> Option<Reason> {
        let (active, last_start) = (so_far.active, so_far.last_start);
        let paced = candidate::held_by_pace(work, active, last_start, self.now);
        if let Some(until) = paced.as_ref().and_then(Reason::until) {
            self.wake_at(until);
        }
        let neighbour = || apart::held_by_neighbour(work, &member.host, self.at_work);
        let neighbour = (direction == Direction::Patch).then(neighbour).flatten();
        neighbour.or(paced).or_else(|| so_far.paced.clone())
    }
}
