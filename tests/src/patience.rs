//! Waiting for a condition, with a deadline.

use std::time::{Duration, Instant};

/// The least wait between two looks at a condition. Loopback answers within a few milliseconds.
const AT_LEAST: Duration = Duration::from_millis(50);

/// The longest one.
const AT_MOST: Duration = Duration::from_secs(1);

/// How much longer than a look the wait after it is: looks that start programs must not take the processor from
/// what they wait for.
const LOOKS: u32 = 3;

/// The deadline passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Late {
    /// How long was waited.
    pub within: Duration,
    /// What was in the way, last.
    pub obstacle: String,
}

/// Looks until there is something to see, and hands it out.
///
/// # Errors
/// When there is still nothing after `within`.
pub async fn within<T>(
    within: Duration,
    mut look: impl AsyncFnMut() -> Result<T, String>,
) -> Result<T, Late> {
    let deadline = Instant::now() + within;
    loop {
        let began = Instant::now();
        let obstacle = match look().await {
            Ok(seen) => return Ok(seen),
            Err(obstacle) => obstacle,
        };
        if Instant::now() >= deadline {
            return Err(Late { within, obstacle });
        }
        tokio::time::sleep((began.elapsed() * LOOKS).clamp(AT_LEAST, AT_MOST)).await;
    }
}

/// The same, for tests.
///
/// # Panics
/// When there is still nothing after `within`. The message names `what` and the last obstacle.
pub async fn eventually<T>(
    what: &str,
    deadline: Duration,
    look: impl AsyncFnMut() -> Result<T, String>,
) -> T {
    let seen = within(deadline, look).await;
    seen.unwrap_or_else(|Late { within, obstacle }| {
        panic!("waited {within:?} for {what}: {obstacle}")
    })
}
