//! Another patch for some hosts of a live rollout.

use super::PlanView;
use cofferdam_engine::{digest::Digest, id::RolloutId, statement::Signed};
use serde::Serialize;

/// Amend a rollout by a variant of its file, or show what that would change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AmendRequest {
    /// The rollout that gives hosts away.
    pub rollout: RolloutId,
    /// The name of the variant's file, for messages.
    pub file_name: String,
    /// The variant: a rollout file that selects the hosts.
    pub spec_text: String,
    /// The variant's lock file. Absent: there is none yet, resolve one.
    pub lock_text: Option<String>,
    /// Why, for people. Empty: not said.
    pub reason: String,
    /// The digest of the amendment as it was shown: it begins, unless it has become another. Absent:
    /// it is shown, and nothing begins.
    pub seen: Option<Digest>,
    /// What an operator signed of it. Absent: nobody signed it.
    pub signed: Option<Signed>,
}

/// The answer to [`AmendRequest`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AmendReply {
    /// Whether it began.
    pub started: bool,
    /// The rollout that gives hosts away.
    pub amends: RolloutId,
    /// Counts the patches of that rollout: its own is 1, its first amendment 2.
    pub generation: u64,
    /// What the amendment does. Its digest covers what it amends.
    pub plan: PlanView,
    /// How many hosts match and have passed: they keep what they have.
    pub passed: u64,
    /// How many hosts match and were lost in their runs: they stay where they are.
    pub away: u64,
    /// What is different between the rollout files: a line each, after ` `, `-` or `+`.
    pub file_diff: Vec<String>,
    /// The same of the lock files.
    pub lock_diff: Vec<String>,
    /// The variant's lock file.
    #[serde(skip)]
    pub lock_text: String,
    /// The digest of the rollout that gives hosts away. Absent: from a coordinator of an earlier release.
    #[serde(skip)]
    pub amended_digest: Option<Digest>,
}
