//! What a cell does next.
//!
//! One pass over each rollout's work, in this order: its brake, the orders that are out (resend,
//! withdraw, answer, give up), staging, starts, and what is told upwards. Starts ask the rules of
//! `candidate`; the first rule that says no is the hold.

use super::{
    Active, Cell, CellCommand, GivenUp, Job, JobState, Member, Staging, Work, brake,
    candidate::{self, LedgerSays},
    groups::OutCounts,
    late,
};
use crate::{
    hold::{Hold, Reason, Subject},
    id::{HostId, OrderKey, ReservationToken},
    order::{ClaimAnswer, ClaimPoint, Direction, Grant, Order},
    seed,
    time::{Timestamp, millis},
    warrant::{Outcome, StopKind, Summary, Warrant},
};
use std::{collections::BTreeSet, time::Duration};

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
}

impl Cell {
    /// Decides what to do now.
    pub fn decide(&self, now: Timestamp) -> CellDecision {
        let mut draft = Draft {
            cell: self,
            now,
            next_token: self.ledger.next_token(),
            taken: BTreeSet::new(),
            decision: CellDecision::default(),
        };
        for work in self.work.values() {
            draft.consider(work);
        }
        draft.decision
    }
}

/// A decision in the making: what it takes is counted as taken for what comes after.
struct Draft<'a> {
    cell: &'a Cell,
    now: Timestamp,
    next_token: ReservationToken,
    taken: BTreeSet<HostId>,
    decision: CellDecision,
}

impl<'a> Draft<'a> {
    fn consider(&mut self, work: &'a Work) {
        let finding = brake::finding(work);
        if let Some(finding) = finding.clone() {
            let rollout = work.assignment.rollout.clone();
            self.push(CellCommand::Brake { rollout, finding });
        }
        let mut counts = work.groups.count_out(self.cell);
        for host in &self.taken {
            work.groups.note_out(&mut counts, host);
        }
        for (host, job) in &work.jobs {
            if let JobState::Active(active) = &job.state {
                self.tend(work, &counts, host, active, finding.as_deref());
            }
        }
        self.stage(work);
        if finding.is_none() {
            self.start(work, &mut counts);
        }
        self.summarise(work);
        self.release(work);
    }

    /// Looks after one order that is out.
    fn tend(
        &mut self,
        work: &Work,
        counts: &OutCounts,
        host: &HostId,
        active: &Active,
        finding: Option<&str>,
    ) {
        let Some(member) = self.cell.members.get(host) else {
            return;
        };
        let rollout = work.assignment.rollout.clone();
        let (at, why) = late::deadline(active, &work.assignment.deadlines);
        if self.now >= at {
            self.push(CellCommand::GiveUp {
                rollout,
                host: host.clone(),
                why,
            });
            return;
        }
        self.wake_at(at);
        if !member.is_connected() {
            return;
        }
        let withdrawal = work
            .withdrawal(active.order.direction)
            .or_else(|| finding.map(ToOwned::to_owned));
        if let Some(reason) = &withdrawal
            && !active.withdrawn
            && !active.has_begun_change()
        {
            let (host, key, reason) = (host.clone(), active.order.key, reason.clone());
            self.push(CellCommand::Withdraw {
                rollout: rollout.clone(),
                host,
                key,
                reason,
            });
        }
        if let Some(point) = active.claim {
            self.answer(work, counts, host, active, point, withdrawal);
        } else if active.unsent {
            self.push(CellCommand::Resend(active.order.clone()));
        }
    }

    fn answer(
        &mut self,
        work: &Work,
        counts: &OutCounts,
        host: &HostId,
        active: &Active,
        point: ClaimPoint,
        withdrawal: Option<String>,
    ) {
        let settle = work.assignment.deadlines.settle;
        let is_first = point == ClaimPoint::BeforeDrain && !active.disrupted;
        let settling = self
            .cell
            .settles_until(settle)
            .filter(|&until| self.now < until);
        if let (true, None, Some(until)) = (is_first, &withdrawal, settling) {
            self.hold_host(work, host, Reason::Settle { until });
            return;
        }
        let refusal = withdrawal.or_else(|| match (point, active.disrupted) {
            (ClaimPoint::BeforeDrain, false) => self.forbid_disruption(work, counts, host, active),
            (ClaimPoint::BeforeDrain | ClaimPoint::BeforeApply, true) => None,
            (ClaimPoint::BeforeApply, false) => Some("drained without leave".to_owned()),
        });
        let answer = match refusal {
            None => ClaimAnswer::Granted,
            Some(reason) => ClaimAnswer::Refused { reason },
        };
        let rollout = work.assignment.rollout.clone();
        let (host, key) = (host.clone(), active.order.key);
        self.push(CellCommand::AnswerClaim {
            rollout,
            host,
            key,
            point,
            answer,
        });
    }

