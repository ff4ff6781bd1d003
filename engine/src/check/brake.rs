//! A brake is pulled for a cause that can still be seen, and where there is one.

use super::Broken;
use crate::{
    cell::JobState,
    fleet::Fleet,
    order::Direction,
    rollout::{Rollout, RolloutCommand},
    warrant::Outcome,
};

/// A rollout that pauses by itself has hosts that are at work or did not pass, or a cell that
/// stopped.
pub(super) fn by_rollout(
    fleet: &Fleet,
    rollout: &Rollout,
    command: &RolloutCommand,
    all: &mut Vec<Broken>,
) {
    let RolloutCommand::Brake { finding } = command else {
        return;
    };
    let name = &rollout.plan().rollout;
    let mut outcomes = rollout.outcomes().values();
    let all_well = outcomes.all(|outcome| matches!(outcome, Outcome::Passed | Outcome::Waiting));
    let has_stopped = fleet.cells().values().any(|cell| {
        let work = cell.work().get(name);
        work.is_some_and(|work| work.braked.is_some())
    });
    if all_well && !has_stopped {
        all.push(Broken {
            promise: 10,
            what: format!(
                "rollout {name} pauses, and none of its hosts is at work or went wrong: {finding}"
            ),
        });
    }
}

/// A cell at rest has no more failures than its brake lets pass, of hosts that were not over when an
/// operator last went on.
pub(super) fn at_rest(fleet: &Fleet, all: &mut Vec<Broken>) {
    for cell in fleet.cells().values() {
        for (name, work) in cell.work() {
            let goes_on = work.warrant.is_some() && work.stop.is_none() && work.braked.is_none();
            if !goes_on || work.direction() == Some(Direction::Rollback) {
                continue;
            }
            let jobs = work
                .jobs
                .iter()
                .filter(|(host, _)| !work.judged().contains(*host));
            let states = || jobs.clone().map(|(_, job)| &job.state);
            let failed = states().filter(|s| matches!(s, JobState::Over(Outcome::Failed { .. })));
            let others = states().filter(|state| match state {
                JobState::Active(active) => active.disrupted,
                JobState::Over(outcome) => {
                    matches!(outcome, Outcome::Passed | Outcome::RolledBack)
                }
                JobState::Waiting | JobState::Again(_) => false,
            });
            let (failed, others) = (failed.count(), others.count());
            let rule = &work.assignment.brake;
            let is_over = rule.cell_share.is_exceeded(failed, failed + others);
            if failed >= rule.cell_least && is_over {
                let cell = cell.id();
                let what = format!(
                    "rollout {name} goes on in cell {cell}, where {failed} hosts failed and {others} did not"
                );
                all.push(Broken { promise: 4, what });
            }
        }
    }
}
