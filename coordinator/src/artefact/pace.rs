//! How fast files are served.

use super::CHUNK_BYTES;
use governor::{
    DefaultDirectRateLimiter, Quota,
    clock::{Clock as _, DefaultClock},
};
use std::{fmt, num::NonZeroU32};
use tokio::time::sleep;

/// A bound on the bytes of all transfers together.
pub(super) struct Pace {
    limiter: Option<DefaultDirectRateLimiter>,
    clock: DefaultClock,
}

impl fmt::Debug for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pace").finish_non_exhaustive()
    }
}

impl Pace {
    /// So many bytes a second. Absent: without a bound.
    pub(super) fn new(rate: Option<NonZeroU32>) -> Self {
        let chunk = u32::try_from(CHUNK_BYTES).ok().and_then(NonZeroU32::new);
        let limiter = rate.map(|rate| {
            // A second's worth at once, and a chunk at least, or it would never go.
            let burst = chunk.map_or(rate, |chunk| chunk.max(rate));
            DefaultDirectRateLimiter::direct(Quota::per_second(rate).allow_burst(burst))
        });
        Self {
            limiter,
            clock: DefaultClock::default(),
        }
    }

    /// Waits until so many bytes, a chunk's at most, may be sent.
    pub(super) async fn take(&self, bytes: usize) {
        let bytes = u32::try_from(bytes).ok().and_then(NonZeroU32::new);
        let (Some(limiter), Some(bytes)) = (&self.limiter, bytes) else {
            return;
        };
        // An error would say that a chunk is larger than the burst, which it is not.
        while let Ok(Err(not_until)) = limiter.check_n(bytes) {
            sleep(not_until.wait_time_from(self.clock.now())).await;
        }
    }
}
