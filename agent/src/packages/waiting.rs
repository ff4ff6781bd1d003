//! Waiting for whoever else is at work on the host's packages.

use super::LOCK_POLL;
use crate::host::locks::Holder;
use cofferdam_engine::failure::{Failure, FailureKind};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Waits until `find` finds nobody.
///
/// # Errors
/// [`FailureKind::Locked`] with the holder's name when there is one for all of `limit`.
pub(super) async fn until_free(
    find: impl Fn() -> Result<Option<Holder>, Failure>,
    limit: Duration,
) -> Result<(), Failure> {
    let until = Instant::now() + limit;
    let mut said = None;
    while let Some(holder) = find()? {
        if Instant::now() >= until {
            let waited = limit.as_secs_f64();
            let detail = format!("{holder}; waited for it for {waited} s");
            return Err(Failure::new(FailureKind::Locked, detail));
        }
        if said != Some(holder.pid) {
            tracing::info!(%holder, "waiting for the package manager's lock");
            said = Some(holder.pid);
        }
        sleep(LOCK_POLL).await;
    }
    Ok(())
}
