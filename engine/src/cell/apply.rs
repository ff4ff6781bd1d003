//! How events change a cell. Every event is checked before anything is changed.

use super::{
    Active, Cell, CellError, CellEvent, GivenUp, HeldWarrant, Hello, Job, JobState, Link, Member,
    Staging, Work, event::timed_out, groups::Groups,
};
use crate::{
    id::{HostId, OrderKey, OwnerEpoch, ReservationToken, RolloutId},
    ledger::Holder,
    order::{ClaimAnswer, ClaimPoint, Direction, Order},
    time::Timestamp,
    warrant::{Assignment, FailedEnd, Outcome, Stop, Warrant},
};

impl Cell {
    /// Applies an event that happened at `now`.
    ///
    /// # Errors
    /// [`CellError`] when the event does not fit the state; the cell is as before.
    pub fn apply(&mut self, event: &CellEvent, now: Timestamp) -> Result<(), CellError> {
        match event {
            CellEvent::OwnerStarted { epoch } => self.owner_started(*epoch, now),
            CellEvent::HostConnected { hello } => {
                self.host_connected(hello, now);
                Ok(())
            }
            CellEvent::HostDisconnected { host } => self.host_disconnected(host, now),
            CellEvent::HostForgotten { host } => self.host_forgotten(host),
            CellEvent::Reported { host, report } => self.reported(host, report, now),
            CellEvent::Claimed {
                host,
                key,
                token,
                point,
            } => self.claimed(host, *key, *token, *point),
            CellEvent::Assigned { assignment } => self.assigned(assignment, now),
            CellEvent::Warranted { warrant } => self.warranted(warrant, now),
            CellEvent::Stopped { stop } => self.stopped(stop),
            CellEvent::StageAsked { rollout, host } => self.stage_asked(rollout, host, now),
            CellEvent::Ordered { order } => self.ordered(order, now),
            CellEvent::Resent { rollout, host } => {
                self.active_mut(rollout, host, "a resent order")?.unsent = false;
                Ok(())
            }
            CellEvent::ClaimAnswered {
                rollout,
                host,
                point,
                answer,
            } => self.claim_answered(rollout, host, *point, answer),
            CellEvent::Withdrawn { rollout, host } => {
                self.active_mut(rollout, host, "a withdrawal")?.withdrawn = true;
                Ok(())
            }
            CellEvent::GaveUp { rollout, host, why } => self.gave_up(rollout, host, why, now),
            CellEvent::Braked { rollout, finding } => {
                let work = self.work_mut(rollout)?;
                work.braked = Some(finding.clone());
                work.brake_unsummarised = true;
                Ok(())
            }
            CellEvent::Summarised { rollout } => {
                let work = self.work_mut(rollout)?;
                work.revision += 1;
                work.unsummarised.clear();
                work.brake_unsummarised = false;
                Ok(())
            }
            CellEvent::Released { rollout } => {
                self.work_mut(rollout)?;
                self.work.remove(rollout);
                Ok(())
            }
        }
    }

    fn owner_started(&mut self, epoch: OwnerEpoch, now: Timestamp) -> Result<(), CellError> {
        if epoch <= self.epoch {
            return Err(CellError::StaleEpoch {
                new: epoch,
                present: self.epoch,
            });
        }
        self.epoch = epoch;
        self.owner_since = now;
        for member in self.members.values_mut() {
            member.heard = false;
            member.link = Link::Silent { since: now };
        }
        Ok(())
    }

    fn host_connected(&mut self, hello: &Hello, now: Timestamp) {
        let host = &hello.host.id;
        let known = self.members.get_mut(host);
        let is_new = known.is_none();
        let relabelled = known
            .as_ref()
            .is_some_and(|m| m.host.labels != hello.host.labels);
        let made_anew = match known {
            Some(member) => member.greet(hello, now),
            None => {
                self.members.insert(host.clone(), Member::new(hello, now));
                false
            }
        };
        if is_new || relabelled {
            self.regroup();
        }
        for rollout in self.work.keys().cloned().collect::<Vec<_>>() {
            self.resume_job(&rollout, hello, made_anew);
        }
        self.note_service(
            host,
            hello.in_service && hello.open.is_none(),
            "not in service",
            now,
        );
    }

