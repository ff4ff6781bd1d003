//! How many hosts of a rollout, or of a part of it, stand how: each kind apart.

use crate::{
    failure::FailureKind,
    warrant::{LeftOutCause, Outcome},
};

/// Hosts by how they stand. Each is in one count; those that wait, or were never taken, are in none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Ordered, and not over.
    pub running: usize,
    /// Patched, healthy, in service.
    pub passed: usize,
    /// Failed after the point of disruption, but for those that timed out.
    pub failed: usize,
    /// Past a deadline after the point of disruption.
    pub timed_out: usize,
    /// Not reached before the point of disruption.
    pub unreachable: usize,
    /// Left out for any other reason.
    pub left_out: usize,
    /// Left out in cells that were unknown when the rollout ended.
    pub unknown: usize,
    /// Set aside by an operator.
    pub skipped: usize,
    /// Back at what they had, by an operator's rollback.
    pub rolled_back: usize,
    /// Deleted from the inventory.
    pub gone: usize,
}

impl Counts {
    /// Counts hosts by their outcomes.
    pub fn of<'a>(outcomes: impl Iterator<Item = &'a Outcome>) -> Self {
        let mut counts = Self::default();
        for outcome in outcomes {
            let count = match outcome {
                Outcome::Waiting => continue,
                Outcome::Running => &mut counts.running,
                Outcome::Passed => &mut counts.passed,
                Outcome::Failed { failure, .. } if failure.kind == FailureKind::TimedOut => {
                    &mut counts.timed_out
                }
                Outcome::Failed { .. } => &mut counts.failed,
                Outcome::LeftOut {
                    cause: LeftOutCause::Unreachable,
                    ..
                } => &mut counts.unreachable,
                Outcome::LeftOut {
                    cause: LeftOutCause::CellUnknown,
                    ..
                } => &mut counts.unknown,
                Outcome::LeftOut {
                    cause: LeftOutCause::Other,
                    ..
                } => &mut counts.left_out,
                Outcome::Skipped { .. } => &mut counts.skipped,
                Outcome::RolledBack => &mut counts.rolled_back,
                Outcome::Gone => &mut counts.gone,
            };
            *count += 1;
        }
        counts
    }

    /// Hosts that went wrong, as the brake sees it: what was not reached before the point of
    /// disruption is none.
    pub fn went_wrong(self) -> usize {
        self.failed + self.timed_out
    }

    /// Hosts that the fleet's brake holds those against: with an order out, or over after the point of
    /// disruption. A cell's own brake counts no order whose host has not come to that point.
    pub fn attempted(self) -> usize {
        self.running + self.passed + self.rolled_back + self.went_wrong()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        failure::Failure,
        id::OperatorId,
        warrant::{Change, FailedEnd},
    };

    fn failed(kind: FailureKind, end: FailedEnd) -> Outcome {
        let failure = Failure::new(kind, "x");
        Outcome::Failed { failure, end }
    }

    fn left_out(cause: LeftOutCause) -> Outcome {
        let reason = "x".to_owned();
        Outcome::LeftOut { reason, cause }
    }

    fn skipped(change: Change) -> Outcome {
        let (by, reason) = (OperatorId::new("anna").unwrap(), String::new());
        Outcome::Skipped { by, reason, change }
    }

    /// The one count that is not 0.
    fn counted(counts: Counts) -> &'static str {
        let Counts {
            running,
            passed,
            failed,
            timed_out,
            unreachable,
            left_out,
            unknown,
            skipped,
            rolled_back,
            gone,
        } = counts;
        let named = [
            ("running", running),
            ("passed", passed),
            ("failed", failed),
            ("timed out", timed_out),
            ("unreachable", unreachable),
            ("left out", left_out),
            ("unknown", unknown),
            ("skipped", skipped),
            ("rolled back", rolled_back),
            ("gone", gone),
        ];
        let found: Vec<_> = named.iter().filter(|(_, count)| *count > 0).collect();
        match found.as_slice() {
            [] => "nothing",
            [(name, 1)] => name,
            others => panic!("one host, and {others:?}"),
        }
    }

    #[test]
    fn each_outcome_has_its_count_and_the_brake_sees_failed_and_timed_out_alone() {
        use FailedEnd::{Quarantined, RolledBack, Silent};
        use FailureKind::{NoData, TimedOut, Unhealthy};
        // The outcome, its count, whether the brake counts it as wrong, and as attempted.
        for (outcome, count, wrong, attempted) in [
            (Outcome::Waiting, "nothing", 0, 0),
            (Outcome::Running, "running", 0, 1),
            (Outcome::Passed, "passed", 0, 1),
            (failed(Unhealthy, RolledBack), "failed", 1, 1),
            (failed(NoData, Quarantined), "failed", 1, 1),
            (failed(TimedOut, Silent), "timed out", 1, 1),
            (failed(TimedOut, RolledBack), "timed out", 1, 1),
            (left_out(LeftOutCause::Unreachable), "unreachable", 0, 0),
            (left_out(LeftOutCause::Other), "left out", 0, 0),
            (left_out(LeftOutCause::CellUnknown), "unknown", 0, 0),
            (skipped(Change::NotBegun), "skipped", 0, 0),
            (skipped(Change::Unknown), "skipped", 0, 0),
            (Outcome::RolledBack, "rolled back", 0, 1),
            (Outcome::Gone, "gone", 0, 0),
        ] {
            let counts = Counts::of(std::iter::once(&outcome));
            assert_eq!(counted(counts), count, "{outcome:?}");
            assert_eq!(counts.went_wrong(), wrong, "{outcome:?}");
            assert_eq!(counts.attempted(), attempted, "{outcome:?}");
        }
    }

    #[test]
    fn an_older_release_told_no_cause() {
        let text = r#"{"outcome":"left-out","reason":"x"}"#;
        let read: Outcome = serde_json::from_str(text).unwrap();
        assert_eq!(read, left_out(LeftOutCause::Other));
    }
}
