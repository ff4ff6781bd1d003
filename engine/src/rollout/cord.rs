//! A rollout while the cord is pulled: it tells its cells to stop where they should, and nothing else.

use super::{Phase, Rollout, RolloutCommand, RolloutDecision, Wish, suspect::Docket};
use crate::{
    cell::{Cell, Job, Work},
    cord::Cord,
    hold::{Hold, Reason, Subject},
    id::{CellId, HostId},
    time::Timestamp,
};
use std::collections::BTreeSet;

impl Rollout {
    /// Says that the cord is pulled, and by whom.
    pub(super) fn hold_for_cord(&self, cord: Option<&Cord>, decision: &mut RolloutDecision) {
        decision.holds.extend(cord.map(|cord| Hold {
            subject: Subject::Rollout {
                rollout: self.plan.rollout.clone(),
            },
            reason: Reason::Cord { cord: cord.clone() },
            since: cord.at.max(self.started_at),
        }));
    }

    /// What still happens to a rollout that would go on: words about single hosts and lost stops are told, and
    /// the brake pauses it, so that it stays where it is after the release.
    pub(super) fn run_no_further(&self, decision: &mut RolloutDecision, now: Timestamp) {
        self.except(decision);
        if self.stop_again(decision) {
            return;
        }
        if let Some(finding) = self.brake_finding(&Docket::of(self), now) {
            decision.commands.push(RolloutCommand::Brake { finding });
        }
    }

    /// What still happens to one that would go back: its cells are told to patch no more.
    pub(super) fn go_back_no_further(&self, decision: &mut RolloutDecision) {
        let heard = self.cells.iter().filter(|(cell, _)| !self.is_silent(cell));
        let turns = heard.filter_map(|(cell, progress)| self.turn_round(cell, progress));
        let stops = turns.filter(|command| matches!(command, RolloutCommand::Stop(_)));
        decision.commands.extend(stops);
    }

    /// It goes on after the cord was released: what did not get over meanwhile is no sign of a collapse.
    pub(crate) fn cord_released(&mut self, now: Timestamp) {
        if self.phase == Phase::Running {
            self.velocity.begin(now);
        }
    }

    /// The hosts that a cell may still start if it has heard nothing since it was told last, and until when
    /// at most: by its mirror, which may have been copied with another clock's moments, and by leave that was told
    /// and may have come by `heard_by`. Nothing: none.
    pub(crate) fn last_leave(
        &self,
        cell: &CellId,
        mirror: Option<&Cell>,
        copied_at: Option<Timestamp>,
        heard_by: Timestamp,
    ) -> Option<(BTreeSet<HostId>, Timestamp)> {
        let work = mirror.and_then(|mirror| mirror.work().get(&self.plan.rollout));
        let progress = self.cells.get(cell)?;
        let known = work.map(Work::generation).unwrap_or_default();
        let is_stopped = |work: &&Work| work.stop.is_some() || work.braked.is_some();
        let held = work.filter(|work| !is_stopped(work));
        let held = held.and_then(|work| work.warrant.as_ref());
        let held = held.map(|held| (&held.warrant.hosts, held.ends_by(copied_at)));
        // What the cell is known to have taken, its mirror has.
        let told = |generation, hosts, at: Timestamp| {
            let until = heard_by.max(at).after(self.plan.warrant);
            (generation > known).then_some((hosts, until))
        };
        let newest = match &progress.wish {
            Wish::Start { hosts, at, .. } => told(progress.generation, hosts, *at),
            Wish::Nothing | Wish::Stop { .. } => None,
        };
        let stopped = progress.stopped_leave.as_ref();
        let stopped = stopped.and_then(|of| told(of.generation, &of.hosts, of.at));
        let leaves = [held, newest, stopped];
        let until = leaves.iter().flatten().map(|(_, until)| *until).max()?;
        let is_past = |host: &HostId| {
            let job = work.and_then(|work| work.jobs.get(host));
            job.and_then(Job::active)
                .is_some_and(|active| active.disrupted)
        };
        let hosts = leaves.into_iter().flatten().flat_map(|(hosts, _)| hosts);
        let left = hosts.filter(|host| self.may_begin(host) && !is_past(host));
        Some((left.cloned().collect(), until))
    }

    /// Whether a host that was granted may not have begun what its cell was last told to do with it.
    fn may_begin(&self, host: &HostId) -> bool {
        match self.goes_back {
            true => self.is_to_go_back(host),
            false => !self.is_over(host),
        }
    }
}
