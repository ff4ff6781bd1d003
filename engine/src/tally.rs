//! The share of failures at which a brake is pulled: one rule for a cell's own brake and the fleet's.
//!
//! What each takes for attempted is not the same. A cell sees its runs, and counts hosts once they are past the
//! point of disruption. The fleet hears of a host that its order is out, and counts it from then on; of one that
//! comes back from there undisturbed it hears that too, and does not count it any more.
//!
//! Brakes look at hosts that nobody has judged. When an operator goes on from a stop, every host that is
//! over is judged, well or failed, so a new fault is held against new attempts and not against all that
//! went before. A host that was at work then counts when it is over, and one that is tried again counts
//! anew. Hosts are kept by name: a failure that is gone, with its host or by a new try, hides no other.

use crate::share::Share;

/// Hosts that nobody has judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Those that were attempted: at work, or over after the point of disruption.
    pub attempted: usize,
    /// Those of them that failed.
    pub failed: usize,
}

impl Tally {
    /// Takes one more attempt in.
    pub(crate) fn add(&mut self, has_failed: bool) {
        self.attempted += 1;
        self.failed += usize::from(has_failed);
    }

    /// Takes an attempt away that was taken in.
    pub(crate) fn remove(&mut self, has_failed: bool) {
        self.attempted -= 1;
        self.failed -= usize::from(has_failed);
    }

    /// Whether the brake is pulled: at least so many failed, and more than a share of the attempts.
    pub(crate) fn exceeds(self, share: Share, least: usize) -> bool {
        self.failed >= least && share.is_exceeded(self.failed, self.attempted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::BrakeRule;

    #[test]
    fn the_brake_needs_both_the_share_and_the_least() {
        let rule = BrakeRule::default();
        let cases = [
            (1, 1, false),
            (1, 500, false),
            (2, 40, false),
            (2, 39, true),
            (3, 40, true),
        ];
        for (failed, attempted, expected) in cases {
            let tally = Tally { attempted, failed };
            let found = tally.exceeds(rule.cell_share, rule.cell_least);
            assert_eq!(found, expected, "{failed} of {attempted}");
        }
    }
}
