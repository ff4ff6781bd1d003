//! Takes back what a rollout changed: no ladder; cells and floors set the pace.

use super::{CellProgress, End, Rollout, RolloutCommand, RolloutDecision, Wish};
use crate::{
    by_name::ByHost,
    hold::{Hold, Reason, Subject},
    id::{CellId, HostId},
    order::Direction,
    time::Timestamp,
    warrant::{Change, FailedEnd, Outcome, StopKind},
};
use std::collections::BTreeSet;

impl Rollout {
    /// Takes back what was changed: no ladder; cells and floors set the pace.
    pub(super) fn roll_back(&self, decision: &mut RolloutDecision, now: Timestamp) {
        // A cell without hosts to take back would stage for a patch that never comes.
        self.assign(decision, |cell| self.changed_hosts(cell).next().is_some());
        let heard = self.cells.iter().filter(|(cell, _)| !self.is_silent(cell));
        for (cell, progress) in heard {
            decision.commands.extend(self.turn_round(cell, progress));
        }
        self.renew(decision, now);
        let left = self.outcomes.keys().filter(|host| self.is_to_go_back(host));
        let left = left.count();
        // A cell that is not heard of may be patching still.
        if left == 0 && !self.awaits_silent() {
            decision.commands.push(RolloutCommand::End {
                end: End::RolledBack,
            });
            return;
        }
        let of = self.plan.hosts.len();
        let reason = Reason::Slices {
            done: of.saturating_sub(left),
            of,
        };
        let subject = Subject::Rollout {
            rollout: self.plan.rollout.clone(),
        };
        decision.holds.push(Hold {
            subject,
            reason,
            since: self.phase_since,
        });
    }

    /// What a cell is told so that it takes back what it has, and patches nothing more. Nothing when it
    /// was told.
    pub(super) fn turn_round(
        &self,
        cell: &CellId,
        progress: &CellProgress,
    ) -> Option<RolloutCommand> {
        let mut targets: Vec<HostId> = self
            .changed_hosts(cell)
            .map(|(host, _)| host.clone())
            .collect();
        if !targets.is_empty() {
            targets.extend(self.going_back(cell));
        }
        let stop = |kind| self.stop(cell, progress, kind, "the rollout is rolling back");
        match &progress.wish {
            Wish::Start {
                direction: Direction::Rollback,
                hosts,
                ..
            } if !progress.untold && targets.iter().all(|host| hosts.contains(host)) => None,
            Wish::Nothing | Wish::Start { .. } | Wish::Stop { .. } if !targets.is_empty() => {
                Some(self.warrant(cell, targets, Direction::Rollback))
            }
            Wish::Start {
                direction: Direction::Patch,
                ..
            } => Some(stop(StopKind::Pause)),
            // It may be lost, and the cell at work on the patch.
            Wish::Stop { kind } if progress.untold => Some(stop(*kind)),
            Wish::Nothing | Wish::Start { .. } | Wish::Stop { .. } => None,
        }
    }

    /// Hosts of a cell that are on their way back, or were when a pause reached them.
    fn going_back(&self, cell: &CellId) -> impl Iterator<Item = HostId> {
        let sent = self.sent_back.iter().filter(move |host| {
            let planned = self.plan.hosts.get(*host);
            planned.is_some_and(|planned| planned.cell == *cell)
        });
        let is_running = |host: &&HostId| self.outcomes.get(host) == Some(&Outcome::Running);
        sent.filter(is_running).cloned()
    }

    /// The hosts of a cell that still have the patch.
    fn changed_hosts(&self, cell: &CellId) -> impl Iterator<Item = (&HostId, &Outcome)> {
        let in_cell = move |host: &HostId| {
            self.plan
                .hosts
                .get(host)
                .is_some_and(|planned| planned.cell == *cell)
        };
        self.outcomes
            .iter()
            .filter(|(host, outcome)| {
                **outcome == Outcome::Passed && !self.superseded.contains(*host)
            })
            .filter(move |(host, _)| in_cell(host))
    }

    /// Whether a host has the patch, or may have it for all that is known, and no later rollout has
    /// changed the same there.
    pub(super) fn is_to_go_back(&self, host: &HostId) -> bool {
        self.may_have_it(host) && !self.superseded.contains(host)
    }

    /// Whether it is taken back, and a host has still to go back.
    pub(crate) fn wants_back(&self, host: &HostId) -> bool {
        self.goes_back && self.is_live() && self.is_to_go_back(host)
    }

    /// Whether a host has the patch, or may have it for all that is known: where nothing was heard of its
    /// cell when the rollout ended, or when it was asked back, too.
    pub(crate) fn may_have_it(&self, host: &HostId) -> bool {
        let was_due = self
            .plan
            .hosts
            .get(host)
            .is_some_and(|p| p.wave <= self.wave);
        let was_due = was_due || self.has_own_turn(host);
        let is_asked_back = self.goes_back && was_due && !self.is_over(host);
        let is_open = is_asked_back || self.is_left_at_the_end(host);
        let is_unheard = is_open && self.may_work_unheard(host);
        is_unheard || self.outcomes.get(host).is_some_and(may_have_it)
    }

    /// Looks up where its hosts are now, since they may have moved while it was over.
    pub(crate) fn follow(&mut self, homes: &ByHost<CellId>) {
        for cell in self.plan.follow(homes) {
            self.cells.entry(cell).or_default().assigned = false;
        }
        self.open.forget();
    }

    /// Notes hosts that a later rollout changed in the same way since this one ended.
    pub(crate) fn supersede(&mut self, hosts: BTreeSet<HostId>) {
        self.superseded = hosts;
    }

    /// Leaves more hosts to other rollouts.
    pub(crate) fn leave_to_others(&mut self, hosts: BTreeSet<HostId>) {
        self.superseded.extend(hosts);
    }

    /// Takes hosts back that it had left to a later rollout: that one has taken them back itself.
    pub(crate) fn take_over(&mut self, hosts: &[HostId]) {
        for host in hosts {
            self.superseded.remove(host);
        }
    }
}

/// Whether a host has the patch, or may have it for all that is known.
pub(super) fn may_have_it(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Passed | Outcome::Running => true,
        Outcome::Failed { end, .. } => *end == FailedEnd::Silent,
        Outcome::Skipped { change, .. } => *change == Change::Unknown,
        Outcome::Waiting | Outcome::LeftOut { .. } | Outcome::RolledBack | Outcome::Gone => false,
    }
}
