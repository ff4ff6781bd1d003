//! What the control plane tells a cell: what a rollout is, what may be started, what must stop.

use super::{Cell, CellError, HeldWarrant, Work};
use crate::{
    id::{HostId, RolloutId},
    order::Direction,
    time::Timestamp,
    warrant::{Assignment, Stop, Warrant},
};

impl Cell {
    pub(super) fn assigned(
        &mut self,
        assignment: &Assignment,
        now: Timestamp,
    ) -> Result<(), CellError> {
        if let Some(work) = self.work.get(&assignment.rollout) {
            return match work.assignment == *assignment {
                true => Ok(()),
                false if work.assignment.is_before(assignment) => {
                    self.reassigned(assignment);
                    Ok(())
                }
                false => Err(CellError::OtherContent(assignment.rollout.clone())),
            };
        }
        let mut work = Work::new(assignment.clone(), now);
        for host in assignment
            .hosts
            .iter()
            .filter(|host| !self.members.contains_key(host))
        {
            work.leave_gone(host);
        }
        self.work.insert(assignment.rollout.clone(), work);
        Ok(())
    }

    pub(super) fn warranted(&mut self, warrant: &Warrant, now: Timestamp) -> Result<(), CellError> {
        let members = &self.members;
        let gone = |host: &&HostId| !members.contains_key(host);
        let gone: Vec<HostId> = warrant.hosts.iter().filter(gone).cloned().collect();
        let work = self.work_mut(&warrant.rollout)?;
        if warrant.generation <= work.generation() {
            return Ok(());
        }
        if !work.is_renewed_by(warrant) || !gone.is_empty() {
            work.forget_agenda();
        }
        for host in &warrant.hosts {
            let job = work.jobs.get_or_default(host);
            let turned =
                work.warrant.as_ref().map(|held| held.warrant.direction) != Some(warrant.direction);
            if turned || job.granted_at.is_none() {
                job.granted_at = Some(now);
            }
        }
        for host in &gone {
            work.leave_gone(host);
        }
        // The control plane answers a brake with a stop first: a warrant that crossed the brake on
        // its way does not lift it.
        if work.stop.is_some() || warrant.direction == Direction::Rollback {
            work.judge();
            work.stop = None;
            work.stopped_at = None;
            work.braked = None;
        }
        work.warrant = Some(HeldWarrant::new(warrant.clone(), now));
        work.number_turns();
        Ok(())
    }

    /// Ends all warrants, with the boot in which they came.
    pub(super) fn booted(&mut self) -> Result<(), CellError> {
        let held = self
            .work
            .values_mut()
            .filter_map(|work| work.warrant.as_mut());
        held.for_each(HeldWarrant::end_with_boot);
        Ok(())
    }

    /// The rollouts whose warrants ended with a boot, and were not given anew.
    pub(crate) fn ended_with_boot(&self) -> impl Iterator<Item = &RolloutId> {
        let ended = |work: &Work| {
            work.warrant
                .as_ref()
                .is_some_and(HeldWarrant::is_of_another_boot)
        };
        let works = self.work.iter().filter(move |(_, work)| ended(work));
        works.map(|(rollout, _)| rollout)
    }

    /// Takes in a stop. One of a rollout that the cell does not know, since what it was told before is
    /// lost or it has forgotten it, finds nothing to stop.
    pub(super) fn stopped(&mut self, stop: &Stop, now: Timestamp) -> Result<(), CellError> {
        if let Some(work) = self.work.get_mut(&stop.rollout)
            && stop.generation > work.generation()
        {
            work.stop = Some(stop.clone());
            work.stopped_at.get_or_insert(now);
        }
        Ok(())
    }
}
