//! Denials: what must not be installed again, as operators ask and see it.

use cofferdam_engine::{
    denial::{Named, Place},
    digest::Digest,
    id::{OperatorId, RolloutId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// Deny bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DenyRequest {
    /// Which.
    pub bits: Named,
    /// Where.
    pub place: Place,
    /// Why, for people. Empty: not said.
    pub reason: String,
}

/// Lift denials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiftDenialRequest {
    /// Of which bits.
    pub bits: Named,
    /// At which place. Absent: wherever they are denied.
    pub only_at: Option<Place>,
    /// Why, for people. Empty: not said.
    pub reason: String,
}

/// Bits that must not be installed at a place, or were denied there once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DenialView {
    /// The digest of what is installed on one platform.
    pub bits: Digest,
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// Who denied them. Absent: the host itself, on which they failed for good.
    pub by: Option<OperatorId>,
    /// The rollout that brought them. Absent: they were named by their digest.
    pub rollout: Option<RolloutId>,
    /// Why. Empty: not said.
    pub reason: String,
    /// Since when.
    pub at_ms: Timestamp,
    /// Who lifted it. Absent: it holds.
    pub lifted: Option<LiftView>,
}

/// The end of a denial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiftView {
    /// Who.
    pub by: OperatorId,
    /// Why. Empty: not said.
    pub reason: String,
    /// When.
    pub at_ms: Timestamp,
}
