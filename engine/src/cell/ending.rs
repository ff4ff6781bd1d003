//! How the end of a run changes its job and its reservation.

use super::{Active, Again, Cell, JobState, freeze, retry, window::Windows};
use crate::{
    failure::{Failure, FailureKind},
    id::{HostId, OrderKey, RolloutId},
    order::Direction,
    run::Ending,
    time::Timestamp,
    warrant::{Change, FailedEnd, LeftOutCause, Outcome},
};

impl Cell {
    pub(super) fn ended(&mut self, host: &HostId, key: OrderKey, ending: Ending, now: Timestamp) {
        let Some((rollout, active)) = self.active_under(host, key) else {
            return;
        };
        let token = active.order.token;
        if ending == Ending::Quarantined && self.was_stopped_in_quarantine(&rollout, &active) {
            self.stays_out(&rollout, host, &active, now);
            return;
        }
        if ending == Ending::Quarantined {
            self.note_end(host, ending, now);
            let failure = failure_of(&active);
            if self
                .ledger
                .lose(host, token, format!("quarantined: {failure}"), now)
                .is_err()
            {
                debug_assert!(false, "an active order without its reservation");
            }
            let outcome = Outcome::Failed {
                failure,
                end: FailedEnd::Quarantined,
            };
            self.end_job(&rollout, host, outcome);
            return;
        }
        self.note_end(host, ending, now);
        self.let_go(host, token, now);
        match (ending, active.order.direction) {
            (Ending::Patched, _) => {
                if let Some(work) = self.work.get_mut(&rollout) {
                    work.mean.add(now.since(active.ordered_at));
                }
                self.end_job(&rollout, host, Outcome::Passed);
            }
            (Ending::RolledBack, Direction::Rollback) => {
                self.end_job(&rollout, host, Outcome::RolledBack);
            }
            (Ending::RolledBack, Direction::Patch) => {
                self.went_back(&rollout, host, failure_of(&active), now);
            }
            (Ending::Undone | Ending::Cancelled, _) => {
                let failure = active.failure.unwrap_or_else(|| {
                    Failure::new(
                        FailureKind::TimedOut,
                        "the order was withdrawn or unanswered",
                    )
                });
                self.wait_again(&rollout, host, failure, now);
            }
            (Ending::Quarantined, _) => {}
        }
    }

    /// Whether an order to a host that was out of service before ended without a change: it is as it
    /// was.
    fn was_stopped_in_quarantine(&self, rollout: &RolloutId, active: &Active) -> bool {
        let work = self.work.get(rollout);
        let is_repair = work.is_some_and(|work| work.assignment.repair);
        !active.has_begun_change() && (is_repair || active.order.direction == Direction::Rollback)
    }

    /// A host that was out of service, and whose order ended without a change, stays out.
    fn stays_out(&mut self, rollout: &RolloutId, host: &HostId, active: &Active, now: Timestamp) {
        self.note_end(host, Ending::Quarantined, now);
        self.let_go(host, active.order.token, now);
        let undone = || Failure::new(FailureKind::TimedOut, "stopped; the host stays quarantined");
        let failure = active.failure.clone().unwrap_or_else(undone);
        self.wait_again(rollout, host, failure, now);
    }

    /// A host whose patch failed is back at what it had: try again, or count it as failed.
    fn went_back(&mut self, rollout: &RolloutId, host: &HostId, failure: Failure, now: Timestamp) {
        let Some(work) = self.work.get_mut(rollout) else {
            return;
        };
        let policy = work.assignment.retry.clone();
        let Some(job) = work.jobs.get_mut(host) else {
            return;
        };
        job.undone = 0;
        let is_tried_again = failure.kind.may_pass() && job.attempts <= policy.more;
        if is_tried_again && job.set_aside(Change::NotBegun).is_none() {
            let at = now.after(retry::backoff(policy.backoff, job.attempts, rollout, host));
            let direction = Direction::Patch;
            job.state = JobState::Again(Again {
                at,
                failure,
                direction,
            });
            work.note_changed(host);
            self.note_failed_run(rollout, host);
            return;
        }
        self.end_job(
            rollout,
            host,
            Outcome::Failed {
                failure,
                end: FailedEnd::RolledBack,
            },
        );
    }

    /// An order was cancelled or undone: no failure and no try used. Where nobody withdrew it, and no
    /// window closed or freeze began over it, each further one waits longer, and at last the host is left out; a
    /// rollback waits without end.
    pub(super) fn wait_again(
        &mut self,
        rollout: &RolloutId,
        host: &HostId,
        failure: Failure,
        now: Timestamp,
    ) {
        let Some(work) = self.work.get_mut(rollout) else {
            return;
        };
        let wait = work.assignment.retry.backoff;
        let is_stopped = work.stop.is_some() || work.braked.is_some();
        work.note_changed(host);
        let Some(active) = work.jobs.get(host).and_then(|job| job.active()) else {
            return;
        };
        let direction = active.order.direction;
        let profile = work.assignment.profile;
        let is_frozen = self.members.get(host).is_some_and(|member| {
            freeze::allow(&self.calendar, &member.host, profile, direction, now).is_err()
        });
        let is_closed = is_frozen || Windows::at(work, now).allow(host, direction).is_err();
        let was_withdrawn = active.withdrawn || is_stopped || is_closed;
        let Some(job) = work.jobs.get_mut(host) else {
            return;
        };
        job.attempts = job.attempts.saturating_sub(1);
        if direction == Direction::Patch
            && let Some(outcome) = job.set_aside(Change::NotBegun)
        {
            self.end_job(rollout, host, outcome);
            return;
        }
        job.undone += u32::from(!was_withdrawn);
        if job.undone > retry::MAX_UNDONE && direction == Direction::Patch {
            let reason = format!("undone {} times in a row: {failure}", job.undone);
            let cause = LeftOutCause::Other;
            self.end_job(rollout, host, Outcome::LeftOut { reason, cause });
            return;
        }
        let at = match was_withdrawn {
            true => now,
            false => now.after(retry::backoff(wait, job.undone, rollout, host)),
        };
        job.state = JobState::Again(Again {
            at,
            failure,
            direction,
        });
    }

