//! The cell's own brake: works without the control plane.

use super::{Work, work::Tally};
use crate::{order::Direction, policy::BrakeRule};

/// What the brake finds in a rollout's work here, if it must stop it.
pub(super) fn finding(work: &Work) -> Option<String> {
    // What goes back is stopped by nothing but its floors: a rollback is a wish that stands.
    if work.braked.is_some() || work.direction() == Some(Direction::Rollback) {
        return None;
    }
    let tally = work.tally();
    exceeds(tally, &work.assignment.brake).then(|| {
        format!(
            "{} of {} attempted hosts of cell {} failed (brake: over {}, at least {})",
            tally.failed,
            tally.attempted,
            work.assignment.cell,
            work.assignment.brake.cell_share,
            work.assignment.brake.cell_least,
        )
    })
}

fn exceeds(tally: Tally, rule: &BrakeRule) -> bool {
    tally.failed >= rule.cell_least && rule.cell_share.is_exceeded(tally.failed, tally.attempted)
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(exceeds(tally, &rule), expected, "{failed} of {attempted}");
        }
    }
}
