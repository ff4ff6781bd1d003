//! When the owner stops waiting for an order: every state of a run has a deadline here too, beyond
//! the agent's own, because a silent agent keeps none.

use super::{Active, GivenUp, event::timed_out};
use crate::{
    patch::RebootPolicy,
    policy::{Deadlines, MARGIN},
    run::RunState,
    time::Timestamp,
};

/// When an order is given up. Under a new owner each wait begins anew, since nobody listened before
/// it.
pub(super) fn deadline(
    active: &Active,
    deadlines: &Deadlines,
    owner_since: Timestamp,
) -> Timestamp {
    if !active.disrupted {
        let wait = deadlines.start_by + deadlines.claim_wait + MARGIN;
        return active.ordered_at.max(owner_since).after(wait);
    }
    let state = active.state.unwrap_or(RunState::Claiming);
    late_at(active, state, deadlines, owner_since)
}

/// As what an order is given up that is past its deadline.
pub(super) fn given_up(active: &Active) -> GivenUp {
    if !active.disrupted {
        return GivenUp::Unreachable;
    }
    let state = active.state.unwrap_or(RunState::Claiming);
    let deadline = match is_held_to_late(active, state) {
        true => "late_deadline, without a reboot",
        false => "its deadline",
    };
    GivenUp::TimedOut {
        failure: timed_out(format!(
            "silent or late: its run has been {state} past {deadline}"
        )),
    }
}

/// Whether `late_deadline` is for a run, which counts from the change on: for one that does not reboot,
/// as soon as that is known. Until then, and with a reboot, each of its states has its own time.
fn is_held_to_late(active: &Active, state: RunState) -> bool {
    match state {
        RunState::Applying => active.order.reboot == RebootPolicy::Never,
        RunState::Verifying => !active.rebooted,
        RunState::Claiming
        | RunState::Draining
        | RunState::Drained
        | RunState::Rebooting
        | RunState::RollingBack
        | RunState::VerifyingRollback
        | RunState::Readmitting(_)
        | RunState::Ended(_) => false,
    }
}

fn late_at(
    active: &Active,
    state: RunState,
    deadlines: &Deadlines,
    owner_since: Timestamp,
) -> Timestamp {
    let entered = active.entered_at.max(owner_since);
    let since_entered = |wait| entered.after(wait + MARGIN);
    if let Some(began) = active.changed_since
        && is_held_to_late(active, state)
    {
        return began.max(owner_since).after(deadlines.late);
    }
    match state {
        RunState::Claiming | RunState::Draining => {
            since_entered(deadlines.drain + deadlines.claim_wait)
        }
        RunState::Drained | RunState::Ended(_) => since_entered(deadlines.claim_wait),
        RunState::Readmitting(_) => since_entered(deadlines.drain),
        RunState::Applying | RunState::RollingBack => since_entered(deadlines.apply),
        RunState::Rebooting => since_entered(deadlines.reboot),
        RunState::Verifying | RunState::VerifyingRollback => since_entered(deadlines.verify),
    }
}
