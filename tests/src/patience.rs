//! Waiting for a condition, with a deadline.

use std::time::{Duration, Instant};

/// How often a condition is looked at. Loopback answers within a few milliseconds.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Looks until there is something to see, and hands it out.
///
/// # Panics
/// When there is still nothing after `within`. The message names `what` and the last obstacle.
pub async fn eventually<T>(
    what: &str,
    within: Duration,
    mut look: impl AsyncFnMut() -> Result<T, String>,
) -> T {
    let deadline = Instant::now() + within;
    loop {
        let obstacle = match look().await {
            Ok(seen) => return seen,
            Err(obstacle) => obstacle,
        };
        assert!(
            Instant::now() < deadline,
            "waited {within:?} for {what}: {obstacle}"
        );
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
