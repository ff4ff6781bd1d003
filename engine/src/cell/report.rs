//! How a host's reports change its job.

use super::{Active, Cell, CellError, Job, JobState, LeftBehind, Staging, Work, retry};
use crate::{
    failure::{Failure, FailureKind},
    id::{HostId, OrderKey, RolloutId},
    report::{Refusal, Report, ReportBody},
    run::{Ending, RunState},
    time::Timestamp,
    warrant::{LeftOutCause, Outcome},
};

impl Cell {
    /// Takes in a report. One that was taken in before changes nothing (promise 7).
    pub(super) fn reported(
        &mut self,
        host: &HostId,
        report: &Report,
        now: Timestamp,
    ) -> Result<(), CellError> {
        let member = self.member_mut(host)?;
        if report.incarnation != member.incarnation {
            return Err(CellError::OtherIncarnation { host: host.clone() });
        }
        if report.sequence <= member.reported {
            return Ok(());
        }
        member.reported = report.sequence;
        match &report.body {
            ReportBody::Staged {
                rollout,
                lock_digest,
                failure,
            } => {
                let work = self.work.get(rollout);
                if work.is_some_and(|work| work.lock_digest() == *lock_digest) {
                    self.staged(rollout, host, failure.as_ref(), now);
                }
            }
            ReportBody::Refused { key, refusal } => self.refused(host, *key, refusal, now),
            ReportBody::Entered {
                key,
                state,
                failure,
                exceptions,
            } => {
                self.note_exceptions(host, *key, *state, exceptions);
                self.entered(host, *key, *state, failure.as_ref(), now);
            }
            ReportBody::Service { in_service, detail } => {
                self.set_service(host, *in_service, detail, now)?;
                self.note_service(host, *in_service, detail, now);
            }
        }
        Ok(())
    }

    fn staged(
        &mut self,
        rollout: &RolloutId,
        host: &HostId,
        failure: Option<&Failure>,
        now: Timestamp,
    ) {
        let Some(work) = self.work.get_mut(rollout) else {
            return;
        };
        let more = work.assignment.retry.more;
        let wait = work.assignment.retry.backoff;
        let Some(job) = work.jobs.get_mut(host) else {
            return;
        };
        let Some(failure) = failure else {
            job.staging = Staging::Ready;
            return;
        };
        let failed = match &job.staging {
            Staging::NotAsked | Staging::Ready => 1,
            Staging::Asked { failed, .. } | Staging::Again { failed, .. } => failed + 1,
        };
        if failure.kind.may_pass() && failed <= more {
            let at = now.after(retry::backoff(wait, failed, rollout, host));
            job.staging = Staging::Again {
                at,
                failed,
                failure: failure.clone(),
            };
            return;
        }
        job.staging = Staging::NotAsked;
        if matches!(job.state, JobState::Waiting | JobState::Again(_)) {
            let reason = format!("staging failed: {failure}");
            let cause = LeftOutCause::Other;
            self.end_job(rollout, host, Outcome::LeftOut { reason, cause });
        }
    }

    fn refused(&mut self, host: &HostId, key: OrderKey, refusal: &Refusal, now: Timestamp) {
        let Some((rollout, active)) = self.active_under(host, key) else {
            return;
        };
        if let Refusal::Older { newest } = refusal
            && let Some(member) = self.members.get_mut(host)
        {
            member.has_seen(*newest);
        }
        let why = format!("its repair was refused, {refusal}");
        self.let_go_unrun(host, &active, &why, now);
        match refusal {
            // It is told as what it is by the time of the next try.
            Refusal::Older { .. } | Refusal::Busy { .. } | Refusal::OtherDelta { .. } => {
                let failure = Failure::new(FailureKind::Locked, refusal.to_string());
                self.wait_again(&rollout, host, failure, now);
            }
            Refusal::OtherContent
            | Refusal::OtherHost
            | Refusal::Denied
            | Refusal::Impossible { .. } => {
                let reason = format!("the host refused: {refusal}");
                let cause = LeftOutCause::Other;
                self.end_job(&rollout, host, Outcome::LeftOut { reason, cause });
            }
        }
    }