    /// What the end of a run says of its host's service: a run that was stopped before its change
    /// leaves it as it was.
    fn note_end(&mut self, host: &HostId, ending: Ending, now: Timestamp) {
        let noted = match ending {
            Ending::Patched | Ending::RolledBack => self.set_service(host, true, "", now),
            Ending::Quarantined => self.set_service(host, false, "quarantined", now),
            Ending::Undone | Ending::Cancelled => Ok(()),
        };
        // A host that was deleted since has no service.
        noted.ok();
    }

    /// A run that the owner had given up ended after all: the outcome is what the host says.
    pub(super) fn ended_late(
        &mut self,
        host: &HostId,
        key: OrderKey,
        ending: Ending,
        failure: Option<&Failure>,
        now: Timestamp,
    ) {
        self.note_end(host, ending, now);
        if let Some(member) = self.members.get(host) {
            let (in_service, detail) = (member.in_service, member.detail.clone());
            self.note_service(host, in_service, &detail, now);
        }
        let given_up = self.work.iter().find_map(|(rollout, work)| {
            let job = work.jobs.get(host)?;
            let (last, direction) = job.last_order?;
            let JobState::Over(present) = &job.state else {
                return None;
            };
            (last == key).then(|| (rollout.clone(), direction, present.clone()))
        });
        let Some((rollout, direction, present)) = given_up else {
            return;
        };
        match (corrected(ending, direction, &present, failure), direction) {
            (Some(outcome), _) => self.end_job(&rollout, host, outcome),
            (None, Direction::Rollback) => self.go_back_again(&rollout, host, &present, now),
            (None, Direction::Patch) => {}
        }
    }

    /// A host that was to go back did not, and is heard of again: it still has the patch.
    fn go_back_again(
        &mut self,
        rollout: &RolloutId,
        host: &HostId,
        present: &Outcome,
        now: Timestamp,
    ) {
        let Outcome::Failed { failure, .. } = present else {
            return;
        };
        let (Some(work), failure) = (self.work.get_mut(rollout), failure.clone()) else {
            return;
        };
        let Some(job) = work.jobs.get_mut(host) else {
            return;
        };
        job.state = JobState::Again(Again {
            at: now,
            failure,
            direction: Direction::Rollback,
        });
        work.note_changed(host);
    }
}

/// What a late end makes of the outcome that stood for it. Nothing when it makes none.
fn corrected(
    ending: Ending,
    direction: Direction,
    present: &Outcome,
    failure: Option<&Failure>,
) -> Option<Outcome> {
    let kept = || {
        let found = match present {
            Outcome::Failed { failure, .. } => Some(failure),
            Outcome::Running
            | Outcome::Waiting
            | Outcome::Passed
            | Outcome::LeftOut { .. }
            | Outcome::Skipped { .. }
            | Outcome::RolledBack
            | Outcome::Gone => None,
        };
        let unsaid = || Failure::new(FailureKind::TimedOut, "late, without a cause");
        failure.or(found).cloned().unwrap_or_else(unsaid)
    };
    match (ending, direction) {
        (Ending::Patched, _) => Some(Outcome::Passed),
        (Ending::RolledBack, Direction::Rollback) => Some(Outcome::RolledBack),
        (Ending::RolledBack, Direction::Patch) => Some(Outcome::Failed {
            failure: kept(),
            end: FailedEnd::RolledBack,
        }),
        (Ending::Quarantined, _) => Some(Outcome::Failed {
            failure: kept(),
            end: FailedEnd::Quarantined,
        }),
        (Ending::Undone | Ending::Cancelled, Direction::Patch)
            if matches!(present, Outcome::Failed { .. }) =>
        {
            let reason = "undone while it was not heard of".to_owned();
            let cause = LeftOutCause::Unreachable;
            Some(Outcome::LeftOut { reason, cause })
        }
        (Ending::Undone | Ending::Cancelled, Direction::Patch)
            if let Outcome::Skipped { by, reason, .. } = present =>
        {
            Some(Outcome::Skipped {
                by: by.clone(),
                reason: reason.clone(),
                change: Change::NotBegun,
            })
        }
        (Ending::Undone | Ending::Cancelled, _) => None,
    }
}

fn failure_of(active: &Active) -> Failure {
    active
        .failure
        .clone()
        .unwrap_or_else(|| Failure::new(FailureKind::Unhealthy, "the host named no cause"))
}
