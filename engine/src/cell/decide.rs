//! What a cell does next.
//!
//! One pass over each rollout's work, in this order: what is told upwards, its brake, the orders that
//! are out (resend, withdraw, answer, give up), staging and starts. Starts ask the rules of
//! `candidate`; the first rule that says no is the hold.

use super::{
    AtWork, Cell, CellCommand, Job, JobState, Lacking, Troubled, Work, brake, groups::OutCounts,
};
use crate::{
    hold::{Hold, Reason, Subject},
    id::{HostId, ReservationToken},
    order::Direction,
    time::{Timestamp, earlier},
    warrant::{Outcome, StopKind, Summary},
};
use std::collections::BTreeSet;

/// What a cell wants done, what holds what it does not, and when to ask again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[must_use]
pub struct CellDecision {
    /// To be recorded, then carried out, in this order.
    pub commands: Vec<CellCommand>,
    /// Why the rest is not moving.
    pub holds: Vec<Hold>,
    /// When time alone changes the decision. Nothing: only an event does.
    pub wake: Option<Timestamp>,
    /// The groups that have no room for a host which nothing else holds: a token of each would start
    /// it. Empty: no host waits for tokens alone.
    pub lacking: Vec<Lacking>,
    /// When time alone changes what of it is about starts.
    pub(crate) starts_wake: Option<Timestamp>,
}

/// What is asked of a cell.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ask<'a> {
    /// The zones that are in trouble.
    pub(crate) troubled: &'a Troubled,
    /// The moment.
    pub(crate) now: Timestamp,
    /// Whether it is to say why the rest is not moving.
    pub(crate) explains: bool,
    /// Whether hosts are to be started. They need not be while nothing has changed that starts depend on:
    /// see [`Cell::starts_revision`].
    pub(crate) starts: bool,
}

impl<'a> Ask<'a> {
    /// All that there is to do.
    pub(crate) fn all(troubled: &'a Troubled, explains: bool, now: Timestamp) -> Self {
        Self {
            troubled,
            now,
            explains,
            starts: true,
        }
    }
}

impl CellDecision {
    /// Asks again at this moment, or earlier.
    pub(crate) fn wake_at(&mut self, at: Option<Timestamp>) {
        self.wake = earlier(self.wake, at);
    }
}

impl Cell {
    /// Decides what to do now, as if no other cell had a host under an order.
    pub fn decide(&self, now: Timestamp) -> CellDecision {
        let mut at_work = AtWork::of(std::iter::once(self));
        let nowhere = Troubled::default();
        self.decide_beside(&mut at_work, Ask::all(&nowhere, true, now))
    }

    /// Decides what to do now, beside what all cells have under orders, to which is added what this
    /// decision orders.
    pub(crate) fn decide_beside(&self, at_work: &mut AtWork, ask: Ask<'_>) -> CellDecision {
        let mut draft = Draft {
            cell: self,
            at_work,
            now: ask.now,
            ask,
            next_token: self.ledger.next_token(),
            taken: BTreeSet::new(),
            decision: CellDecision::default(),
        };
        if draft.end_reservations() {
            // What it frees, or finds fallen, is counted before anything else is decided.
            return draft.decision;
        }
        let mut counts = self.groups.count_out();
        for work in self.work.values() {
            draft.consider(work, &mut counts);
        }
        draft.decision
    }
}

/// A decision in the making: what it takes is counted as taken for what comes after.
pub(super) struct Draft<'a> {
    pub(super) cell: &'a Cell,
    pub(super) at_work: &'a mut AtWork,
    pub(super) now: Timestamp,
    pub(super) ask: Ask<'a>,
    pub(super) next_token: ReservationToken,
    pub(super) taken: BTreeSet<HostId>,
    pub(super) decision: CellDecision,
}

impl<'a> Draft<'a> {
    fn consider(&mut self, work: &'a Work, counts: &mut OutCounts) {
        // First, so that what the other commands change is not taken for told.
        self.summarise(work);
        let agenda = self.cell.agenda(work);
        let finding = brake::finding(work, agenda.tally());
        if let Some(finding) = finding.clone() {
            let rollout = work.assignment.rollout.clone();
            self.push(CellCommand::Brake { rollout, finding });
        }
        let to_tend = match &finding {
            // It holds for all orders, from now on.
            Some(_) => agenda.active().iter().collect(),
            None => agenda.to_tend(self.now),
        };
        for host in to_tend {
            if let Some(active) = work.jobs.get(host).and_then(Job::active) {
                self.tend(work, counts, host, active, finding.as_deref());
            }
        }
        self.decision.wake_at(agenda.next_late(self.now));
        self.stage(work);
        if finding.is_none() && self.ask.starts {
            let before = self.decision.wake.take();
            self.start(work, counts);
            let decision = &mut self.decision;
            decision.starts_wake = earlier(decision.starts_wake, decision.wake);
            decision.wake_at(before);
        }
        self.release(work);
    }

    fn summarise(&mut self, work: &Work) {
        if work.unsummarised.is_empty() && !work.brake_unsummarised {
            return;
        }
        let outcome = |host: &HostId| match work.jobs.get(host).map(|job| &job.state) {
            Some(JobState::Over(outcome)) => outcome.clone(),
            Some(JobState::Active(_)) => Outcome::Running,
            Some(JobState::Again(again)) if again.direction == Direction::Rollback => {
                Outcome::Passed
            }
            Some(JobState::Waiting | JobState::Again(_)) | None => Outcome::Waiting,
        };
        let changed = work
            .unsummarised
            .iter()
            .map(|host| (host.clone(), outcome(host)))
            .collect();
        self.push(CellCommand::Summarise(Summary {
            rollout: work.assignment.rollout.clone(),
            cell: self.cell.id.clone(),
            epoch: self.cell.epoch,
            revision: work.revision + 1,
            generation: work.generation(),
            changed,
            braked: work.braked.clone().filter(|_| work.brake_unsummarised),
        }));
    }

    fn release(&mut self, work: &Work) {
        let ended = work
            .stop
            .as_ref()
            .is_some_and(|stop| stop.kind == StopKind::End);
        if ended && !work.awaits_hosts() && work.unsummarised.is_empty() {
            let rollout = work.assignment.rollout.clone();
            self.push(CellCommand::Release {
                rollout,
                hosts: work.jobs.keys().cloned().collect(),
            });
        }
    }

    pub(super) fn hold_slice(&mut self, work: &Work, reason: Reason, since: Timestamp) {
        let (rollout, cell) = (work.assignment.rollout.clone(), self.cell.id.clone());
        self.hold(Subject::Slice { rollout, cell }, reason, since);
    }

    pub(super) fn hold_host(&mut self, work: &Work, host: &HostId, reason: Reason) {
        let since = work
            .jobs
            .get(host)
            .and_then(|job| job.granted_at)
            .unwrap_or(self.now);
        let subject = Subject::Host {
            rollout: work.assignment.rollout.clone(),
            host: host.clone(),
        };
        self.hold(subject, reason, since);
    }

    fn hold(&mut self, subject: Subject, reason: Reason, since: Timestamp) {
        if let Some(until) = reason.until() {
            self.wake_at(until);
        }
        if self.ask.explains {
            self.decision.holds.push(Hold {
                subject,
                reason,
                since,
            });
        }
    }

    pub(super) fn wake_at(&mut self, at: Timestamp) {
        self.decision.wake_at(Some(at));
    }

    pub(super) fn push(&mut self, command: CellCommand) {
        self.decision.commands.push(command);
    }
}
