//! What a rollback would do.

use super::PlannedSlice;
use cofferdam_engine::id::{HostId, RolloutId};
use serde::Serialize;

/// What taking a rollout back would do now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RollbackPreview {
    /// Which rollout.
    pub rollout: RolloutId,
    /// How many hosts of which cell would go back.
    pub cells: Vec<PlannedSlice>,
    /// Hosts that may have the patch and do not go back now, or not surely.
    pub not_now: Vec<NotTakenBack>,
    /// The most that it takes for hosts that are connected.
    pub at_most_ms: u64,
}

/// A host that does not go back now, or not surely.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotTakenBack {
    /// Which.
    pub host: HostId,
    /// Why.
    pub why: String,
}
