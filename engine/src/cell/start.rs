//! Starts hosts: asks the rules of `candidate` of each; the first that says no is its hold.

use super::{
    CellCommand, GivenUp, HeldWarrant, Job, Lacking, Link, Member, Work, apart,
    candidate::{self, LedgerSays},
    decide::Draft,
    freeze,
    groups::OutCounts,
    so_far::SoFar,
    turn::{self, Wanted},
    unrest,
    window::{self, Windows},
};
use crate::{
    duration,
    hold::Reason,
    id::{HostId, OrderKey, ReservationToken},
    ledger::Entry,
    order::{Direction, Grant, Order},
    time::Timestamp,
    warrant::Warrant,
};
use std::collections::BTreeMap;

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
        let windows = Windows::at(work, self.now);
        windows
            .next_end()
            .into_iter()
            .for_each(|end| self.wake_at(end));
        if let Some(freeze) = self.cell.calendar.next_begin(self.now) {
            self.wake_at(freeze);
        }
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
        for (_, (reason, since)) in std::mem::take(&mut so_far.apart) {
            self.hold_slice(work, reason, since);
        }
        self.go_on_without(work, &so_far);
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
        work: &Work,
        direction: Direction,
        Wanted { member, job, .. }: Wanted<'_>,
        so_far: &mut SoFar<'_>,
    ) -> Option<Timestamp> {
        let host = &member.host.id;
        if direction == Direction::Patch
            && let Some(reason) = self.cell.denied(work, member)
        {
            self.leave_out(work, host, reason);
            return None;
        }
        let granted = job.granted_at.unwrap_or(self.now);
        let thawed = freeze::allow(
            &self.cell.calendar,
            &member.host,
            work.assignment.profile,
            direction,
            self.now,
        );
        let allowed = thawed.and_then(|thawed| {
            let opened = so_far.windows.allow(host, direction)?;
            Ok(thawed.max(opened))
        });
        let allowed = match allowed {
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
        let Wanted {
            member,
            job,
            entry,
            places,
        } = one;
        let (host, direction) = (&member.host.id, warrant.direction);
        let Some(since) = self.ready_since(work, direction, one, so_far) else {
            return true;
        };
        let binding = &so_far.binding;
        // A repair is what ends the trouble of zones: who is out already may be repaired beside it.
        let is_repaired = work.assignment.repair && entry.is_some_and(Entry::is_casualty);
        if !is_repaired
            && let Some(reason) = self
                .ask
                .troubled
                .held(self.cell, binding, host, places, direction)
        {
            so_far.close(reason, since);
            return true;
        }
        let costs_nothing = match LedgerSays::of(entry, work, direction) {
            LedgerSays::FreeAndOut => true,
            LedgerSays::Held(reason) => {
                self.hold_host(work, host, reason);
                return true;
            }
            LedgerSays::Free => {
                let full: Vec<_> = so_far.full(self.cell, host, places).collect();
                if !full.is_empty() {
                    self.floored(work, (member, since), &full, direction, so_far);
                    return false;
                }
                false
            }
        };
        if direction == Direction::Patch
            && let Some(reason) = apart::held_by_neighbour(work, &member.host, self.at_work)
        {
            so_far.keep_apart(member, reason, since);
            return true;
        }
        so_far.pace(work, since, self.now);
        if so_far.paced.is_some() || !self.order_or_leave_out(work, warrant, job, member) {
            return true;
        }
        so_far.active += 1;
        so_far.last_start = Some(self.now);
        self.taken.insert(host.clone());
        self.at_work.note(&member.host);
        if !costs_nothing {
            self.cell.groups.note_out(so_far.counts, host);
        }
        true
    }

    /// Orders a host, or leaves it out where no order can be made; returns whether it is ordered.
    fn order_or_leave_out(
        &mut self,
        work: &Work,
        warrant: &Warrant,
        job: &Job,
        member: &Member,
    ) -> bool {
        let host = &member.host.id;
        let Some(key) = member.next_key(self.cell.epoch) else {
            let reason = "it says that it has seen the last order that there can be";
            self.leave_out(work, host, reason.to_owned());
            return false;
        };
        let is_ordered = self.order(work, warrant, job, member, key);
        if !is_ordered {
            let platform = &member.host.facts.platform;
            let reason = format!("the lock file has nothing for {platform}");
            self.leave_out(work, host, reason);
        }
        is_ordered
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

    /// Holds a host that cannot be started for a reason of its own; past patience, which counts
    /// from when it was granted at the earliest, leaves it out.
    fn hold_or_leave_out(
        &mut self,
        work: &Work,
        host: &HostId,
        granted: Timestamp,
        member: &Member,
        reason: Reason,
    ) {
        let began = match (&reason, member.link) {
            (Reason::Unreachable, Link::Silent { since }) => since,
            (Reason::NotInService, _) => member.changed_at,
            _ => Timestamp::default(),
        };
        let since = began.max(granted);
        if let Some(patience) = candidate::patience(&reason, work) {
            let ends = since.after(patience);
            if self.now >= ends {
                self.leave_out(work, host, reason.to_string());
                return;
            }
            self.wake_at(ends);
        }
        self.hold_host(work, host, reason);
    }

    /// Holds a host for its grace; past patience, leaves it out.
    fn await_rest(
        &mut self,
        work: &Work,
        host: &HostId,
        job: &Job,
        granted: Timestamp,
        reason: Reason,
    ) {
        let ends = unrest::patience_ends(work, job, granted, self.now);
        if self.now >= ends {
            let grace = duration::format(work.assignment.pace.grace);
            let reason = format!(
                "it did not come to rest: its session or its service changed again and again, each time within {grace} (grace)"
            );
            self.leave_out(work, host, reason);
            return;
        }
        self.wake_at(ends);
        self.hold_host(work, host, reason);
    }

    pub(super) fn leave_out(&mut self, work: &Work, host: &HostId, reason: String) {
        self.give_up(work, host, GivenUp::NotStarted { reason });
    }

    pub(super) fn give_up(&mut self, work: &Work, host: &HostId, why: GivenUp) {
        self.push(CellCommand::GiveUp {
            rollout: work.assignment.rollout.clone(),
            host: host.clone(),
            why,
        });
    }

    /// Orders a host; returns whether it could.
    fn order(
        &mut self,
        work: &Work,
        warrant: &Warrant,
        job: &Job,
        member: &Member,
        key: OrderKey,
    ) -> bool {
        let Some(mut order) = new_order(work, warrant, job, member, key, self.next_token) else {
            return false;
        };
        let is_lifted = || self.cell.lifts_denial(work, member);
        order.asked_again |= order.direction == Direction::Patch && is_lifted();
        self.next_token = self.next_token.next();
        self.push(CellCommand::Order(Box::new(order)));
        true
    }
}

fn new_order(
    work: &Work,
    warrant: &Warrant,
    job: &Job,
    member: &Member,
    key: OrderKey,
    token: ReservationToken,
) -> Option<Order> {
    let assignment = &work.assignment;
    let content = assignment.content_for(&member.host.facts.platform)?;
    let health = &assignment.health;
    let stable_for = match warrant.wave.0 {
        0 => health.stable_for_canary,
        _ => health.stable_for,
    };
    Some(Order {
        key,
        host: member.host.id.clone(),
        token,
        grant: Grant {
            rollout: assignment.rollout.clone(),
            rollout_digest: assignment.rollout_digest,
            lock_digest: work.lock_digest(),
            wave: warrant.wave,
            cell: assignment.cell.clone(),
            generation: warrant.generation,
        },
        direction: warrant.direction,
        attempt: job.attempts + 1,
        asked_again: job.is_asked_again() && warrant.direction == Direction::Patch,
        content,
        delta: match warrant.direction {
            Direction::Patch => assignment.delta_of(&member.host.id),
            Direction::Rollback => None,
        },
        reboot: assignment.reboot,
        restart: assignment.restart,
        kernel_fallback: assignment.kernel_fallback,
        conffiles: assignment.conffiles.clone(),
        one_way: assignment.one_way,
        deadlines: assignment.deadlines.clone(),
        stable_for,
        first_answer: health.first_answer,
        traffic: assignment.traffic.clone(),
    })
}
