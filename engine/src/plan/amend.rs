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

impl Amends {
    /// The digest of a rollout that amends this. `own` is that of its rollout file and lock file.
    pub(crate) fn digest_of(&self, own: Digest) -> Digest {
        let Self {
            rollout,
            rollout_digest,
            generation,
        } = self;
        Digest::of(format!(
            "{own}\namends {rollout} {rollout_digest} {generation}\n"
        ))
    }
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
        let digest = amends.digest_of(plan.rollout_digest);
        plan.rollout_digest = digest;
        for assignment in plan.assignments.values_mut() {
            assignment.rollout_digest = digest;
        }
        plan.amends = Some(amends);
        Ok(plan)
    }
}
