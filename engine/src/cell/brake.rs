//! The cell's own brake: works without the control plane.

use super::{Job, JobState, Work};
use crate::{id::HostId, order::Direction, tally::Tally, warrant::Outcome};
use std::collections::BTreeSet;

/// What the brake finds in a rollout's work here, if it must stop it.
pub(super) fn finding(work: &Work, tally: Tally) -> Option<String> {
    // What goes back is stopped by nothing but its floors: a rollback is a wish that stands.
    if work.braked.is_some() || work.direction() == Some(Direction::Rollback) {
        return None;
    }
    let rule = &work.assignment.brake;
    let is_exceeded = tally.exceeds(rule.cell_share, rule.cell_least);
    is_exceeded.then(|| {
        format!(
            "{} of {} attempted hosts of cell {} failed (brake: over {}, at least {})",
            tally.failed, tally.attempted, work.assignment.cell, rule.cell_share, rule.cell_least,
        )
    })
}

impl Work {
    /// Hosts that were over when an operator last went on.
    pub fn judged(&self) -> &BTreeSet<HostId> {
        &self.judged
    }

    /// Takes note that an operator goes on from what is over.
    pub(super) fn judge(&mut self) {
        let is_over = |state: &JobState| match state {
            JobState::Over(_) => attempted(state).is_some(),
            JobState::Waiting | JobState::Again(_) | JobState::Active(_) => false,
        };
        let over = self.jobs.iter().filter(|(_, job)| is_over(&job.state));
        self.judged = over.map(|(host, _)| host.clone()).collect();
    }
}

/// Whether a job failed, as the brake counts it. Nothing: it does not count it.
pub(super) fn counted(work: &Work, host: &HostId, job: &Job) -> Option<bool> {
    attempted(&job.state).filter(|_| !work.judged.contains(host))
}

/// Whether a host that passed the point of disruption failed. Nothing of one that did not pass it.
fn attempted(state: &JobState) -> Option<bool> {
    match state {
        JobState::Waiting | JobState::Again(_) => None,
        JobState::Active(active) => active.disrupted.then_some(false),
        JobState::Over(Outcome::Failed { .. }) => Some(true),
        JobState::Over(Outcome::Passed | Outcome::RolledBack) => Some(false),
        JobState::Over(
            Outcome::LeftOut { .. }
            | Outcome::Skipped { .. }
            | Outcome::Gone
            | Outcome::Running
            | Outcome::Waiting,
        ) => None,
    }
}
