//! When a host is tried again: after a wait that doubles, jittered by host.

use crate::{
    id::{HostId, RolloutId},
    policy::MAX_BACKOFF,
    seed,
};
use std::time::Duration;

/// Times in a row that an order may be cancelled or undone before its host is left out (guess: with
/// the default back-off half an hour, so that one host which cannot be drained ends no wave).
pub(super) const MAX_UNDONE: u32 = 5;

/// The wait before try `times + 1`: `base` doubled for each time before, at most [`MAX_BACKOFF`],
/// and up to half more by host and rollout, so that hosts which failed together do not return
/// together.
pub(super) fn backoff(base: Duration, times: u32, rollout: &RolloutId, host: &HostId) -> Duration {
    let doublings = times.saturating_sub(1).min(16);
    let wait = base.saturating_mul(1 << doublings).min(MAX_BACKOFF);
    let times = times.to_string();
    seed::jitter(
        wait,
        seed::of(&[rollout.as_str(), host.as_str(), "retry", &times]),
    )
}