    /// Ends the reservation of an order that its host did not take. A casualty is one until it reports itself in
    /// service: it may be at its old run still.
    pub(super) fn let_go_unrun(
        &mut self,
        host: &HostId,
        active: &Active,
        why: &str,
        now: Timestamp,
    ) {
        let token = active.order.token;
        if !active.from_casualty {
            return self.let_go(host, token, now);
        }
        let why = format!("out as before: {why}");
        if self.ledger.lose(host, token, why, now).is_err() {
            debug_assert!(false, "an active order without its reservation");
        }
    }

    fn entered(
        &mut self,
        host: &HostId,
        key: OrderKey,
        state: RunState,
        failure: Option<&Failure>,
        now: Timestamp,
    ) {
        if !self.is_active_under(host, key) {
            if let RunState::Ended(ending) = state {
                self.ended_late(host, key, ending, failure, now);
            }
            return;
        }
        for work in self.work.values_mut() {
            let Some(job) = work.jobs.get_mut(host) else {
                continue;
            };
            let JobState::Active(active) = &mut job.state else {
                continue;
            };
            if active.order.key == key {
                note_state(active, state, failure, now);
            }
        }
        if let RunState::Ended(ending) = state {
            self.ended(host, key, ending, now);
        }
    }

    /// What a way back left behind is noted at its end, and stands until the next one has ended there.
    fn note_exceptions(
        &mut self,
        host: &HostId,
        key: OrderKey,
        state: RunState,
        exceptions: &[String],
    ) {
        let is_told = match state {
            RunState::Ended(Ending::RolledBack) => true,
            RunState::Ended(Ending::Quarantined) => !exceptions.is_empty(),
            RunState::Ended(Ending::Patched | Ending::Undone | Ending::Cancelled)
            | RunState::Claiming
            | RunState::Draining
            | RunState::Drained
            | RunState::Applying
            | RunState::Rebooting
            | RunState::Verifying
            | RunState::RollingBack
            | RunState::VerifyingRollback
            | RunState::Readmitting(_) => false,
        };
        if !is_told {
            return;
        }
        let of_order = |work: &&Work| {
            let job = work.jobs.get(host);
            job.and_then(|job| job.last_order)
                .is_some_and(|(last, _)| last == key)
        };
        let rollout = self.work.values().find(of_order);
        let left = rollout.filter(|_| !exceptions.is_empty()).map(|work| {
            Box::new(LeftBehind {
                rollout: work.assignment.rollout.clone(),
                lines: exceptions.to_vec(),
            })
        });
        if let Some(member) = self.members.get_mut(host) {
            member.left_behind = left;
        }
    }

    fn is_active_under(&self, host: &HostId, key: OrderKey) -> bool {
        let mut jobs = self.work.values().filter_map(|work| work.jobs.get(host));
        jobs.any(|job| job.active().is_some_and(|active| active.order.key == key))
    }

    pub(super) fn active_under(&self, host: &HostId, key: OrderKey) -> Option<(RolloutId, Active)> {
        self.work
            .iter()
            .find_map(|(rollout, work)| match work.jobs.get(host) {
                Some(Job {
                    state: JobState::Active(active),
                    ..
                }) if active.order.key == key => Some((rollout.clone(), active.clone())),
                Some(_) | None => None,
            })
    }
}

fn note_state(active: &mut Active, state: RunState, failure: Option<&Failure>, now: Timestamp) {
    active.unsent = false;
    if active.state != Some(state) {
        active.entered_at = now;
    }
    active.state = Some(state);
    active.failure = failure.cloned().or_else(|| active.failure.take());
    if matches!(state, RunState::Applying | RunState::RollingBack) {
        active.changed_since.get_or_insert(now);
    }
    active.rebooted |= state == RunState::Rebooting;
}
