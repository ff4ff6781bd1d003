//! What a host tells of its drift: what changed on it without an order.

use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// The most lines of one summary: the host itself has all of them (guess: a screen).
pub const DRIFT_LINES: usize = 20;

/// What changed on a host since it was sealed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DriftSummary {
    /// When it was first found to be so, by the host's clock. Names this summary: another one has another
    /// moment.
    #[serde(rename = "at_ms")]
    pub at: Timestamp,
    /// How many packages are not as sealed. 0: none.
    pub packages: u64,
    /// How many files are not as sealed. 0: none.
    pub files: u64,
    /// What changed and by which command, a line each, at most [`DRIFT_LINES`]. Fewer than changes where
    /// there are more; where there are none, why that cannot be told. Empty: nothing changed.
    pub lines: Vec<String>,
}

impl DriftSummary {
    /// How many things changed. 0: the host is as it was sealed.
    pub fn changes(&self) -> u64 {
        self.packages.saturating_add(self.files)
    }

    /// Whether the host could not be compared: its lines say why.
    pub fn is_unknown(&self) -> bool {
        self.changes() == 0 && !self.lines.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_without_changes_say_why_nothing_is_known() {
        let mut drift = DriftSummary::default();
        assert!(!drift.is_unknown());
        drift.lines.push("its seal is damaged".to_owned());
        assert!(drift.is_unknown());
        drift.files = 1;
        assert!(!drift.is_unknown());
    }
}
