//! Whether a rollout goes on as it did: most of what cells say changes nothing that it has to decide, and
//! it is not asked for that.

use super::{Phase, Rollout};
use crate::{
    id::HostId,
    order::Direction,
    time::{Timestamp, earlier},
    warrant::{Outcome, Summary, Warrant},
};

impl Rollout {
    /// Whether a summary, which it is about to hear, leaves it nothing to do that it had not before: hosts of
    /// the present wave begin, or pass and are not the last of their cell, and nothing depends on them.
    pub(crate) fn goes_on_after(&self, summary: &Summary) -> bool {
        let cell = &summary.cell;
        let plan = &self.plan;
        let is_plain = self.phase == Phase::Running
            && self.bake_since.is_none()
            && summary.braked.is_none()
            && !self.is_silent(cell)
            && self.exceptions.is_empty()
            && self.own_turns.is_empty()
            && self.gone.is_empty()
            && plan.approvals.is_empty()
            && self.present().is_some_and(|wave| wave.order.is_plain());
        let is_untroubled = || self.all_proved() || self.outcomes.failed().is_empty();
        is_plain
            && is_untroubled()
            && summary
                .changed
                .iter()
                .all(|(host, outcome)| self.is_plain_step(host, outcome, summary))
            && self
                .open_hosts_of(cell)
                .any(|host| summary.changed.get(host) != Some(&Outcome::Passed))
    }

    /// Whether leave that it is about to give has been given already, so that nothing comes of it but a later
    /// renewal.
    pub(crate) fn is_renewal(
        &self,
        warrant: &Warrant,
        opens: bool,
        opinion: Option<&HostId>,
    ) -> bool {
        let Some(progress) = self.cells.get(&warrant.cell) else {
            return false;
        };
        let is_same = progress.granted() == Some(warrant.hosts.as_slice())
            && warrant.direction == Direction::Patch
            && !opens
            && opinion.is_none();
        is_same
            && self.phase == Phase::Running
            && self.bake_since.is_none()
            && !progress.untold
            && !progress.narrowed
            && !self.is_silent(&warrant.cell)
            && progress.closed_at.is_none()
            && !self.is_cell_over(&warrant.cell)
    }

    /// Whether what became of a host is news to nobody else.
    fn is_plain_step(&self, host: &HostId, outcome: &Outcome, summary: &Summary) -> bool {
        let planned = self.plan.hosts.get(host);
        let Some(planned) = planned.filter(|planned| planned.cell == summary.cell) else {
            return false;
        };
        let is_proved = || planned.strata.iter().all(|of| self.proved.contains(of));
        let is_plain = match (self.outcomes.get(host), outcome) {
            (None | Some(Outcome::Waiting), Outcome::Running) => true,
            (Some(Outcome::Running), Outcome::Passed) => is_proved(),
            (_, _) => false,
        };
        is_plain && self.is_granted_and_open(host, &summary.cell)
    }

    /// What of its decision time and each step of a host may change, beside what it is asked for: whether
    /// the brake finds that the wave has collapsed, and when it looks again.
    pub(crate) fn glance(&self, now: Timestamp) -> Glance {
        if self.phase != Phase::Running {
            return Glance::default();
        }
        Glance {
            finds: self.velocity_finding(now).is_some(),
            wake: self.looks_at_velocity(now),
        }
    }
}

/// What a glance at a rollout shows.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Glance {
    /// Whether it has something to do.
    pub(crate) finds: bool,
    /// When to look again. Nothing: only after an event.
    pub(crate) wake: Option<Timestamp>,
}

impl Glance {
    /// What a glance at two rollouts shows.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            finds: self.finds || other.finds,
            wake: earlier(self.wake, other.wake),
        }
    }
}
