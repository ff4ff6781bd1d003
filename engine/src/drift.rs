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
}
