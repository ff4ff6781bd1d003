//! What operators say of single hosts.

use cofferdam_engine::{
    exception::Word,
    id::{HostId, RolloutId},
};

/// Exclude hosts of a rollout, skip them, or try them again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExceptRequest {
    /// Which rollout.
    pub rollout: RolloutId,
    /// What is said.
    pub word: Word,
    /// Of which of its hosts.
    pub whom: Whom,
    /// Why, for people. Empty: not said.
    pub reason: String,
}

/// Which hosts of a rollout are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whom {
    /// These. Not empty.
    Hosts(Vec<HostId>),
    /// Those that match a selection now, in the language of `match` in rollout files.
    Matching(String),
    /// Those of a stratum, as in `instance_type=r5.4xlarge`.
    Stratum(String),
    /// Those that failed, went back to what they had, and serve.
    Failed,
}