    /// Brings a job that was out when its host's session ended in step with what the host says now.
    fn resume_job(&mut self, rollout: &RolloutId, hello: &Hello, made_anew: bool) {
        let host = &hello.host.id;
        let Ok(active) = self.active_mut(rollout, host, "a hello") else {
            return;
        };
        active.claim = None;
        active.unsent = hello.newest.is_none_or(|newest| newest < active.order.key);
        if !made_anew {
            return;
        }
        let (token, disrupted) = (active.order.token, active.disrupted);
        let outcome = match disrupted {
            true => Outcome::Failed {
                failure: timed_out("the host was made anew in the middle of its run"),
                end: FailedEnd::Silent,
            },
            false => Outcome::LeftOut {
                reason: "the host was made anew before its run".to_owned(),
            },
        };
        self.end_job(rollout, host, outcome);
        if self
            .ledger
            .lose(host, token, "made anew in the middle of its run")
            .is_err()
        {
            debug_assert!(false, "an active order without its reservation");
        }
    }

    fn host_disconnected(&mut self, host: &HostId, now: Timestamp) -> Result<(), CellError> {
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

    fn host_forgotten(&mut self, host: &HostId) -> Result<(), CellError> {
        self.member_mut(host)?;
        self.members.remove(host);
        self.ledger.forget(host);
        for work in self.work.values_mut() {
            if let Some(job) = work.jobs.get_mut(host) {
                job.state = JobState::Over(Outcome::Gone);
                work.note_changed(host);
            }
        }
        self.regroup();
        Ok(())
    }

    fn claimed(
        &mut self,
        host: &HostId,
        key: OrderKey,
        token: ReservationToken,
        point: ClaimPoint,
    ) -> Result<(), CellError> {
        self.member_mut(host)?;
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
        }
        Ok(())
    }

    fn assigned(&mut self, assignment: &Assignment, now: Timestamp) -> Result<(), CellError> {
        if let Some(work) = self.work.get(&assignment.rollout) {
            return match work.assignment == *assignment {
                true => Ok(()),
                false => Err(CellError::OtherContent(assignment.rollout.clone())),
            };
        }
        let mut work = Work::new(assignment.clone(), now);
        work.groups = Groups::of(self, assignment);
        self.work.insert(assignment.rollout.clone(), work);
        Ok(())
    }

    fn warranted(&mut self, warrant: &Warrant, now: Timestamp) -> Result<(), CellError> {
        let work = self.work_mut(&warrant.rollout)?;
        if warrant.generation <= work.generation() {
            return Ok(());
        }
        for host in &warrant.hosts {
            let job = work.jobs.entry(host.clone()).or_default();
            let turned =
                work.warrant.as_ref().map(|held| held.warrant.direction) != Some(warrant.direction);
            if turned || job.granted_at.is_none() {
                job.granted_at = Some(now);
            }
        }
        if work.stop.is_some() || work.braked.is_some() {
            work.judged = work.tally_all();
        }
        work.stop = None;
        work.braked = None;
        work.warrant = Some(HeldWarrant {
            warrant: warrant.clone(),
            received_at: now,
        });
        Ok(())
    }

    fn stopped(&mut self, stop: &Stop) -> Result<(), CellError> {
        let work = self.work_mut(&stop.rollout)?;
        if stop.generation > work.generation() {
            work.stop = Some(stop.clone());
        }
        Ok(())
    }

    fn stage_asked(
        &mut self,
        rollout: &RolloutId,
        host: &HostId,
        now: Timestamp,
    ) -> Result<(), CellError> {
        let job = self.job_mut(rollout, host)?;
        let failed = match &job.staging {
            Staging::NotAsked | Staging::Ready => 0,
            Staging::Asked { failed, .. } | Staging::Again { failed, .. } => *failed,
        };
        job.staging = Staging::Asked { at: now, failed };
        Ok(())
    }

