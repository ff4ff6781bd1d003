//! When the owner stops waiting for an order: every state of a run has a deadline here too, beyond
//! the agent's own, because a silent agent keeps none.

use super::{Active, GivenUp, event::timed_out};
use crate::{
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
    GivenUp::TimedOut {
        failure: timed_out(format!(
            "silent or late: its run has been {state} past its deadline"
        )),
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
    match (state, active.changed_since) {
        (RunState::Applying | RunState::Verifying, Some(began)) if !active.rebooted => {
            began.max(owner_since).after(deadlines.late)
        }
        (RunState::Claiming | RunState::Draining, _) => {
            since_entered(deadlines.drain + deadlines.claim_wait)
        }
        (RunState::Drained | RunState::Ended(_), _) => since_entered(deadlines.claim_wait),
        (RunState::Readmitting(_), _) => since_entered(deadlines.drain),
        (RunState::Applying | RunState::RollingBack, _) => since_entered(deadlines.apply),
        (RunState::Rebooting, _) => since_entered(deadlines.reboot),
        (RunState::Verifying | RunState::VerifyingRollback, _) => since_entered(deadlines.verify),
    }
}
