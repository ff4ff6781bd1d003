//! What the cell decided for a host, and the claims of the hosts that it ordered.

use super::{Active, Cell, CellError, GivenUp, Job, JobState, Staging, event::timed_out};
use crate::{
    id::{HostId, OrderKey, ReservationToken, RolloutId},
    ledger::{Entry, Holder},
    order::{ClaimAnswer, ClaimPoint, Direction, Order},
    time::Timestamp,
    warrant::{Change, FailedEnd, LeftOutCause, Outcome},
};

impl Cell {
    pub(super) fn stage_asked(
        &mut self,
        rollout: &RolloutId,
        host: &HostId,
        now: Timestamp,
    ) -> Result<(), CellError> {
        let job = self.job_mut(rollout, host)?;
        let (failed, failure) = match &job.staging {
            Staging::NotAsked | Staging::Ready => (0, None),
            Staging::Asked {
                failed, failure, ..
            } => (*failed, failure.clone()),
            Staging::Again {
                failed, failure, ..
            } => (*failed, Some(failure.clone())),
        };
        job.staging = Staging::Asked {
            at: now,
            failed,
            failure,
        };
        Ok(())
    }

    pub(super) fn ordered(&mut self, order: &Order, now: Timestamp) -> Result<(), CellError> {
        let (rollout, host) = (&order.grant.rollout, &order.host);
        let job = self.job(rollout, host)?;
        if matches!(job.state, JobState::Active(_)) {
            return Err(CellError::IllegalEvent {
                rollout: rollout.clone(),
                host: host.clone(),
                what: "a second order",
            });
        }
        let last = self.members.get(host).map(|member| member.last_sequence);
        let last = last.ok_or_else(|| CellError::NoMember(host.clone()))?;
        if order.key.sequence <= last {
            return Err(CellError::StaleOrder {
                host: host.clone(),
                key: order.key,
            });
        }
        let holder = Holder::Rollout {
            rollout: rollout.clone(),
        };
        let from_casualty = self.ledger.entry(host).is_some_and(Entry::is_casualty);
        self.ledger.reserve(host, holder, order.token, now)?;
        self.member_mut(host)?.last_sequence = order.key.sequence;
        let work = self.work_mut(rollout)?;
        work.last_start = Some(now);
        work.note_changed(host);
        let job = work.jobs.get_or_default(host);
        job.attempts = order.attempt;
        job.last_order = Some((order.key, order.direction));
        job.state = JobState::Active(Active {
            order: Box::new(order.clone()),
            ordered_at: now,
            unsent: false,
            state: None,
            entered_at: now,
            claim: None,
            disrupted: false,
            changed_since: None,
            rebooted: false,
            failure: None,
            withdrawn: false,
            from_casualty,
        });
        Ok(())
    }

    pub(super) fn claimed(
        &mut self,
        host: &HostId,
        key: OrderKey,
        token: ReservationToken,
        point: ClaimPoint,
    ) -> Result<(), CellError> {
        self.member_mut(host)?;
        let mut is_known = false;
        let active = self
            .work
            .values_mut()
            .filter_map(|work| match work.jobs.get_mut(host) {
                Some(Job {
                    state: JobState::Active(active),
                    ..
                }) => Some(active),
                Some(_) | None => None,
            });
        for active in active.filter(|active| active.order.key == key && active.order.token == token)
        {
            active.claim = Some(point);
            active.unsent = false;
            is_known = true;
        }
        match is_known {
            true => Ok(()),
            false => Err(CellError::NoOrder {
                host: host.clone(),
                key,
            }),
        }
    }

    pub(super) fn claim_answered(
        &mut self,
        rollout: &RolloutId,
        host: &HostId,
        point: ClaimPoint,
        answer: &ClaimAnswer,
    ) -> Result<(), CellError> {
        let active = self.active_mut(rollout, host, "an answered claim")?;
        active.claim = None;
        if point == ClaimPoint::BeforeDrain && *answer == ClaimAnswer::Granted {
            active.disrupted = true;
            let token = active.order.token;
            self.ledger.disrupt(host, token)?;
        }
        Ok(())
    }

