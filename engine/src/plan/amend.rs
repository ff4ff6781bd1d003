//! A plan that amends a live rollout: another patch for some of its hosts.

use super::{Plan, PlanErrors, PlanInput};
use crate::{
    digest::Digest,
    id::{Generation, RolloutId},
    patch::LockFile,
    rollout::Rollout,
    spec::Spec,
};
use serde::{Deserialize, Serialize};

/// What a rollout amends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amends {
    /// The rollout that gives its hosts away.
    pub rollout: RolloutId,
    /// The digest of that rollout.
    pub rollout_digest: Digest,
    /// Counts the patches of that rollout: its own is 1, its first amendment 2.
    pub generation: Generation,
}

impl Plan {
    /// Makes a plan for those hosts of a rollout that a variant of its file selects and that can be
    /// given away. It has waves of its own, so the stratum starts again in a canary.
    ///
    /// The digest covers what is amended and which generation it is, so that it cannot be taken for
    /// an amendment of anything else.
    ///
    /// # Errors
    /// Every reason why none can be made, each with its cure.
    pub fn amend(
        spec: &Spec,
        lock: &LockFile,
        input: &PlanInput<'_>,
        amended: &Rollout,
    ) -> Result<Self, PlanErrors> {
        let mut plan = Self::make_for(spec, lock, input, &|host| amended.may_be_amended(host))?;
        let amends = amended.next_amendment();
        let (own, of, generation) = (
            plan.rollout_digest,
            amends.rollout_digest,
            amends.generation,
        );
        let digest = Digest::of(format!(
            "{own}\namends {} {of} {generation}\n",
            amends.rollout
        ));
        plan.rollout_digest = digest;
        for assignment in plan.assignments.values_mut() {
            assignment.rollout_digest = digest;
        }
        plan.amends = Some(amends);
        Ok(plan)
    }
}
