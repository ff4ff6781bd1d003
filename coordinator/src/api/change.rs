//! What an operator does with a whole rollout.

use cofferdam_engine::{
    id::OperatorId,
    rollout::{self, RolloutEvent},
};
use cofferdam_proto::{
    operator::{Action, ChangeRequest},
    status::{CallError, CallErrorKind},
};

/// The event of what is asked.
///
/// # Errors
/// [`CallErrorKind::Invalid`] where a reason is needed and none is given.
pub(super) fn event(asked: &ChangeRequest, by: OperatorId) -> Result<RolloutEvent, CallError> {
    let (reason, reach) = (asked.reason.clone(), asked.reach);
    let action = match asked.action {
        Action::Pause => rollout::Action::Pause,
        Action::Resume => rollout::Action::Resume,
        Action::Abort => rollout::Action::Abort,
        Action::Rollback => rollout::Action::Rollback,
        Action::Promote if reason.is_empty() => {
            let message = "whoever ends a bake early says why: give a reason";
            return Err(CallError::new(CallErrorKind::Invalid, message));
        }
        Action::Approve => return Ok(RolloutEvent::Approved { by, reason }),
        Action::Promote => return Ok(RolloutEvent::Promoted { by, reason }),
    };
    Ok(RolloutEvent::Asked {
        action,
        by,
        reason,
        reach,
    })
}
