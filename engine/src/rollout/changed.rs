//! Hosts that have other packages than the plan assumed, before they were started.

use super::{Phase, Rollout};
use crate::{
    id::HostId,
    stratum::{Delta, Stratum},
    warrant::Outcome,
};
use std::collections::BTreeSet;

impl Rollout {
    /// Hosts that had other packages than the plan assumed before they were started, and go on as what they are.
    pub fn changed_since_planned(&self) -> &BTreeSet<HostId> {
        &self.changed
    }

    /// Whether a planned host may still turn out to be other than it was planned: it has yet to begin. It passes
    /// and fails as what it was then.
    pub(crate) fn may_be_other(&self, host: &HostId) -> bool {
        self.takes_more() && self.has_yet_to_begin(host)
    }

    /// Whether it may still start hosts that it has not patched.
    pub(crate) fn takes_more(&self) -> bool {
        match self.phase {
            Phase::Running | Phase::Paused { .. } => !self.goes_back,
            Phase::Aborting | Phase::RollingBack | Phase::Ended { .. } => false,
        }
    }

    fn has_yet_to_begin(&self, host: &HostId) -> bool {
        match self.outcomes.get(host) {
            None | Some(Outcome::Waiting | Outcome::LeftOut { .. }) => true,
            Some(
                Outcome::Running
                | Outcome::Passed
                | Outcome::Failed { .. }
                | Outcome::Skipped { .. }
                | Outcome::RolledBack
                | Outcome::Gone,
            ) => false,
        }
    }

    /// Goes on with a host as what it is now: it is of other strata, and an old leave to start it is not for that.
    pub(crate) fn take_as_it_is(
        &mut self,
        host: &HostId,
        delta: Option<Delta>,
        strata: &[Stratum],
    ) {
        self.plan.take_as_it_is(host, delta, strata);
        self.changed.insert(host.clone());
        self.open.forget();
        let Some(planned) = self.plan.hosts.get(host) else {
            return;
        };
        let cell = planned.cell.clone();
        let progress = self.cells.entry(cell.clone()).or_default();
        progress.assigned = false;
        progress.narrowed |= progress.withdraw(host);
        // It may have been held with a stratum that it is not of any more, and its wave gone on without it.
        if !self.is_settled(host) {
            self.bake_since = None;
        }
        self.take_missed_in(|other| *other == cell);
    }
}
