//! What a rollout proved, for whoever is to decide on it elsewhere.

use cofferdam_engine::digest::Digest;
use serde::{Deserialize, Serialize};

/// What a rollout proved so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolloutEvidence {
    /// The digest of what its file means, its lock file, and what it amends.
    pub rollout_digest: Digest,
    /// Every stratum of its hosts, package deltas among them, in order.
    pub strata: Vec<StratumEvidence>,
}

/// How the hosts of one stratum fared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StratumEvidence {
    /// As in `instance_type=r5.4xlarge`.
    pub stratum: String,
    /// How many hosts of it the rollout has.
    pub hosts: u64,
    /// How many of them passed.
    pub passed: u64,
    /// How many of them failed or timed out.
    pub failed: u64,
}
