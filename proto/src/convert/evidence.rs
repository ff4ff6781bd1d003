//! What a rollout proved.

use super::{
    bounds::MAX_ENTRIES,
    field::{At, FieldError},
    read, write,
};
use crate::{
    operator::{RolloutEvidence, RolloutRequest, StratumEvidence},
    v1,
};

impl From<RolloutRequest> for v1::EvidenceRequest {
    fn from(request: RolloutRequest) -> Self {
        let rollout = request.rollout.into();
        Self { rollout }
    }
}

impl TryFrom<v1::EvidenceRequest> for RolloutRequest {
    type Error = FieldError;
    fn try_from(wire: v1::EvidenceRequest) -> Result<Self, FieldError> {
        let rollout = read::name(wire.rollout).at("rollout")?;
        Ok(Self { rollout })
    }
}

impl From<RolloutEvidence> for v1::RolloutEvidence {
    fn from(evidence: RolloutEvidence) -> Self {
        Self {
            rollout_digest: write::digest(evidence.rollout_digest),
            strata: write::list(evidence.strata),
        }
    }
}

impl TryFrom<v1::RolloutEvidence> for RolloutEvidence {
    type Error = FieldError;
    fn try_from(wire: v1::RolloutEvidence) -> Result<Self, FieldError> {
        Ok(Self {
            rollout_digest: read::digest(&wire.rollout_digest).at("rollout_digest")?,
            strata: read::list(wire.strata, MAX_ENTRIES).at("strata")?,
        })
    }
}

impl From<StratumEvidence> for v1::StratumEvidence {
    fn from(evidence: StratumEvidence) -> Self {
        Self {
            stratum: write::line(&evidence.stratum),
            hosts: evidence.hosts,
            passed: evidence.passed,
            failed: evidence.failed,
        }
    }
}

impl TryFrom<v1::StratumEvidence> for StratumEvidence {
    type Error = FieldError;
    fn try_from(wire: v1::StratumEvidence) -> Result<Self, FieldError> {
        Ok(Self {
            stratum: read::filled_line(wire.stratum).at("stratum")?,
            hosts: wire.hosts,
            passed: wire.passed,
            failed: wire.failed,
        })
    }
}
