//! A brake is pulled for a cause that can still be seen.

use super::Broken;
use crate::{
    fleet::Fleet,
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