    /// Why an ordered host must not be disrupted after all, if it must not (promises 1, 2, 4).
    fn forbid_disruption(
        &self,
        work: &Work,
        counts: &OutCounts,
        host: &HostId,
        active: &Active,
    ) -> Option<String> {
        if let Some(reason) = work.bar(self.now) {
            return Some(reason.to_string());
        }
        let entry = self.cell.ledger.entry(host);
        if entry.is_none_or(|entry| entry.token != active.order.token) {
            return Some("the host's reservation is gone".to_owned());
        }
        if active.was_out {
            return None;
        }
        let group = work.groups.forbid_disrupting(counts, host)?;
        Some(work.groups.reason(counts, group).to_string())
    }

    fn stage(&mut self, work: &Work) {
        let ended = work
            .stop
            .as_ref()
            .is_some_and(|stop| stop.kind == StopKind::End);
        if ended || work.direction() == Some(Direction::Rollback) {
            return;
        }
        for (host, job) in &work.jobs {
            let Some(member) = self.cell.members.get(host) else {
                continue;
            };
            let Some(due) = stage_due(work, host, job, member) else {
                continue;
            };
            if self.now < due {
                self.wake_at(due);
                continue;
            }
            let lock = &work.assignment.lock;
            let platform = &member.host.facts.platform;
            let rollout = work.assignment.rollout.clone();
            let host = host.clone();
            self.push(match lock.content_for(platform, &work.assignment.patch) {
                Some(content) => CellCommand::Stage {
                    rollout,
                    host,
                    lock_digest: lock.digest(),
                    content,
                    one_way: work.assignment.one_way,
                },
                None => {
                    let reason = format!("the lock file has nothing for {platform}");
                    CellCommand::GiveUp {
                        rollout,
                        host,
                        why: GivenUp::NotStarted { reason },
                    }
                }
            });
        }
    }

    fn start(&mut self, work: &Work, counts: &mut OutCounts) {
        let Some(warrant) = work.warrant.as_ref().map(|held| &held.warrant) else {
            return;
        };
        let wanted: Vec<(&HostId, &Job)> = warrant
            .hosts
            .iter()
            .filter_map(|host| Some((host, work.jobs.get(host)?)))
            .filter(|(_, job)| candidate::is_wanted(job, warrant.direction))
            .collect();
        if wanted.is_empty() {
            return;
        }
        if let Some(reason) = work.bar(self.now) {
            self.hold_slice(work, reason);
            return;
        }
        self.wake_at(
            work.warrant
                .as_ref()
                .map_or(self.now, super::HeldWarrant::ends_at),
        );
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
            (Reason::Unreachable, super::Link::Silent { since }) => since,
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

    fn summarise(&mut self, work: &Work) {
        if work.unsummarised.is_empty() && !work.brake_unsummarised {
            return;
        }
        let outcome = |host: &HostId| match work.jobs.get(host).map(|job| &job.state) {
            Some(JobState::Over(outcome)) => outcome.clone(),
            Some(JobState::Active(_)) => Outcome::Running,
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
        if ended && work.active() == 0 && work.unsummarised.is_empty() {
            let rollout = work.assignment.rollout.clone();
            self.push(CellCommand::Release {
                rollout,
                hosts: work.jobs.keys().cloned().collect(),
            });
        }
    }

    fn hold_slice(&mut self, work: &Work, reason: Reason) {
        let (rollout, cell) = (work.assignment.rollout.clone(), self.cell.id.clone());
        self.hold(Subject::Slice { rollout, cell }, reason, work.assigned_at);
    }

    fn hold_host(&mut self, work: &Work, host: &HostId, reason: Reason) {
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
        self.decision.holds.push(Hold {
            subject,
            reason,
            since,
        });
    }

    fn wake_at(&mut self, at: Timestamp) {
        let wake = &mut self.decision.wake;
        *wake = Some(wake.map_or(at, |earlier| earlier.min(at)));
    }

    fn push(&mut self, command: CellCommand) {
        self.decision.commands.push(command);
    }
}

/// When a host is to be asked to stage; nothing while it need not, or cannot, be asked.
fn stage_due(work: &Work, host: &HostId, job: &Job, member: &Member) -> Option<Timestamp> {
    let super::Link::Connected { since: connected } = member.link else {
        return None;
    };
    if !matches!(job.state, JobState::Waiting | JobState::Again(_)) {
        return None;
    }
    match &job.staging {
        Staging::NotAsked if job.granted_at.is_some() => Some(work.assigned_at),
        Staging::NotAsked => Some(work.assigned_at.after(stage_delay(work, host))),
        Staging::Asked { at, .. } => (connected > *at).then_some(connected),
        Staging::Again { at, .. } => Some(*at),
        Staging::Ready => None,
    }
}

/// A host's place in the time that staging is spread over.
fn stage_delay(work: &Work, host: &HostId) -> Duration {
    let within = millis(work.assignment.pace.stage_within);
    let seed = seed::of(&[host.as_str(), work.assignment.rollout.as_str(), "stage"]);
    Duration::from_millis(seed.checked_rem(within).unwrap_or(0))
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
