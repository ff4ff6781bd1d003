//! Rollbacks of rollouts that are over: what a later rollout changed in the same way stays as that
//! one left it (promise 12).

use super::{Fleet, FleetError, conflict::first_shared};
use crate::{
    id::{HostId, RolloutId},
    rollout::{Action, Rollout, RolloutEvent},
    warrant::Outcome,
};
use std::collections::BTreeSet;

impl Fleet {
    /// The hosts that a later rollout changed in the same way, when an operator asks to take back a
    /// rollout that is over. Nothing of any other event.
    ///
    /// # Errors
    /// [`FleetError::Conflict`] while a live rollout changes the same on a host;
    /// [`FleetError::Superseded`] when nothing is left to take back.
    pub(super) fn superseded_by(
        &self,
        rollout: &RolloutId,
        event: &RolloutEvent,
    ) -> Result<Option<BTreeSet<HostId>>, FleetError> {
        let asks_back = matches!(
            event,
            RolloutEvent::Asked {
                action: Action::Rollback,
                ..
            }
        );
        let over = self.rollouts.get(rollout).filter(|known| !known.is_live());
        let Some(known) = over.filter(|_| asks_back) else {
            return Ok(None);
        };
        if let Some(conflict) = self.conflict(known.plan(), |host| known.claims(host)) {
            return Err(conflict);
        }
        let subjects = known.plan().subjects();
        let mut superseded = BTreeSet::new();
        let mut first = None;
        for (name, later) in self.later_than(rollout, known) {
            let changed = |host: &HostId| {
                known.claims(host) && later.outcomes().get(host) == Some(&Outcome::Passed)
            };
            let Some(subject) = first_shared(&subjects, later.plan()) else {
                continue;
            };
            let hosts = known.plan().hosts.keys();
            let hosts: Vec<HostId> = hosts.filter(|host| changed(host)).cloned().collect();
            let Some(host) = hosts.first().cloned() else {
                continue;
            };
            superseded.extend(hosts);
            first.get_or_insert_with(|| FleetError::Superseded {
                rollout: rollout.clone(),
                later: name.clone(),
                subject,
                host,
            });
        }
        let mut hosts = known.plan().hosts.keys();
        let is_left = hosts.any(|host| known.may_have_it(host) && !superseded.contains(host));
        match first {
            Some(refusal) if !is_left => Err(refusal),
            Some(_) | None => Ok(Some(superseded)),
        }
    }

    fn later_than<'a>(
        &'a self,
        rollout: &'a RolloutId,
        known: &'a Rollout,
    ) -> impl Iterator<Item = (&'a RolloutId, &'a Rollout)> {
        let others = self.rollouts.iter();
        others.filter(move |(name, later)| {
            *name != rollout && later.started_at() >= known.started_at()
        })
    }
}
