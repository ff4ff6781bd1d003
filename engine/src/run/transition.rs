//! The table of a run: which event leads from which state to which.

use super::{Ending, RunEvent as E, RunState as S, Standing};
use crate::{
    order::{Direction, Order},
    patch::RebootPolicy,
};

/// What an event does to a run's state.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// The run goes to another state.
    Enter(S),
    /// The event is noted; the state goes on.
    Stay,
    /// The state goes on, and its deadline starts anew.
    Again,
}

/// The whole table: every pair is listed. Nothing for an event that cannot happen in the state.
pub(super) fn next(state: S, event: &E, order: &Order, standing: Standing) -> Option<Next> {
    use Ending::{Patched, Quarantined, RolledBack};
    let entered = match (state, event) {
        (S::Claiming, E::ClaimGranted) => S::Draining,
        (S::Claiming, E::ClaimRefused { .. } | E::Withdrawn { .. } | E::DeadlinePassed) => {
            cancelled(standing)
        }
        (S::Draining, E::Done { .. }) => S::Drained,
        (S::Draining, E::Failed(_) | E::Withdrawn { .. } | E::DeadlinePassed)
        | (S::Drained, E::ClaimRefused { .. } | E::Withdrawn { .. } | E::DeadlinePassed) => {
            undone(standing)
        }
        (S::Drained, E::ClaimGranted) => granted(order.direction),
        (S::Applying, E::Done { needs_reboot, .. }) => applied(order.reboot, *needs_reboot),
        (S::Rebooting, E::Rebooted) => S::Verifying,
        (S::Verifying, E::Done { .. }) => S::Readmitting(Patched),
        (S::Applying | S::Rebooting | S::Verifying, E::Failed(_) | E::DeadlinePassed)
        // It was well while nobody used it, and is not with traffic.
        | (S::Readmitting(Patched), E::Failed(_)) => S::RollingBack,
        (S::RollingBack, E::Done { .. }) => S::VerifyingRollback,
        (S::VerifyingRollback, E::Done { .. }) => S::Readmitting(RolledBack),
        (S::Readmitting(ending), E::Done { .. }) => S::Ended(ending),
        // Also what waits so long with its flag down: nothing says that the patch did it.
        (
            S::RollingBack | S::VerifyingRollback | S::Readmitting(_),
            E::Failed(_) | E::DeadlinePassed,
        ) => S::Ended(Quarantined),

        // Nothing of the host is changed yet: an agent that was away undoes by its old deadline.
        // A reboot that was asked for is not over until the host went down.
        (S::Claiming | S::Draining | S::Drained, E::Resumed)
        | (S::Rebooting, E::Done { .. })
        // A stop that comes too late: the run ends safely by itself.
        | (S::Applying | S::Rebooting | S::Verifying, E::Withdrawn { .. })
        | (S::RollingBack | S::VerifyingRollback | S::Readmitting(_), E::Withdrawn { .. }) => {
            return Some(Next::Stay);
        }
        (S::Applying | S::Rebooting | S::Verifying, E::Resumed)
        | (S::RollingBack | S::VerifyingRollback | S::Readmitting(_), E::Resumed) => {
            return Some(Next::Again);
        }

        (S::Claiming | S::Drained, E::Done { .. } | E::Failed(_) | E::Rebooted)
        | (S::Draining, E::ClaimGranted | E::ClaimRefused { .. } | E::Rebooted)
        | (S::Rebooting, E::ClaimGranted | E::ClaimRefused { .. })
        | (
            S::Applying
            | S::Verifying
            | S::RollingBack
            | S::VerifyingRollback
            | S::Readmitting(_),
            E::ClaimGranted | E::ClaimRefused { .. } | E::Rebooted,
        )
        | (
            S::Ended(_),
            E::ClaimGranted
            | E::ClaimRefused { .. }
            | E::Done { .. }
            | E::Failed(_)
            | E::Withdrawn { .. }
            | E::DeadlinePassed
            | E::Rebooted
            | E::Resumed,
        ) => return None,
    };
    Some(Next::Enter(entered))
}

fn cancelled(standing: Standing) -> S {
    match standing {
        Standing::Free => S::Ended(Ending::Cancelled),
        Standing::Quarantined => S::Ended(Ending::Quarantined),
    }
}

/// Whoever was not in service before is not put there by a run that proved nothing.
fn undone(standing: Standing) -> S {
    match standing {
        Standing::Free => S::Readmitting(Ending::Undone),
        Standing::Quarantined => S::Ended(Ending::Quarantined),
    }
}

fn granted(direction: Direction) -> S {
    match direction {
        Direction::Patch => S::Applying,
        Direction::Rollback => S::RollingBack,
    }
}

fn applied(policy: RebootPolicy, needs_reboot: bool) -> S {
    match (policy, needs_reboot) {
        (RebootPolicy::Always, _) | (RebootPolicy::IfRequired, true) => S::Rebooting,
        (RebootPolicy::IfRequired, false) | (RebootPolicy::Never, _) => S::Verifying,
    }
}
