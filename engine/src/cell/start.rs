//! Starts hosts: asks the rules of `candidate` of each; the first that says no is its hold.

use super::{
    Cell, CellCommand, GivenUp, HeldWarrant, Job, Link, Member, Work, apart,
    candidate::{self, LedgerSays},
    decide::Draft,
    freeze,
    groups::{Binding, OutCounts},
    turn::{self, Wanted},
    unrest,
    window::Windows,
};
use crate::{
    duration,
    hold::Reason,
    id::{HostId, OrderKey, ReservationToken},
    inventory::SERVICE,
    ledger::Entry,
    order::{Direction, Grant, Order},
    time::Timestamp,
    warrant::Warrant,
};
use std::collections::{BTreeMap, BTreeSet};

impl Draft<'_> {
    pub(super) fn start(&mut self, work: &Work, counts: &mut OutCounts) {
        let Some(warrant) = work.warrant.as_ref().map(|held| &held.warrant) else {
            return;
        };
        let agenda = self.cell.agenda(work);
        if agenda.wanted().is_empty() {
            return;
        }
        if let Some(reason) = work.bar(self.now) {
            self.hold_slice(work, reason);
            return;
        }
        self.wake_at(work.warrant.as_ref().map_or(self.now, HeldWarrant::ends_at));
        let settle = work.assignment.deadlines.settle;
        if let Some(until) = self.cell.settles_until(settle, self.now) {
            self.hold_slice(work, Reason::Settle { until });
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
            closed: Vec::new(),
            active: agenda.active().len(),
            last_start: work.last_start,
            paced: None,
            floored: BTreeSet::new(),
            apart: BTreeMap::new(),
        };
        if self.may_skim(work, warrant.direction, &so_far) {
            self.skim(work, warrant, &mut so_far);
        } else {
            for one in turn::wanted(self.cell, work) {
                self.consider_starting(work, warrant, one, &mut so_far);
            }
        }
        for (_, reason) in std::mem::take(&mut so_far.apart) {
            self.hold_slice(work, reason);
        }
        self.hold_floored(work, &so_far);
        for reason in so_far.closed {
            self.hold_slice(work, reason);
        }
        if let Some(reason) = so_far.paced {
            self.hold_slice(work, reason);
        }
    }

    /// Says which groups may have no more out. Time alone makes no room in them: who does not ask why needs
    /// no reason.
    fn hold_floored(&mut self, work: &Work, so_far: &SoFar<'_>) {
        if !self.ask.explains {
            return;
        }
        for &group in &so_far.floored {
            let reason = self.cell.groups.reason(so_far.counts, group);
            self.hold_slice(work, reason);
        }
    }

    /// Holds a host, or leaves it out, for what concerns it alone: its bits, the time, its own state.
    /// Returns whether it may go on.
    fn is_ready(
        &mut self,
        work: &Work,
        direction: Direction,
        Wanted { member, job, .. }: Wanted<'_>,
        so_far: &mut SoFar<'_>,
    ) -> bool {
        let host = &member.host.id;
        if direction == Direction::Patch
            && let Some(reason) = self.cell.denied(work, member)
        {
            self.leave_out(work, host, reason);
            return false;
        }
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
                so_far.close(reason);
                return false;
            }
        };
        let held = candidate::held_by_itself(member, job, work, direction, self.now);
        let Some(reason) = held else {
            return !self.taken.contains(host);
        };
        let granted = job.granted_at.unwrap_or(self.now).max(allowed);
        match matches!(reason, Reason::Grace { .. }) {
            true => self.await_rest(work, host, job, granted, reason),
            false => self.hold_or_leave_out(work, host, granted, member, reason),
        }
        false
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
        if !self.is_ready(work, direction, one, so_far) {
            return true;
        }
        let (binding, counts) = (&so_far.binding, &*so_far.counts);
        // A repair is what ends the trouble of zones: who is out already may be repaired beside it.
        let is_repaired = work.assignment.repair && entry.is_some_and(Entry::is_casualty);
        if !is_repaired
            && let Some(reason) = self
                .ask
                .troubled
                .held(self.cell, binding, host, places, direction)
        {
            so_far.close(reason);
            return true;
        }
        let costs_nothing = match LedgerSays::of(entry, work, direction) {
            LedgerSays::FreeAndOut => true,
            LedgerSays::Held(reason) => {
                self.hold_host(work, host, reason);
                return true;
            }
            LedgerSays::Free => {
                let groups = &self.cell.groups;
                let full = groups.forbid_taking(counts, binding, host, places);
                let full: Vec<_> = full.collect();
                if !full.is_empty() {
                    self.floored(work, member, &full, direction, so_far);
                    return false;
                }
                false
            }
        };
        if direction == Direction::Patch
            && let Some(reason) = apart::held_by_neighbour(work, &member.host, self.at_work)
        {
            let service = member.host.value(SERVICE).unwrap_or_default();
            so_far.apart.insert(service.to_owned(), reason);
            return true;
        }
        so_far.pace(work, self.now);
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

    /// A host waits until fewer of its group are out. Where none ever may be, as in a group of one,
    /// only people can decide, and the rollout goes on without it.
    pub(super) fn floored(
        &mut self,
        work: &Work,
        member: &Member,
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
        if self.decision.lacking.is_empty() && !self.is_held_anyway(work, member, direction, so_far)
        {
            self.decision.lacking = full.iter().map(|group| groups.lacking(*group)).collect();
        }
        so_far.floored.extend(full.first());
    }

    /// Whether pace or a neighbour holds a host, tokens or not: one that it could not use would only
    /// go back and forth. The moment at which the pace lets go is not missed, since the tokens are asked
    /// for then.
    fn is_held_anyway(
        &mut self,
        work: &Work,
        member: &Member,
        direction: Direction,
        so_far: &SoFar<'_>,
    ) -> bool {
        let (active, last_start) = (so_far.active, so_far.last_start);
        let paced = candidate::held_by_pace(work, active, last_start, self.now);
        if let Some(until) = paced.as_ref().and_then(Reason::until) {
            self.wake_at(until);
        }
        so_far.paced.is_some()
            || paced.is_some()
            || (direction == Direction::Patch
                && apart::held_by_neighbour(work, &member.host, self.at_work).is_some())
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
        self.push(CellCommand::GiveUp {
            rollout: work.assignment.rollout.clone(),
            host: host.clone(),
            why: GivenUp::NotStarted { reason },
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

/// What a round of starts has come to so far.
pub(super) struct SoFar<'a> {
    counts: &'a mut OutCounts,
    /// Which groups bind which hosts.
    pub(super) binding: Binding<'a>,
    windows: Windows<'a>,
    /// Why hosts may not start at this time, each reason once.
    closed: Vec<Reason>,
    active: usize,
    last_start: Option<Timestamp>,
    /// Why nothing more may start just now. Nothing: it may.
    pub(super) paced: Option<Reason>,
    /// Groups that may have no more out.
    pub(super) floored: BTreeSet<usize>,
    /// Why no more of a service may start just now, by its name.
    apart: BTreeMap<String, Reason>,
}

impl SoFar<'_> {
    /// The groups at these places that have no room for one more, where rules bind hosts of the same groups
    /// alike. Empty: all have.
    pub(super) fn full(&self, cell: &Cell, host: &HostId, places: &[usize]) -> Vec<usize> {
        let groups = cell.groups();
        let full = groups.forbid_taking(self.counts, &self.binding, host, places);
        full.collect()
    }

    /// Looks whether the pace lets one more start.
    pub(super) fn pace(&mut self, work: &Work, now: Timestamp) {
        let (active, last_start) = (self.active, self.last_start);
        let paced = || candidate::held_by_pace(work, active, last_start, now);
        self.paced = self.paced.take().or_else(paced);
    }

    fn close(&mut self, reason: Reason) {
        if !self.closed.contains(&reason) {
            self.closed.push(reason);
        }
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
    let content = assignment
        .lock
        .content_for(&member.host.facts.platform, &assignment.patch)?;
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
            signature: warrant.signature.clone(),
        },
        direction: warrant.direction,
        attempt: job.attempts + 1,
        asked_again: job.is_asked_again() && warrant.direction == Direction::Patch,
        content,
        reboot: assignment.reboot,
        restart: assignment.restart,
        conffiles: assignment.conffiles.clone(),
        one_way: assignment.one_way,
        deadlines: assignment.deadlines.clone(),
        stable_for,
        first_answer: health.first_answer,
        traffic: assignment.traffic.clone(),
    })
}
