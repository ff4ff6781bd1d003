//! Hosts that are deleted from the inventory.

use super::call;
use crate::{driver::DriverHandle, view};
use cofferdam_engine::{cell::CellEvent, fleet::FleetEvent};
use cofferdam_proto::{
    operator::ForgetHostRequest,
    status::{CallError, CallErrorKind},
};

/// Deletes a host. One that is connected would be back at once with its next message, so it is refused;
/// and one that keeps a patch which is being taken back, unless that is what the operator means.
pub(super) async fn forget(
    driver: &DriverHandle,
    asked: ForgetHostRequest,
) -> Result<(), CallError> {
    let ForgetHostRequest { host, force } = asked;
    let id = host.clone();
    let look = move |situation: view::Situation<'_>| {
        let known = situation.fleet.host(&id);
        if known.is_some_and(|(_, member)| member.is_connected()) {
            return Some(format!("host {id} is connected: stop its agent first"));
        }
        let rollout = situation.fleet.wanted_back(&id).filter(|_| !force)?;
        Some(format!(
            "rollout {rollout} is to be taken back on host {id}, which would keep the patch: \
             --force forgets it all the same"
        ))
    };
    let refused = driver.ask(look).await.map_err(call::stopping)?;
    if let Some(message) = refused {
        return Err(CallError::new(CallErrorKind::NotNow, message));
    }
    let event = CellEvent::HostForgotten { host: host.clone() };
    call::act(driver, FleetEvent::Host { host, event }).await
}
