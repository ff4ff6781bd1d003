//! Who is there: owners, sessions, and what hosts say of their service.

use super::{Cell, CellError, Hello, Job, JobState, Link, Member, Staging, Work, event::timed_out};
use crate::{
    id::{HostId, OwnerEpoch, ReservationToken, RolloutId},
    order::Direction,
    time::Timestamp,
    warrant::{Change, FailedEnd, LeftOutCause, Outcome},
};

/// Why a host is left out that is further than its cell.
const OUTRAN: &str = "it had an order that this coordinator does not know: its store was set back, or another had the \
                      host; `cofferdam retry` takes it all the same";

impl Cell {
    pub(super) fn owner_started(
        &mut self,
        epoch: OwnerEpoch,
        now: Timestamp,
    ) -> Result<(), CellError> {
        if epoch <= self.epoch {
            return Err(CellError::StaleEpoch {
                new: epoch,
                present: self.epoch,
            });
        }
        self.epoch = epoch;
        self.owner_since = now;
        for host in self.members.keys().cloned().collect::<Vec<_>>() {
            self.note_unrest(&host, now);
        }
        for member in self.members.values_mut() {
            member.heard = false;
            member.link = Link::Silent { since: now };
        }
        for work in self.work.values_mut() {
            work.drop_claims();
            // Earlier releases stored no turns.
            work.number_turns();
        }
        Ok(())
    }

    pub(super) fn host_connected(&mut self, hello: &Hello, now: Timestamp) {
        let host = &hello.host.id;
        self.note_unrest(host, now);
        let known = self.members.get_mut(host);
        let outran = known.as_ref().is_some_and(|known| known.is_outrun(hello));
        let made_anew = match known {
            Some(member) => member.greet(hello, now),
            None => {
                self.members.insert(host.clone(), Member::new(hello, now));
                false
            }
        };
        for rollout in self.work.keys().cloned().collect::<Vec<_>>() {
            self.resume_job(&rollout, hello, made_anew, now);
            if outran {
                self.leave_outrun(&rollout, host);
            }
        }
        for work in self.work.values_mut() {
            work.take_back_in(host);
        }
        let detail = match hello.detail.as_str() {
            "" => "not in service",
            detail => detail,
        };
        self.note_service(host, hello.in_service, detail, now);
    }

    /// Brings a job that was out when its host's session ended in step with what the host says now.
    fn resume_job(&mut self, rollout: &RolloutId, hello: &Hello, made_anew: bool, now: Timestamp) {
        let host = &hello.host.id;
        if made_anew {
            self.forget_past(rollout, host);
        }
        let Ok(active) = self.active_mut(rollout, host, "a hello") else {
            return;
        };
        active.claim = None;
        active.withdrawn = false;
        active.unsent = hello.newest.is_none_or(|newest| newest < active.order.key);
        if !made_anew {
            return;
        }
        let (token, disrupted) = (active.order.token, active.disrupted);
        let outcome = match disrupted {
            true => Outcome::Failed {
                failure: timed_out("the host was made anew in the middle of its run"),
                end: FailedEnd::RolledBack,
            },
            false => Outcome::LeftOut {
                reason: "the host was made anew before its run".to_owned(),
                cause: LeftOutCause::Other,
            },
        };
        self.end_job(rollout, host, outcome);
        if self
            .ledger
            .lose(host, token, "made anew in the middle of its run", now)
            .is_err()
        {
            debug_assert!(false, "an active order without its reservation");
        }
    }

    /// A host that had an order which this cell knows nothing of has these bits, or failed with them: it is not
    /// patched again unless somebody asks for that.
    fn leave_outrun(&mut self, rollout: &RolloutId, host: &HostId) {
        let goes_back = |work: &Work| work.direction() == Some(Direction::Rollback);
        if self.work.get(rollout).is_none_or(goes_back) {
            return;
        }
        let Ok(job) = self.job_mut(rollout, host) else {
            return;
        };
        if matches!(job.state, JobState::Waiting | JobState::Again(_)) {
            let reason = OUTRAN.to_owned();
            let cause = LeftOutCause::Other;
            self.end_job(rollout, host, Outcome::LeftOut { reason, cause });
        }
    }

    /// A host that was made anew has no bits any more, and no run that may still end.
    fn forget_past(&mut self, rollout: &RolloutId, host: &HostId) {
        let Ok(job) = self.job_mut(rollout, host) else {
            return;
        };
        job.staging = Staging::NotAsked;
        if let JobState::Over(Outcome::Failed { failure, end }) = &job.state
            && *end == FailedEnd::Silent
        {
            let outcome = Outcome::Failed {
                failure: failure.clone(),
                end: FailedEnd::RolledBack,
            };
            self.end_job(rollout, host, outcome);
        } else if let JobState::Over(Outcome::Skipped { by, reason, .. }) = &job.state {
            let outcome = Outcome::Skipped {
                by: by.clone(),
                reason: reason.clone(),
                change: Change::NotBegun,
            };
            self.end_job(rollout, host, outcome);
        }
    }

    pub(super) fn host_disconnected(
        &mut self,
        host: &HostId,
        now: Timestamp,
    ) -> Result<(), CellError> {
        self.note_unrest(host, now);
        let member = self.member_mut(host)?;
        member.link = Link::Silent { since: now };
        for work in self.work.values_mut() {
            if let Some(Job {
                state: JobState::Active(active),
                ..
            }) = work.jobs.get_mut(host)
            {
                active.claim = None;
            }
        }
        Ok(())
    }

    pub(super) fn host_forgotten(&mut self, host: &HostId) -> Result<(), CellError> {
        self.member_mut(host)?;
        self.members.remove(host);
        self.ledger.forget(host);
        for work in self.work.values_mut() {
            if work.jobs.contains_key(host) {
                work.leave_gone(host);
            }
        }
        Ok(())
    }

    /// Ends a reservation. A host that a person took at its keyboard meanwhile is theirs now; one that is
    /// not in service by itself is out as it was.
    pub(super) fn let_go(&mut self, host: &HostId, token: ReservationToken, now: Timestamp) {
        self.ledger.release(host, token);
        if let Some(member) = self.members.get(host).filter(|member| !member.in_service) {
            self.ledger.fell(host, member.detail.clone(), now);
        }
        self.enter_window(host, now);
    }

    /// Takes in what a host says of its service outside a run.
    pub(super) fn note_service(
        &mut self,
        host: &HostId,
        in_service: bool,
        detail: &str,
        now: Timestamp,
    ) {
        let is_working = self.work.values().any(|work| {
            matches!(
                work.jobs.get(host),
                Some(Job {
                    state: JobState::Active(_),
                    ..
                })
            )
        });
        match (in_service, is_working) {
            (_, true) => {}
            (true, false) => {
                self.ledger.recovered(host);
                self.enter_window(host, now);
            }
            (false, false) => self.ledger.fell(host, detail, now),
        }
    }
}
