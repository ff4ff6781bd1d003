//! How long something takes, as a distribution.

use std::time::Duration;

/// How long something takes: half of the time at most `p50`, of 100 times 90 at most `p90`, 99 at most
/// `p99`. Between these it lies evenly; the least is half of `p50`, the most `p99` and half as much again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spread {
    /// The median.
    pub p50: Duration,
    /// At least `p50`.
    pub p90: Duration,
    /// At least `p90`.
    pub p99: Duration,
}

impl Spread {
    /// The same each time.
    pub const fn exactly(lasts: Duration) -> Self {
        Self {
            p50: lasts,
            p90: lasts,
            p99: lasts,
        }
    }

    /// How long it takes by a seed that lies evenly in all numbers.
    pub fn at(&self, seed: u64) -> Duration {
        // Which of a thousand times it is.
        let rank = u32::try_from((u128::from(seed) * 1000) >> 64).unwrap_or(999);
        let is_exact = self.p50 == self.p99;
        let (from, to, first, last) = match rank {
            _ if is_exact => return self.p50,
            0..500 => (self.p50 / 2, self.p50, 0, 500),
            500..900 => (self.p50, self.p90, 500, 900),
            900..990 => (self.p90, self.p99, 900, 990),
            _ => (self.p99, self.p99 * 3 / 2, 990, 1000),
        };
        from + to.saturating_sub(from) * (rank - first) / (last - first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_hundred_times_the_quantiles_are_kept() {
        let secs = Duration::from_secs;
        let spread = Spread {
            p50: secs(10),
            p90: secs(20),
            p99: secs(60),
        };
        let all: Vec<Duration> = (0..1000_u64)
            .map(|n| spread.at(n * (u64::MAX / 1000)))
            .collect();
        let below = |limit| all.iter().filter(|time| **time <= limit).count();
        assert!((495..=505).contains(&below(secs(10))));
        assert!((895..=905).contains(&below(secs(20))));
        assert!((985..=995).contains(&below(secs(60))));
        assert!(all.iter().all(|time| (secs(5)..=secs(90)).contains(time)));
    }

    #[test]
    fn what_takes_the_same_each_time_does() {
        let spread = Spread::exactly(Duration::from_secs(30));
        for seed in [0, 1 << 40, u64::MAX] {
            assert_eq!(spread.at(seed), Duration::from_secs(30));
        }
    }
}
