//! What calls of both services share: errors as the wire carries them, blocking work aside.

use crate::driver::Stopping;
use cofferdam_proto::status::{CallError, CallErrorKind};
use std::error::Error;

/// The answer to whoever calls while the process stops.
pub(super) fn stopping(stopping: Stopping) -> CallError {
    CallError::of(CallErrorKind::Unavailable, &stopping)
}

/// Does blocking work on a thread of its own.
pub(super) async fn blocking<T, E>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
    kind: impl FnOnce(&E) -> CallErrorKind,
) -> Result<T, CallError>
where
    T: Send + 'static,
    E: Error + Send + 'static,
{
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|panicked| CallError::of(CallErrorKind::Internal, &panicked))?
        .map_err(|error| CallError::of(kind(&error), &error))
}
