//! What calls of both services share: errors as the wire carries them.

use crate::driver::{DriverHandle, Stopping};
use cofferdam_engine::{
    fleet::{FleetError, FleetEvent},
    id::RolloutId,
    reservation::ReservationError,
    rollout::RolloutError,
};
use cofferdam_proto::status::{CallError, CallErrorKind};

/// The answer to whoever calls while the process stops.
pub(crate) fn stopping(stopping: Stopping) -> CallError {
    CallError::of(CallErrorKind::Unavailable, &stopping)
}

/// Has an event applied and stored.
///
/// # Errors
/// [`CallError`] where the fleet refuses it, and while the process stops.
pub(super) async fn act(driver: &DriverHandle, event: FleetEvent) -> Result<(), CallError> {
    let done = driver.act(event).await.map_err(stopping)?;
    applied(done)
}

/// The answer to whoever names a rollout that is not there.
pub(super) fn no_rollout(name: &RolloutId) -> CallError {
    let message = format!("there is no rollout {name}");
    CallError::new(CallErrorKind::NotFound, message)
}

/// The answer to whoever wanted an event applied.
pub(crate) fn applied(applied: Result<(), FleetError>) -> Result<(), CallError> {
    looked(applied)
}

/// The answer to whoever asked what an event would come to.
pub(super) fn looked<T>(found: Result<T, FleetError>) -> Result<T, CallError> {
    found.map_err(|refusal| CallError::of(refusal_kind(&refusal), &refusal))
}

fn refusal_kind(refusal: &FleetError) -> CallErrorKind {
    match refusal {
        FleetError::NoHost(_)
        | FleetError::NoCell(_)
        | FleetError::NoRollout(_)
        | FleetError::NoRegion(_)
        | FleetError::NoDenial { .. } => CallErrorKind::NotFound,
        FleetError::RolloutExists(_) => CallErrorKind::Exists,
        FleetError::Conflict { .. }
        | FleetError::GoesBack { .. }
        | FleetError::NotAtRest { .. }
        | FleetError::AtWork { .. }
        | FleetError::Moved { .. }
        | FleetError::Superseded { .. }
        | FleetError::Denied { .. }
        | FleetError::Unplaced { .. }
        | FleetError::OfAnotherPart { .. }
        | FleetError::SeveralRegions { .. }
        | FleetError::RegionAway(_)
        | FleetError::RegionRefuses { .. }
        | FleetError::NoCord
        | FleetError::CordOfControl(_)
        | FleetError::StillAtWork { .. }
        | FleetError::WideFloor { .. }
        | FleetError::Reservation(
            ReservationError::Held { .. }
            | ReservationError::Lost { .. }
            | ReservationError::Silent { .. }
            | ReservationError::Floor { .. }
            | ReservationError::NotReserved { .. }
            | ReservationError::OfAnother { .. },
        )
        | FleetError::Cell { .. }
        | FleetError::Rollout(
            RolloutError::NotNow { .. }
            | RolloutError::NotExcepted { .. }
            | RolloutError::NoBake { .. }
            | RolloutError::NoApprover { .. }
            | RolloutError::NoApprovalAwaited { .. }
            | RolloutError::OtherAmendment { .. },
        ) => CallErrorKind::NotNow,
        FleetError::SetBack(_) => CallErrorKind::NotNow,
        FleetError::NoBits(_) | FleetError::Reservation(ReservationError::Lasts { .. }) => {
            CallErrorKind::Invalid
        }
        FleetError::PackagePart { .. }
        | FleetError::PackageDigest(_)
        | FleetError::StaleEpoch { .. }
        | FleetError::CellOfAnother { .. }
        | FleetError::NewsMissing { .. }
        | FleetError::Rollout(RolloutError::NoCell { .. } | RolloutError::IllegalEvent { .. }) => {
            CallErrorKind::Internal
        }
    }
}
