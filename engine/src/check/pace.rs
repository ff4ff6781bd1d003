//! Promise 8: a coordinator starts no faster than its rollout's pace allows in the cell.

use super::{Broken, Disturbance, Step};
use crate::{cell::JobState, fleet::FleetCommand, warrant::Outcome};

/// With a new order no more hosts are out than the pace allows; while hosts have failed and none
/// has passed, half of that, and a quarter where several have. What goes back
/// has a pace of its own.
pub(super) fn by(of: &Disturbance<'_>, before: &[FleetCommand], all: &mut Vec<Broken>) {
    if of.step != Step::Order {
        return;
    }
    let states = || of.work.jobs.values().map(|job| &job.state);
    let active = states().filter(|state| matches!(state, JobState::Active(_)));
    let ordered = before.iter().filter(|command| orders_too(command, of));
    let out = active.count() + ordered.count() + 1;
    let pace = &of.work.assignment.pace;
    let back = of.work.assignment.rollback.at_once_per_cell;
    let at_once = match of.is_forward() {
        true => pace.at_once_per_cell,
        false => back.unwrap_or(pace.at_once_per_cell),
    };
    let failed = states().filter(|s| matches!(s, JobState::Over(Outcome::Failed { .. })));
    // Of a host that is gone nobody knows any more whether it passed.
    let may_have_passed = |state: &JobState| {
        matches!(
            state,
            JobState::Over(Outcome::Passed | Outcome::RolledBack | Outcome::Gone)
        )
    };
    let is_slow = pace.slow_down && of.is_forward() && !states().any(may_have_passed);
    let part = match failed.count() {
        1 if is_slow => 2,
        2.. if is_slow => 4,
        _ => 1,
    };
    if part * (out - 1) >= at_once {
        let what = format!("{out} hosts would be out at once, a {part}th of {at_once} may be");
        all.push(of.broken(8, &what));
    }
}

fn orders_too(command: &FleetCommand, of: &Disturbance<'_>) -> bool {
    command.order().is_some_and(|(cell, order)| {
        cell == of.cell.id() && order.grant.rollout == of.order.grant.rollout
    })
}
