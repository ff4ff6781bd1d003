//! Hosts that operators take and give back.

use super::call;
use crate::{driver::DriverHandle, view};
use cofferdam_engine::{fleet::FleetEvent, id::OperatorId, time::Timestamp};
use cofferdam_proto::{
    operator::{ReleaseHostsRequest, ReserveReply, ReserveRequest},
    status::{CallError, CallErrorKind},
};

/// Takes hosts, all or none. When that ends by itself.
pub(super) async fn take(
    driver: &DriverHandle,
    by: OperatorId,
    asked: ReserveRequest,
) -> Result<ReserveReply, CallError> {
    let ReserveRequest {
        hosts,
        reason,
        lasts,
    } = asked;
    tracing::info!(%by, ?hosts, reason, ?lasts, "operator takes hosts");
    let event = FleetEvent::Reserved {
        hosts: hosts.iter().cloned().collect(),
        by,
        reason,
        lasts,
    };
    call::act(driver, event).await?;
    let look = move |situation: view::Situation<'_>| {
        let known = hosts.first().and_then(|host| situation.fleet.host(host));
        let entry = known.and_then(|(cell, member)| cell.ledger().entry(&member.host.id));
        entry.and_then(|entry| entry.holder.until())
    };
    let until: Option<Timestamp> = driver.ask(look).await.map_err(call::stopping)?;
    let gone = || CallError::new(CallErrorKind::NotNow, "it is over already");
    let until_ms = until.ok_or_else(gone)?;
    Ok(ReserveReply { until_ms })
}

/// Gives hosts back, all or none.
pub(super) async fn give_back(
    driver: &DriverHandle,
    by: OperatorId,
    asked: ReleaseHostsRequest,
) -> Result<(), CallError> {
    let ReleaseHostsRequest { hosts, force } = asked;
    tracing::info!(%by, ?hosts, force, "operator gives hosts back");
    let event = FleetEvent::Unreserved {
        hosts: hosts.into_iter().collect(),
        by,
        force,
    };
    call::act(driver, event).await
}
