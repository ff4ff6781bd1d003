//! A live rollout gives hosts away to a variant of its patch: both happen, or neither.

use super::{Fleet, FleetError};
use crate::{
    id::{HostId, OperatorId, RolloutId},
    plan::Plan,
    rollout::Rollout,
    time::Timestamp,
};

impl Fleet {
    pub(super) fn amended(
        &mut self,
        amended: &RolloutId,
        plan: &Plan,
        by: &OperatorId,
        reason: &str,
        now: Timestamp,
    ) -> Result<(), FleetError> {
        let known = self.rollouts.get(amended);
        let known = known.ok_or_else(|| FleetError::NoRollout(amended.clone()))?;
        if self.rollouts.contains_key(&plan.rollout) {
            return Err(FleetError::RolloutExists(plan.rollout.clone()));
        }
        self.check_homes(plan)?;
        self.check_width(plan)?;
        if let Some(denied) = self.denied_to_all(plan) {
            return Err(denied);
        }
        let whole = known.clone();
        let mut narrower = known.clone();
        narrower.amend(plan, by, reason, now)?;
        self.refuse_at_work(&narrower, plan)?;
        self.rollouts.insert(amended.clone(), narrower);
        if let Some(conflict) = self.conflict(plan, |_| true) {
            self.rollouts.insert(amended.clone(), whole);
            return Err(conflict);
        }
        self.begin(plan, by, now);
        Ok(())
    }

    /// What is in mid-change is waited for.
    fn refuse_at_work(&self, narrower: &Rollout, plan: &Plan) -> Result<(), FleetError> {
        let rollout = &narrower.plan().rollout;
        let hosts = plan.hosts.keys();
        let at_work: Vec<HostId> = hosts
            .filter(|host| narrower.claims(host) || self.is_at_work(rollout, host))
            .cloned()
            .collect();
        match at_work.is_empty() {
            true => Ok(()),
            false => Err(FleetError::AtWork {
                rollout: rollout.clone(),
                hosts: at_work,
            }),
        }
    }
}
