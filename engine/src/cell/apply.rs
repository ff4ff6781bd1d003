//! How events change a cell. Every event is checked before anything is changed.

use super::{Active, Cell, CellError, CellEvent, Job, JobState, Member, Work};
use crate::{
    allotment::Allotment,
    calendar::Calendar,
    digest::Digest,
    drift::DriftSummary,
    effect::EffectSummary,
    id::{HostId, RolloutId},
    time::Timestamp,
};

impl Cell {
    /// Applies an event that happened at `now`.
    ///
    /// # Errors
    /// [`CellError`] when the event does not fit the state; the cell is as before.
    pub fn apply(&mut self, event: &CellEvent, now: Timestamp) -> Result<(), CellError> {
        let (counted, layout) = (self.groups.revision(), self.groups.layout());
        self.take_in(event, now)?;
        self.revision += 1;
        self.keep_count(event);
        let has_moved = self.groups.layout() != layout;
        let is_counted_anew = has_moved || self.groups.revision() != counted;
        if is_counted_anew {
            self.let_in();
        }
        let concerns_starts = self.keep_agendas(event, has_moved) || is_counted_anew;
        if concerns_starts {
            self.starts_revision.step();
        }
        Ok(())
    }

    fn take_in(&mut self, event: &CellEvent, now: Timestamp) -> Result<(), CellError> {
        match event {
            CellEvent::OwnerStarted { epoch } => self.owner_started(*epoch, now),
            CellEvent::Booted => self.booted(),
            CellEvent::HostConnected { hello } => {
                self.host_connected(hello, now);
                Ok(())
            }
            CellEvent::HostDisconnected { host } => self.host_disconnected(host, now),
            CellEvent::PackagesChanged { host, packages } => self.packages_changed(host, *packages),
            CellEvent::GuardTold { host, news } => self.guard_told(host, news, now),
            CellEvent::DriftTold { host, drift } => self.drift_told(host, drift),
            CellEvent::EffectTold { host, effect } => self.effect_told(host, effect),
            CellEvent::HostForgotten { host } => self.host_forgotten(host),
            CellEvent::Reserved { host, reservation } => self.reserved(host, reservation, now),
            CellEvent::Unreserved { host, token } => self.unreserved(host, *token, now),
            CellEvent::Reported { host, report } => self.reported(host, report, now),
            CellEvent::Claimed {
                host,
                key,
                token,
                point,
            } => self.claimed(host, *key, *token, *point),
            CellEvent::CalendarDeclared { calendar } => self.calendar_declared(calendar),
            CellEvent::CordTold { cord, beneath } => self.cord_told(cord, beneath, now),
            CellEvent::Assigned { assignment } => self.assigned(assignment, now),
            CellEvent::Excepted { exceptions } => self.excepted(exceptions),
            CellEvent::Warranted { warrant } => self.warranted(warrant, now),
            CellEvent::Stopped { stop } => self.stopped(stop, now),
            CellEvent::Allotted { allotment } => self.allotted(allotment),
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
                self.work_mut(rollout)?.brake(finding);
                Ok(())
            }
            CellEvent::Summarised { rollout } => {
                self.work_mut(rollout)?.summarised();
                Ok(())
            }
            CellEvent::DenialsTold { denials } => {
                self.denials = denials.as_ref().clone();
                Ok(())
            }
            CellEvent::Released { rollout } => self.released(rollout),
        }
    }

    fn calendar_declared(&mut self, calendar: &Calendar) -> Result<(), CellError> {
        self.calendar.clone_from(calendar);
        Ok(())
    }

    fn released(&mut self, rollout: &RolloutId) -> Result<(), CellError> {
        self.work_mut(rollout)?;
        self.work.remove(rollout);
        Ok(())
    }

    fn packages_changed(&mut self, host: &HostId, packages: Digest) -> Result<(), CellError> {
        self.member_mut(host)?.host.facts.packages = packages;
        Ok(())
    }

    fn drift_told(&mut self, host: &HostId, drift: &DriftSummary) -> Result<(), CellError> {
        self.member_mut(host)?.drift = Some(Box::new(drift.clone()));
        Ok(())
    }

    fn effect_told(&mut self, host: &HostId, effect: &EffectSummary) -> Result<(), CellError> {
        self.member_mut(host)?.effect = Some(Box::new(effect.clone()));
        Ok(())
    }

    /// Takes an allotment in. An older one than that which it has changes nothing.
    fn allotted(&mut self, allotment: &Allotment) -> Result<(), CellError> {
        if allotment.generation > self.allotment.generation {
            self.allotment = allotment.clone();
        }
        Ok(())
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

    pub(super) fn job(&self, rollout: &RolloutId, host: &HostId) -> Result<&Job, CellError> {
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
