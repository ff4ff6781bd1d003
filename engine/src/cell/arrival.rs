//! Hosts that come late to a rollout's work in a cell, or come back to it.

use super::{Cell, Job, JobState, Work};
use crate::{
    id::HostId,
    order::Direction,
    warrant::{Assignment, Outcome, StopKind},
};

impl Assignment {
    /// Whether another is the same for more hosts, told later.
    pub(super) fn is_before(&self, later: &Self) -> bool {
        self.rollout_digest == later.rollout_digest && self.revision < later.revision
    }
}

impl Cell {
    /// Takes an assignment with more hosts, or of hosts that changed: what was done for the others stays.
    pub(super) fn reassigned(&mut self, assignment: &Assignment) {
        let members = &self.members;
        let Some(work) = self.work.get_mut(&assignment.rollout) else {
            return;
        };
        let before = std::mem::replace(&mut work.assignment, assignment.clone());
        work.lock_digest.forget();
        for host in &assignment.hosts {
            let job = work.jobs.get_or_default(host);
            let is_gone = job.state == JobState::Over(Outcome::Gone);
            let came = assignment.late.get(host);
            match members.contains_key(host) {
                // It was deleted, and another of its name came.
                true if is_gone && came.is_some_and(|at| *at > before.revision) => {
                    *job = Job::default();
                    work.begin_anew(host);
                }
                // The leave to start it was for what it was.
                true if assignment.delta_of(host) != before.delta_of(host) => {
                    work.leave_warrant(host);
                }
                true => {}
                false => work.leave_gone(host),
            }
        }
    }
}

impl Work {
    /// Lets a host have its turn again, once a new warrant names it.
    pub(super) fn begin_anew(&mut self, host: &HostId) {
        self.judged.remove(host);
        if let Some(job) = self.jobs.get_mut(host) {
            job.state = JobState::Waiting;
            job.attempts = 0;
            job.undone = 0;
            job.granted_at = None;
        }
        self.leave_warrant(host);
        self.note_changed(host);
    }

    /// Takes a host out of the warrant that names it, if one does. Those behind it move up, as a renewal of what
    /// is left would have it.
    fn leave_warrant(&mut self, host: &HostId) {
        let Some(held) = &mut self.warrant else {
            return;
        };
        if held.leave_out(host) {
            self.number_turns();
            self.forget_agenda();
        }
    }

    /// A host that was left out because it was away is back: it waits again.
    pub(super) fn take_back_in(&mut self, host: &HostId) {
        if self.jobs.get(host).is_some_and(|job| job.away) {
            self.wait_after_all(host);
        }
    }

    /// A host that was left out waits again, as far as the rollout still goes on with it.
    pub(super) fn wait_after_all(&mut self, host: &HostId) {
        let ended = self
            .stop
            .as_ref()
            .is_some_and(|stop| stop.kind == StopKind::End);
        let goes_back = self.direction() == Some(Direction::Rollback);
        let is_set_aside = self.set_aside(host).is_some();
        let Some(job) = self.jobs.get_mut(host) else {
            return;
        };
        let is_left_out = matches!(job.state, JobState::Over(Outcome::LeftOut { .. }));
        if !is_left_out || ended || goes_back || is_set_aside {
            return;
        }
        job.away = false;
        self.begin_anew(host);
    }
}
