//! Starts hosts: asks the rules of `candidate` of each; the first that says no is its hold.

use super::{
    CellCommand, GivenUp, HeldWarrant, Job, JobState, Link, Member, Work,
    candidate::{self, LedgerSays},
    decide::Draft,
    groups::OutCounts,
};
use crate::{
    hold::Reason,
    id::{HostId, OrderKey, ReservationToken},
    order::{Grant, Order},
    time::Timestamp,
    warrant::Warrant,
};
use std::collections::BTreeSet;

impl Draft<'_> {
    pub(super) fn start(&mut self, work: &Work, counts: &mut OutCounts) {
        let Some(warrant) = work.warrant.as_ref().map(|held| &held.warrant) else {
            return;
        };
        let mut wanted: Vec<(&HostId, &Job)> = warrant
            .hosts
            .iter()
            .filter_map(|host| Some((host, work.jobs.get(host)?)))
            .filter(|(_, job)| candidate::is_wanted(job, warrant.direction))
            .collect();
        wanted.sort_by_key(|(_, job)| matches!(job.state, JobState::Again(_)));
        if wanted.is_empty() {
            return;
        }
        if let Some(reason) = work.bar(self.now) {
            self.hold_slice(work, reason);
            return;
        }
        self.wake_at(work.warrant.as_ref().map_or(self.now, HeldWarrant::ends_at));
        let settle = self.cell.settles_until(work.assignment.deadlines.settle);
        if let Some(until) = settle.filter(|&until| self.now < until) {
            self.hold_slice(work, Reason::Settle { until });
            return;
        }
        self.start_wanted(work, warrant, &wanted, counts);
    }

    fn start_wanted(
        &mut self,
        work: &Work,
        warrant: &Warrant,
        wanted: &[(&HostId, &Job)],
        counts: &mut OutCounts,
    ) {
        let mut active = work.active();
        let mut last_start = work.last_start;
        let mut paced = None;
        let mut floored = BTreeSet::new();
        for &(host, job) in wanted {
            let Some(member) = self.cell.members.get(host) else {
                continue;
            };
            let direction = warrant.direction;
            let held = candidate::held_by_itself(member, job, work, direction, self.now);
            if let Some(reason) = held {
                self.hold_or_leave_out(work, host, job, member, reason);
                continue;
            }
            let costs_nothing =
                match candidate::ask_ledger(self.cell, work, counts, host, direction) {
                    LedgerSays::Free if !self.taken.contains(host) => false,
                    LedgerSays::Free => continue,
                    LedgerSays::FreeAndOut => true,
                    LedgerSays::Held(reason) => {
                        self.hold_host(work, host, reason);
                        continue;
                    }
                    LedgerSays::Floor(group) => {
                        floored.insert(group);
                        continue;
                    }
                };
            if paced.is_none() {
                paced = candidate::held_by_pace(work, active, last_start, self.now);
            }
            if paced.is_some() {
                continue;
            }
            if !self.order(work, warrant, job, member) {
                continue;
            }
            active += 1;
            last_start = Some(self.now);
            self.taken.insert(host.clone());
            if !costs_nothing {
                work.groups.note_out(counts, host);
            }
        }
        for group in floored {
            let reason = work.groups.reason(counts, group);
            self.hold_slice(work, reason);
        }
        if let Some(reason) = paced {
            self.hold_slice(work, reason);
        }
    }

    /// Holds a host that cannot be started for a reason of its own; past patience, leaves it out.
    fn hold_or_leave_out(
        &mut self,
        work: &Work,
        host: &HostId,
        job: &Job,
        member: &Member,
        reason: Reason,
    ) {
        let began = match (&reason, member.link) {
            (Reason::Unreachable, Link::Silent { since }) => since,
            (Reason::NotInService, _) => member.changed_at,
            _ => Timestamp::default(),
        };
        let since = began.max(job.granted_at.unwrap_or(self.now));
        if let Some(patience) = candidate::patience(&reason, work) {
            let ends = since.after(patience);
            if self.now >= ends {
                let rollout = work.assignment.rollout.clone();
                let why = GivenUp::NotStarted {
                    reason: reason.to_string(),
                };
                self.push(CellCommand::GiveUp {
                    rollout,
                    host: host.clone(),
                    why,
                });
                return;
            }
            self.wake_at(ends);
        }
        self.hold_host(work, host, reason);
    }

    /// Orders a host; returns whether it could.
    fn order(&mut self, work: &Work, warrant: &Warrant, job: &Job, member: &Member) -> bool {
        let key = OrderKey {
            epoch: self.cell.epoch,
            sequence: member.last_sequence.next(),
        };
        let Some(order) = new_order(work, warrant, job, member, key, self.next_token) else {
            return false;
        };
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
            lock_digest: assignment.lock.digest(),
            wave: warrant.wave,
            cell: assignment.cell.clone(),
            generation: warrant.generation,
            signature: warrant.signature.clone(),
        },
        direction: warrant.direction,
        attempt: job.attempts + 1,
        content,
        reboot: assignment.reboot,
        one_way: assignment.one_way,
        deadlines: assignment.deadlines.clone(),
        stable_for,
        first_answer: health.first_answer,
    })
}