    fn ordered(&mut self, order: &Order, now: Timestamp) -> Result<(), CellError> {
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
        let was_out = self.ledger.entry(host).is_some();
        self.ledger.reserve(host, holder, order.token, now)?;
        self.member_mut(host)?.last_sequence = order.key.sequence;
        let work = self.work_mut(rollout)?;
        work.last_start = Some(now);
        work.note_changed(host);
        let job = work.jobs.entry(host.clone()).or_default();
        job.attempts = order.attempt;
        job.last_key = Some(order.key);
        job.state = JobState::Active(Active {
            order: Box::new(order.clone()),
            was_out,
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
        });
        Ok(())
    }

    fn claim_answered(
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

    fn gave_up(
        &mut self,
        rollout: &RolloutId,
        host: &HostId,
        why: &GivenUp,
        now: Timestamp,
    ) -> Result<(), CellError> {
        if let GivenUp::NotStarted { reason } = why {
            self.job_mut(rollout, host)?;
            self.end_job(
                rollout,
                host,
                Outcome::LeftOut {
                    reason: reason.clone(),
                },
            );
            return Ok(());
        }
        let order = self.active_mut(rollout, host, "giving up")?.order.clone();
        if let GivenUp::TimedOut { failure } = why {
            self.ledger.lose(host, order.token, failure.to_string())?;
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
        self.ledger.lose(host, order.token, reason)?;
        match order.direction {
            Direction::Patch => {
                self.end_job(
                    rollout,
                    host,
                    Outcome::LeftOut {
                        reason: reason.to_owned(),
                    },
                );
            }
            Direction::Rollback => self.wait_again(rollout, host, timed_out(reason), now),
        }
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
        job.state = JobState::Over(outcome);
        work.note_changed(host);
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
            (true, false) => self.ledger.recovered(host),
            (false, false) => self.ledger.fell(host, detail, now),
        }
    }

    fn regroup(&mut self) {
        let groups: Vec<_> = self
            .work
            .iter()
            .map(|(rollout, work)| (rollout.clone(), Groups::of(self, &work.assignment)))
            .collect();
        for (rollout, groups) in groups {
            if let Some(work) = self.work.get_mut(&rollout) {
                work.groups = groups;
            }
        }
    }

    pub(super) fn member_mut(&mut self, host: &HostId) -> Result<&mut Member, CellError> {
        self.members
            .get_mut(host)
            .ok_or_else(|| CellError::NoMember(host.clone()))
    }

    pub(super) fn work_mut(&mut self, rollout: &RolloutId) -> Result<&mut Work, CellError> {
        self.work
            .get_mut(rollout)
            .ok_or_else(|| CellError::NoWork(rollout.clone()))
    }

    fn job(&self, rollout: &RolloutId, host: &HostId) -> Result<&Job, CellError> {
        let work = self
            .work
            .get(rollout)
            .ok_or_else(|| CellError::NoWork(rollout.clone()))?;
        let job = work.jobs.get(host);
        job.ok_or_else(|| CellError::NoJob {
            rollout: rollout.clone(),
            host: host.clone(),
        })
    }

    pub(super) fn job_mut(
        &mut self,
        rollout: &RolloutId,
        host: &HostId,
    ) -> Result<&mut Job, CellError> {
        let job = self.work_mut(rollout)?.jobs.get_mut(host);
        job.ok_or_else(|| CellError::NoJob {
            rollout: rollout.clone(),
            host: host.clone(),
        })
    }

    pub(super) fn active_mut(
        &mut self,
        rollout: &RolloutId,
        host: &HostId,
        what: &'static str,
    ) -> Result<&mut Active, CellError> {
        match &mut self.job_mut(rollout, host)?.state {
            JobState::Active(active) => Ok(active),
            JobState::Waiting | JobState::Again(_) | JobState::Over(_) => {
                let (rollout, host) = (rollout.clone(), host.clone());
                Err(CellError::IllegalEvent {
                    rollout,
                    host,
                    what,
                })
            }
        }
    }
}
