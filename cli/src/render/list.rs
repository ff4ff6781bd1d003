//! Rollouts, one line each.

use crate::render::{
    View,
    table::{ago, table},
};
use cofferdam_engine::time::Timestamp;
use cofferdam_proto::operator::RolloutLine;
use serde::Serialize;

/// Rollouts, newest first.
#[derive(Debug, Serialize)]
pub struct RolloutList {
    /// The rollouts.
    pub rollouts: Vec<RolloutLine>,
    /// The moment at which they are looked at.
    #[serde(skip)]
    pub now: Timestamp,
}

impl View for RolloutList {
    fn text(&self) -> String {
        if self.rollouts.is_empty() {
            return "no rollouts yet: cofferdam plan FILE makes the first\n".to_owned();
        }
        let rows = self.rollouts.iter().map(|line| self.row(line));
        let headings = [
            "rollout", "state", "wave", "hosts", "passed", "failed", "started",
        ];
        table(headings, rows.collect())
    }
}

impl RolloutList {
    fn row(&self, line: &RolloutLine) -> [String; 7] {
        let started = line.started_at_ms.map(|at| ago(at, self.now));
        [
            match &line.amends {
                Some(amends) => format!("{} (amends {amends})", line.name),
                None => line.name.to_string(),
            },
            line.state.to_string(),
            line.wave.clone().unwrap_or_default(),
            line.hosts.to_string(),
            line.passed.to_string(),
            line.failed.to_string(),
            started.unwrap_or_default(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cofferdam_engine::id::RolloutId;
    use cofferdam_proto::operator::RolloutState;

    #[test]
    fn a_rollout_is_one_line() {
        let line = RolloutLine {
            name: RolloutId::new("openssl-2026-11").unwrap(),
            state: RolloutState::Running,
            reason: String::new(),
            wave: Some("canary".to_owned()),
            hosts: 24,
            passed: 3,
            failed: 0,
            started_at_ms: Some(Timestamp(1_000)),
            ended_at_ms: None,
            amends: None,
            amended_by: Vec::new(),
        };
        let list = RolloutList {
            rollouts: vec![line],
            now: Timestamp(61_000),
        };
        insta::assert_snapshot!(list.text(), @r"
    ROLLOUT          STATE    WAVE    HOSTS  PASSED  FAILED  STARTED
    openssl-2026-11  running  canary  24     3       0       1m ago
    ");
    }
}
