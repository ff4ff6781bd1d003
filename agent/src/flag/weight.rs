//! How much of its full traffic a host is to have: what the responder says by itself, from moment to
//! moment, until the agent says something else.
//!
//! ```text
//! after a boot    10% ---> 25% ---> 50% ---> 100%           walked by the responder alone
//! in a run        10% - - - - -> 25% ......................> 100%
//!                  |   (late)         (silent for long)
//!                  agent: well for the step's time  -> writes 25% - - -> 50% ....> 100%
//!                         not well, or nobody knows -> writes 10% ...............> 0%
//! ```
//!
//! In a run the agent takes each step after it has watched the one before. One that dies is back within
//! seconds, since its unit starts it again, and goes on. For one that does not come back the file says
//! what follows: the next step, once the agent is [`LATE`], and no other unwatched one; and when it was
//! silent for so much longer ([`SILENT`]) that nobody is going to watch any more, all of the traffic if the host was well
//! when it was last looked at, and nothing new if it was not. So no host is left at a part for good. All
//! the while the responder asks the application itself, as it always does.

use cofferdam_engine::{time::millis, traffic::RampSteps};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// All of the traffic, in percent.
pub const ALL: u8 = 100;

/// How much later than it should an agent may take a step before the responder takes it (guess: it is
/// started again a second after it died, and its slowest look at the host takes 10 s).
pub const LATE: Duration = Duration::from_secs(30);

/// How long an agent may be silent in a ramp before there is none to wait for (guess: as long as a cell
/// is not heard of until it is unknown).
pub const SILENT: Duration = Duration::from_secs(600);

/// How much of its full traffic a host is to have from a moment on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Weight {
    /// From when on, by the boot-time clock, in milliseconds.
    pub from_ms: u64,
    /// How much, in percent: 0 to [`ALL`]. 0: nothing new.
    pub percent: u8,
}

impl Weight {
    fn after(now_ms: u64, wait: Duration, percent: u8) -> Self {
        Self {
            from_ms: now_ms.saturating_add(millis(wait)),
            percent,
        }
    }
}

/// The percentage of a moment: that of the last weight that has begun, or of the first before any has.
/// All, where there is none.
pub fn at(weights: &[Weight], now_ms: u64) -> u64 {
    let begun = weights.iter().rfind(|weight| weight.from_ms <= now_ms);
    let weight = begun.or(weights.first());
    weight.map_or(ALL, |weight| weight.percent.min(ALL)).into()
}

/// A ramp that nobody watches: step after step, each of this time, then all. No time: all at once.
pub fn unwatched(steps: &RampSteps, step: Duration, now_ms: u64) -> Vec<Weight> {
    if step.is_zero() {
        return Vec::new();
    }
    let percents = steps.percents().iter().copied().chain([ALL]);
    let numbered = (0..).zip(percents);
    numbered
        .map(|(number, percent)| Weight::after(now_ms, step * number, percent))
        .collect()
}

/// A step that the agent watches for this time, and what follows without it.
pub fn watched(percent: u8, next: u8, step: Duration, now_ms: u64) -> Vec<Weight> {
    let late = step + LATE;
    vec![
        Weight::after(now_ms, Duration::ZERO, percent),
        Weight::after(now_ms, late, next),
        Weight::after(now_ms, late + SILENT, ALL),
    ]
}

/// A step at which the host stays, since it is not well or nobody knows.
pub fn held(percent: u8, now_ms: u64) -> Vec<Weight> {
    vec![
        Weight::after(now_ms, Duration::ZERO, percent),
        Weight::after(now_ms, SILENT, 0),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn percents(weights: &[Weight], moments: &[u64]) -> Vec<u64> {
        moments.iter().map(|&now| at(weights, now)).collect()
    }

    #[test]
    fn a_ramp_that_nobody_watches_goes_on_by_itself() {
        let steps = RampSteps::default();
        let weights = unwatched(&steps, Duration::from_secs(10), 5_000);
        let moments = [0, 5_000, 14_999, 15_000, 25_000, 34_999, 35_000, u64::MAX];
        assert_eq!(
            percents(&weights, &moments),
            [10, 10, 10, 25, 50, 50, 100, 100]
        );
        assert_eq!(unwatched(&steps, Duration::ZERO, 0), []);
        assert_eq!(at(&[], 7), 100);
    }

    #[test]
    fn without_its_agent_a_host_takes_one_step_and_is_not_left_at_a_part() {
        let weights = watched(10, 25, Duration::from_secs(10), 0);
        assert_eq!(
            percents(&weights, &[0, 39_999, 40_000, 639_999, 640_000]),
            [10, 10, 25, 25, 100]
        );
        assert_eq!(percents(&held(25, 0), &[0, 599_999, 600_000]), [25, 25, 0]);
    }

    #[test]
    fn no_file_says_more_than_all() {
        let weights: Vec<Weight> =
            serde_json::from_str(r#"[{"from_ms": 0, "percent": 255}]"#).unwrap();
        assert_eq!(at(&weights, 1), 100);
    }
}
