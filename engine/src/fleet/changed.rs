//! Planned hosts whose packages changed before they were started: what the patch changes on them is not what
//! was assumed, and perhaps not what any host has passed (promise 9).
//!
//! Each goes on as what it is, in its own wave: of a stratum that is not proved it is tried alone. What a host
//! is that is at work, passed or failed was settled when it began. One that is sent back before it changed
//! anything, as for a delta that is not its own, is looked at then.

use super::Fleet;
use crate::{
    cell::Member,
    id::{HostId, RolloutId},
    patch::LockFile,
    rollout::{Rollout, RolloutEvent},
    stratum::{self, Delta, Stratum},
    warrant::Outcome,
};

impl Fleet {
    /// Whether the patch changes something else on a planned host than was assumed, and it has not begun. A host of
    /// which nobody knows yet what it has now is as it was: its own agent knows better.
    pub(super) fn differs(&self, rollout: &Rollout, member: &Member) -> bool {
        let host = &member.host.id;
        if !rollout.may_be_other(host) {
            return false;
        }
        let (Some(assumed), Some(lock)) = (rollout.plan().delta_of(host), rollout.plan().lock())
        else {
            return false;
        };
        match (self.delta(member, lock), assumed) {
            (Some(Delta::Unknown(_)), Delta::Known(_)) => false,
            (found, _) => found != Some(assumed),
        }
    }

    /// What the patch of a rollout changes on a host as it is now, and the strata that this makes it.
    pub(super) fn as_it_is(
        &self,
        rollout: &RolloutId,
        host: &HostId,
    ) -> Option<(Option<Delta>, Vec<Stratum>)> {
        let rollout = self.rollouts.get(rollout)?;
        let (_, member) = self.host(host)?;
        let lock = rollout.plan().lock()?;
        let installed = self.package_sets.get(&member.host.facts.packages);
        let coverage = &rollout.plan().coverage;
        let strata = coverage.strata(&member.host, installed, lock);
        Some((self.delta(member, lock), strata))
    }

    pub(super) fn take_as_it_is(&mut self, name: &RolloutId, host: &HostId) {
        let found = self.as_it_is(name, host);
        if let (Some((delta, strata)), Some(rollout)) = (found, self.rollouts.get_mut(name)) {
            rollout.take_as_it_is(host, delta, &strata);
        }
    }

    /// Looks at the hosts of a rollout that wait anew: what was heard of their packages while they had an order
    /// was its own doing, or is to be taken in now.
    pub(super) fn look_at_waiting(&mut self, name: &RolloutId, event: &RolloutEvent) {
        let RolloutEvent::Summarised { summary } = event else {
            return;
        };
        let changed = summary.changed.iter();
        for (host, _) in changed.filter(|(_, outcome)| **outcome == Outcome::Waiting) {
            let found = self.rollouts.get(name).zip(self.host(host));
            if found.is_some_and(|(rollout, (_, member))| self.differs(rollout, member)) {
                self.changes.rollouts += 1;
                self.take_as_it_is(name, host);
            }
        }
    }

    fn delta(&self, member: &Member, lock: &LockFile) -> Option<Delta> {
        let installed = self.package_sets.get(&member.host.facts.packages);
        stratum::delta(&member.host, installed, lock)
    }
}
