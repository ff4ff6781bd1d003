//! The bounded slow-down: failures in a cell make a rollout take fewer of its hosts at once, and
//! passes take that back.
//!
//! Each failed run halves how many may be out at once, at most [`SLOW_DOWN_HALVINGS`] times; each
//! [`SLOW_DOWN_PASSES`] passed runs in a row take one halving back. It never stops a rollout: that is
//! the brake's part.

use crate::policy::{SLOW_DOWN_HALVINGS, SLOW_DOWN_PASSES};
use serde::{Deserialize, Serialize};

/// How far failures have slowed a rollout down in a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SlowDown {
    halvings: u32,
    /// Passed runs in a row since the last failure or the last halving that was taken back.
    passes: u32,
}

impl SlowDown {
    pub(super) fn failed(&mut self) {
        self.halvings = (self.halvings + 1).min(SLOW_DOWN_HALVINGS);
        self.passes = 0;
    }

    pub(super) fn passed(&mut self) {
        if self.halvings == 0 {
            return;
        }
        self.passes += 1;
        if self.passes >= SLOW_DOWN_PASSES {
            self.halvings -= 1;
            self.passes = 0;
        }
    }

    /// How many hosts may be out at once, of so many by the rollout's pace: rounded up, so never
    /// none.
    pub fn limit(&self, at_once: usize) -> usize {
        at_once.div_ceil(1 << self.halvings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_halve_and_passes_in_a_row_take_it_back() {
        let mut slow_down = SlowDown::default();
        let mut limits = Vec::new();
        for run in "ppfpfffppppppfppfpfpp".chars() {
            match run {
                'p' => slow_down.passed(),
                _ => slow_down.failed(),
            }
            limits.push(slow_down.limit(50));
        }
        assert_eq!(
            limits,
            [
                50, 50, 25, 25, 13, 13, 13, 13, 25, 25, 50, 50, 50, 25, 25, 50, 25, 25, 13, 13, 25
            ]
        );
    }

    #[test]
    fn a_small_cell_still_moves() {
        let mut slow_down = SlowDown::default();
        let limits = |slow_down: SlowDown| [1, 2, 3, 4, 5].map(|at_once| slow_down.limit(at_once));
        slow_down.failed();
        assert_eq!(limits(slow_down), [1, 1, 2, 2, 3]);
        slow_down.failed();
        assert_eq!(limits(slow_down), [1, 1, 1, 1, 2]);
    }
}
