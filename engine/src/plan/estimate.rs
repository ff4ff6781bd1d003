//! How long a rollout takes, between two bounds.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The time that a plan needs, from its start.
///
/// Both bounds assume that no host is held by others and that nothing pauses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Estimate {
    /// When every step takes no time and every host is healthy at once.
    pub least: Duration,
    /// When every step takes as long as its deadline allows.
    pub most: Duration,
}
