//! The cord: pulled for all rollouts, and released.

use super::call;
use crate::{driver::DriverHandle, view};
use cofferdam_engine::{fleet::FleetEvent, id::OperatorId};
use cofferdam_proto::{
    operator::{CordRequest, CordView},
    status::CallError,
};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// How long an answer waits for regions to say that they have stored the cord: as long as it may take to
/// stop everybody who can be heard.
const PATIENCE: Duration = Duration::from_secs(1);

/// The least time between two looks at who has heard (guess: a link's way there and back).
const SPACING: Duration = Duration::from_millis(50);

/// Pulls the cord. Whoever has not heard of it within a second is listed.
///
/// # Errors
/// [`CallError`] while the process stops.
pub(super) async fn pull(
    driver: &DriverHandle,
    by: OperatorId,
    asked: CordRequest,
) -> Result<CordView, CallError> {
    let CordRequest { reason } = asked;
    tracing::warn!(%by, reason, "operator pulls the cord");
    call::act(driver, FleetEvent::CordPulled { by, reason }).await?;
    let heard = timeout(PATIENCE, heard_by_all(driver)).await;
    heard.unwrap_or(Ok(()))?;
    let view = show(driver).await?;
    for region in &view.untold {
        let (hosts, region) = (region.hosts_at_risk, &region.region);
        tracing::warn!(%region, hosts, "a region has not heard of the cord and may start hosts");
    }
    Ok(view)
}

/// Releases the cord.
///
/// # Errors
/// [`CallError`] where it was not pulled here.
pub(super) async fn release(
    driver: &DriverHandle,
    by: OperatorId,
    asked: CordRequest,
) -> Result<CordView, CallError> {
    let CordRequest { reason } = asked;
    tracing::warn!(%by, reason, "operator releases the cord");
    call::act(driver, FleetEvent::CordReleased { by, reason }).await?;
    show(driver).await
}

/// Shows how the cord stands.
///
/// # Errors
/// [`CallError`] while the process stops.
pub(super) async fn show(driver: &DriverHandle) -> Result<CordView, CallError> {
    let look = |situation: view::Situation<'_>| view::cord(situation);
    driver.ask(look).await.map_err(call::stopping)
}

/// Waits until no linked region has yet to say that it has stored the cord.
async fn heard_by_all(driver: &DriverHandle) -> Result<(), CallError> {
    let mut changes = driver.changes();
    let is_awaited = |situation: view::Situation<'_>| {
        let reach = situation.fleet.cord_reach(situation.now);
        let mut regions = reach.into_iter().flat_map(|reach| reach.regions);
        regions.any(|region| region.silent_since.is_none())
    };
    while driver.ask(is_awaited).await.map_err(call::stopping)? {
        sleep(SPACING).await;
        if changes.changed().await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}
