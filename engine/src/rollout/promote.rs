//! An approver ends a bake early.
//!
//! It ends the bake that runs at that moment and no other: when a late host is patched after all,
//! the wave bakes anew, in full.

use super::{Phase, Rollout, RolloutError};
use crate::{
    id::{OperatorId, WaveIndex},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// An approver's word that a bake is over before its time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promotion {
    /// The wave that baked.
    pub wave: WaveIndex,
    /// Since when it baked.
    pub bake_since: Timestamp,
    /// Who ended it.
    pub by: OperatorId,
    /// Why. May be empty.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

impl Rollout {
    /// Every bake that an approver ended early, oldest first.
    pub fn promotions(&self) -> &[Promotion] {
        &self.promotions
    }

    /// Whether an approver has ended the present bake.
    pub(super) fn is_promoted(&self) -> bool {
        self.promotions
            .last()
            .is_some_and(|last| last.wave == self.wave && Some(last.bake_since) == self.bake_since)
    }

    pub(super) fn promoted(
        &mut self,
        by: &OperatorId,
        reason: &str,
        now: Timestamp,
    ) -> Result<(), RolloutError> {
        let rollout = self.plan.rollout.clone();
        if !self.plan.approvers.contains(by) {
            let who = self.plan.approvers.iter().cloned().collect();
            let by = by.clone();
            return Err(RolloutError::NoApprover { rollout, by, who });
        }
        let since = self.bake_since.filter(|_| self.phase == Phase::Running);
        let Some(bake_since) = since else {
            let is = match self.phase {
                Phase::Running => "its present wave is not over",
                Phase::Paused { .. }
                | Phase::Aborting
                | Phase::RollingBack
                | Phase::Ended { .. } => self.phase.name(),
            };
            return Err(RolloutError::NoBake { rollout, is });
        };
        self.promotions.push(Promotion {
            wave: self.wave,
            bake_since,
            by: by.clone(),
            reason: reason.to_owned(),
            at: now,
        });
        Ok(())
    }
}
