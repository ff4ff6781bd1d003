//! Hosts that come after the start, and those that were away and come back.

use super::{End, Rollout, WhyOwnTurn};
use crate::{
    hold::{Hold, Reason, Subject},
    id::{HostId, ServiceName},
    plan::LateHost,
    services::Dependencies,
    time::Timestamp,
    warrant::{LeftOutCause, Outcome},
};
use std::collections::{BTreeMap, BTreeSet};

impl Rollout {
    /// Hosts that match and came late, and stay as they are: each with why.
    pub fn left_late(&self) -> &BTreeMap<HostId, String> {
        &self.left_late
    }

    /// Hosts that match and were there at the start, and that the plan is not for: in no wave, given to
    /// another rollout, or in need of none of it. None that was deleted or stopped matching since.
    pub fn left_alone(&self) -> &BTreeSet<HostId> {
        &self.left_alone
    }

    /// Says so of hosts, at the start.
    pub(crate) fn leave_alone(&mut self, hosts: BTreeSet<HostId>) {
        self.left_alone = hosts;
    }

    /// A host was deleted or does not match any more: what comes of its name, or what it becomes, is new.
    pub(crate) fn forget_left_alone(&mut self, host: &HostId) {
        self.left_alone.remove(host);
    }

    /// Hosts that connected after the start, and joined.
    pub fn came_late(&self) -> &BTreeSet<HostId> {
        &self.came_late
    }

    /// Those of them that were deleted from the inventory before, and came anew under their names.
    pub fn reborn(&self) -> &BTreeSet<HostId> {
        &self.reborn
    }

    /// Whether a host failed here before it was deleted from the inventory.
    pub(crate) fn failed_before_it_was_gone(&self, host: &HostId) -> bool {
        self.gone.contains_key(host)
    }

    /// Takes a host that came late into the last wave; its cell is told what it is anew.
    pub(crate) fn join(&mut self, late: &LateHost<'_>, now: Timestamp) {
        let host = &late.host.id;
        let before = self
            .plan
            .hosts
            .get(host)
            .map(|planned| planned.cell.clone());
        if !self.plan.take_late(late) {
            return;
        }
        self.open.forget();
        // One of its name may have been in another cell, whose old leave to start it is not for this one.
        if let Some(progress) = before.and_then(|cell| self.cells.get_mut(&cell)) {
            progress.withdraw(host);
        }
        self.left_late.remove(host);
        // What it is now is what is assumed of it.
        self.changed.remove(host);
        self.plan.approvals.remove(host);
        self.came_late.insert(host.clone());
        if self.outcomes.remove(host) == Some(Outcome::Gone) {
            self.reborn.insert(host.clone());
        }
        self.begin_anew(host);
        self.cells.entry(late.cell.clone()).or_default().assigned = false;
        self.close(late.cell, now);
        let mut dependencies = late.dependencies.clone();
        for (service, needed) in self.dependencies() {
            let known = dependencies.entry(service.clone()).or_default();
            known.extend(needed.iter().cloned());
        }
        self.depend_on(&dependencies);
    }

    /// Its services depend on others as it is said: its cells are told.
    pub(crate) fn depend_on(&mut self, dependencies: &Dependencies) {
        for cell in self.plan.depend_on(dependencies) {
            self.cells.entry(cell).or_default().assigned = false;
        }
    }

    /// What its services depend on, as all its cells are told.
    fn dependencies(&self) -> impl Iterator<Item = (&ServiceName, &BTreeSet<ServiceName>)> {
        let mut told = self.plan.assignments.values();
        told.next().into_iter().flat_map(|told| &told.dependencies)
    }

    /// Notes that a host came late and stays as it is.
    pub(crate) fn leave_late(&mut self, host: &HostId, why: String) {
        self.left_late.insert(host.clone(), why);
    }

    /// A host that was left out while it was away is back.
    pub(super) fn take_back_in(&mut self, host: &HostId) {
        self.bake_since = None;
        self.begin_anew(host);
    }

    /// Lets a host have its turn again, as if it had had none: in the present wave, unless its own
    /// comes later. No old warrant is for that try.
    pub(super) fn begin_anew(&mut self, host: &HostId) {
        self.judged.remove(host);
        self.own_turns.remove(host);
        self.missed.remove(host);
        self.open.forget();
        let Some(planned) = self.plan.hosts.get(host) else {
            return;
        };
        if let Some(progress) = self.cells.get_mut(&planned.cell) {
            progress.withdraw(host);
        }
        if planned.wave < self.wave {
            self.give_turn(host, WhyOwnTurn::Again);
        }
    }

    /// Whether the rollout stays when its waves are over.
    pub fn is_standing(&self) -> bool {
        self.plan.late.as_ref().is_some_and(|rules| rules.standing)
    }

    /// How an abort ends it: a standing rollout whose waves are over is done.
    pub(super) fn end_of_abort(&self) -> End {
        let is_last = usize::try_from(self.wave.0).is_ok_and(|w| w + 1 == self.plan.waves.len());
        let all_over = || self.plan.hosts.keys().all(|host| self.is_over(host));
        match self.is_standing() && is_last && self.bake_since.is_some() && all_over() {
            true => End::Done,
            false => End::Aborted,
        }
    }

    /// Leaves a host out before its cell was told of the rollout.
    pub(crate) fn leave_out(&mut self, host: &HostId, reason: String) {
        let cause = LeftOutCause::Other;
        let outcome = Outcome::LeftOut { reason, cause };
        if !self.outcomes.contains_key(host) {
            self.take_outcome(host, outcome);
        }
    }

    /// Why a standing rollout whose waves are over does not end.
    pub(super) fn stands(&self, since: Timestamp) -> Hold {
        let is_there = |outcome: &&Outcome| **outcome == Outcome::Passed;
        Hold {
            subject: Subject::Rollout {
                rollout: self.plan.rollout.clone(),
            },
            reason: Reason::Standing {
                passed: self.outcomes.values().filter(is_there).count(),
                of: self.plan.hosts.len(),
            },
            since,
        }
    }
}
