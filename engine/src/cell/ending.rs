//! How the end of a run changes its job and its reservation.

use super::{Active, Again, Cell, JobState, retry};
use crate::{
    failure::{Failure, FailureKind},
    id::{HostId, OrderKey, RolloutId},
    order::Direction,
    run::Ending,
    time::Timestamp,
    warrant::{FailedEnd, Outcome},
};

impl Cell {
    pub(super) fn ended(&mut self, host: &HostId, key: OrderKey, ending: Ending, now: Timestamp) {
        let Some((rollout, active)) = self.active_under(host, key) else {
            return;
        };
        let token = active.order.token;
        if ending == Ending::Quarantined {
            let failure = failure_of(&active);
            if self
                .ledger
                .lose(host, token, format!("quarantined: {failure}"))
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
        self.ledger.release(host, token);
        if let Some(member) = self.members.get_mut(host) {
            member.set_service(true, "", now);
        }
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

    /// A host whose patch failed is back at what it had: try again, or count it as failed.
    fn went_back(&mut self, rollout: &RolloutId, host: &HostId, failure: Failure, now: Timestamp) {
        let Some(work) = self.work.get_mut(rollout) else {
            return;
        };
        let policy = work.assignment.retry.clone();
        let Some(job) = work.jobs.get_mut(host) else {
            return;
        };
        if failure.kind.may_pass() && job.attempts <= policy.more {
            let at = now.after(retry::backoff(policy.backoff, job.attempts, rollout, host));
            let direction = Direction::Patch;
            job.state = JobState::Again(Again {
                at,
                failure,
                direction,
            });
            work.note_changed(host);
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

    /// An order was cancelled or undone: no failure and no try used. Where nobody withdrew it, each
    /// further one waits longer.
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
        let Some(job) = work.jobs.get_mut(host) else {
            return;
        };
        let JobState::Active(active) = &job.state else {
            return;
        };
        let direction = active.order.direction;
        let was_withdrawn = active.withdrawn || is_stopped;
        job.attempts = job.attempts.saturating_sub(1);
        let at = match was_withdrawn {
            true => now,
            false => {
                job.undone += 1;
                now.after(retry::backoff(wait, job.undone, rollout, host))
            }
        };
        job.state = JobState::Again(Again {
            at,
            failure,
            direction,
        });
    }

    /// A run that the owner had given up ended after all: the outcome is what the host says.
    pub(super) fn ended_late(
        &mut self,
        host: &HostId,
        key: OrderKey,
        ending: Ending,
        failure: Option<&Failure>,
    ) {
        let given_up = self.work.iter().find_map(|(rollout, work)| {
            let job = work.jobs.get(host)?;
            (job.last_key == Some(key)).then(|| (rollout.clone(), job.state.clone()))
        });
        let Some((rollout, JobState::Over(present))) = given_up else {
            return;
        };
        if ending != Ending::Quarantined {
            self.ledger.recovered(host);
        }
        let kept = |present: Outcome| match present {
            Outcome::Failed { failure: found, .. } => failure.cloned().unwrap_or(found),
            Outcome::Running
            | Outcome::Waiting
            | Outcome::Passed
            | Outcome::LeftOut { .. }
            | Outcome::RolledBack
            | Outcome::Gone => failure
                .cloned()
                .unwrap_or_else(|| Failure::new(FailureKind::TimedOut, "late, without a cause")),
        };
        let outcome = match ending {
            Ending::Patched => Outcome::Passed,
            Ending::RolledBack => Outcome::Failed {
                failure: kept(present),
                end: FailedEnd::RolledBack,
            },
            Ending::Quarantined => Outcome::Failed {
                failure: kept(present),
                end: FailedEnd::Quarantined,
            },
            Ending::Undone | Ending::Cancelled => return,
        };
        self.end_job(&rollout, host, outcome);
    }
}

fn failure_of(active: &Active) -> Failure {
    active
        .failure
        .clone()
        .unwrap_or_else(|| Failure::new(FailureKind::Unhealthy, "the host named no cause"))
}