    pub(super) fn gave_up(
        &mut self,
        rollout: &RolloutId,
        host: &HostId,
        why: &GivenUp,
        now: Timestamp,
    ) -> Result<(), CellError> {
        if let GivenUp::NotStarted { reason }
        | GivenUp::NoRoom { reason }
        | GivenUp::Held { reason } = why
        {
            let is_away = self.members.get(host).is_some_and(|m| !m.is_connected());
            self.job_mut(rollout, host)?.away = is_away;
            let reason = reason.clone();
            let cause = match is_away {
                true => LeftOutCause::Unreachable,
                false => LeftOutCause::Other,
            };
            self.end_job(rollout, host, Outcome::LeftOut { reason, cause });
            if matches!(why, GivenUp::NoRoom { .. } | GivenUp::Held { .. }) {
                self.work_mut(rollout)?.without_room.insert(host.clone());
            }
            return Ok(());
        }
        if matches!(why, GivenUp::Skipped) {
            return self.skipped(rollout, host, now);
        }
        if matches!(why, GivenUp::NotNamed) {
            return self.not_named(rollout, host, now);
        }
        let order = self.active_mut(rollout, host, "giving up")?.order.clone();
        if let GivenUp::TimedOut { failure } = why {
            self.ledger
                .lose(host, order.token, failure.to_string(), now)?;
            let failure = failure.clone();
            self.end_job(
                rollout,
                host,
                Outcome::Failed {
                    failure,
                    end: FailedEnd::Silent,
                },
            );
            return Ok(());
        }
        let reason = "ordered, and not heard of before its start_by";
        self.ledger.lose(host, order.token, reason, now)?;
        match order.direction {
            Direction::Patch => {
                let set_aside = self.job(rollout, host)?.set_aside(Change::NotBegun);
                let outcome = set_aside.unwrap_or_else(|| Outcome::LeftOut {
                    reason: reason.to_owned(),
                    cause: LeftOutCause::Unreachable,
                });
                self.end_job(rollout, host, outcome);
            }
            Direction::Rollback => self.wait_again(rollout, host, timed_out(reason), now),
        }
        Ok(())
    }

    /// An order that never came to its host is not sent any more: the host waits for another turn.
    fn not_named(
        &mut self,
        rollout: &RolloutId,
        host: &HostId,
        now: Timestamp,
    ) -> Result<(), CellError> {
        let active = self.active_mut(rollout, host, "giving up")?;
        active.withdrawn = true;
        let active = active.clone();
        self.let_go_unrun(host, &active, "its repair never came there", now);
        let failure = timed_out("the present warrant does not name the host");
        self.wait_again(rollout, host, failure, now);
        Ok(())
    }

    /// Ends a job, and remembers to tell it upwards.
    pub(super) fn end_job(&mut self, rollout: &RolloutId, host: &HostId, outcome: Outcome) {
        let Some(work) = self.work.get_mut(rollout) else {
            return;
        };
        let Some(job) = work.jobs.get_mut(host) else {
            return;
        };
        let had_failed = matches!(job.state, JobState::Over(Outcome::Failed { .. }));
        let fails = matches!(outcome, Outcome::Failed { .. });
        let passes = outcome == Outcome::Passed;
        job.state = JobState::Over(outcome);
        work.note_changed(host);
        if passes {
            work.slow_down.passed();
        }
        if fails && !had_failed {
            self.note_failed_run(rollout, host);
        }
    }

    /// Takes note of a failed run: it slows its rollout down, and its host starts later ever after.
    pub(super) fn note_failed_run(&mut self, rollout: &RolloutId, host: &HostId) {
        if let Some(work) = self.work.get_mut(rollout) {
            work.slow_down.failed();
        }
        if let Some(member) = self.members.get_mut(host) {
            member.failed_runs = member.failed_runs.saturating_add(1);
        }
    }
}
