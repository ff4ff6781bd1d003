//! Which runs are slow: past [`SLOW_FACTOR`] times the running mean of their cell.

use crate::{policy::SLOW_FACTOR, time::millis};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Runs that passed before the mean says anything (a guess: fewer say little of a spread).
const LEAST_RUNS: u64 = 3;

/// The mean duration of the runs that passed in a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RunningMean {
    runs: u64,
    total_ms: u64,
}

impl RunningMean {
    /// Takes in a run that passed.
    pub(super) fn add(&mut self, duration: Duration) {
        self.runs += 1;
        self.total_ms = self.total_ms.saturating_add(millis(duration));
    }

    /// The mean. Nothing until three runs have passed.
    pub fn mean(&self) -> Option<Duration> {
        (self.runs >= LEAST_RUNS).then(|| Duration::from_millis(self.total_ms / self.runs))
    }

    /// Whether a run that has taken this long is slow.
    pub fn is_slow(&self, elapsed: Duration) -> bool {
        self.mean()
            .is_some_and(|mean| elapsed > mean.saturating_mul(SLOW_FACTOR))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_slow_past_twice_the_mean_of_at_least_three() {
        let mut mean = RunningMean::default();
        mean.add(Duration::from_secs(30));
        mean.add(Duration::from_secs(30));
        assert!(
            !mean.is_slow(Duration::from_secs(480)),
            "two runs say nothing"
        );
        mean.add(Duration::from_secs(30));
        assert!(!mean.is_slow(Duration::from_secs(60)));
        assert!(mean.is_slow(Duration::from_secs(61)));
    }
}
