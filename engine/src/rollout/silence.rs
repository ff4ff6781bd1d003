//! Cells that are not heard of.
//!
//! A silent cell is told nothing: what it would be told waits. Silent for `unknown_after` it is
//! *unknown*. In the first wave the rollout waits for it. Later its hosts that are not over are left
//! out, up to `unknown_share` of the wave, and regions, zones and waves go on without it. What it was
//! granted it goes on with until its warrant ends, so its hosts count as awaited, and where the rollout
//! is taken back, as hosts that may have the patch.
//!
//! When it is heard again, its summaries are merged first. What was told since it was last heard of may
//! be lost and is told again, stops before anything else. Hosts of it that waves went on without are
//! hosts of the present one.

use super::{CellProgress, Phase, Rollout, RolloutCommand, RolloutDecision, Wish};
use crate::{
    hold::{Hold, Reason},
    id::{CellId, HostId, WaveIndex},
    plan::PlannedWave,
    policy::UNKNOWN_PAGE,
    time::Timestamp,
    warrant::{Change, Outcome},
};
use std::collections::BTreeSet;

impl Rollout {
    /// Takes note that a cell is not heard of.
    pub(crate) fn cell_silent(&mut self, cell: &CellId, since: Timestamp) {
        let Some(progress) = self.cells.get_mut(cell) else {
            return;
        };
        progress.silent_since.get_or_insert(since);
        let Self { velocity, plan, .. } = self;
        let is_its = |host: &HostId| plan.hosts.get(host).is_some_and(|p| p.cell == *cell);
        velocity.lose(is_its, &plan.brake, since);
    }

    /// Takes note that a cell is heard of again, and has told what happened meanwhile.
    pub(crate) fn cell_heard(&mut self, cell: &CellId, now: Timestamp) {
        let Some(progress) = self.cells.get_mut(cell) else {
            return;
        };
        if progress.silent_since.is_none() {
            return;
        }
        progress.heard();
        self.at_work_again(cell, now);
        self.settle_unheard(cell);
        self.take_missed_in(|other| other == cell);
        self.close(cell, now);
    }

    /// Takes note that what a cell was told may be lost, whenever that was: it is told again, once it is heard.
    pub(crate) fn cell_lost(&mut self, cell: &CellId) {
        if let Some(progress) = self.cells.get_mut(cell) {
            progress.tell_anew();
        }
    }

    /// Takes note that the leave which a cell had is over, since its region's machine booted: it is given anew.
    pub(crate) fn cell_booted(&mut self, cell: &CellId) {
        if let Some(progress) = self.cells.get_mut(cell) {
            progress.untold = progress.wish != Wish::Nothing;
        }
    }

    /// Hosts that were at work when the cell was last heard of, and are still, count as that anew.
    fn at_work_again(&mut self, cell: &CellId, now: Timestamp) {
        let Self {
            velocity,
            plan,
            outcomes,
            ..
        } = self;
        for host in outcomes.running() {
            if plan.hosts.get(host).is_some_and(|p| p.cell == *cell) {
                velocity.note(host, &Outcome::Running, &plan.brake, now);
            }
        }
    }

    /// Hosts that were set aside while the cell was silent, and of which it has said nothing, have
    /// not begun.
    fn settle_unheard(&mut self, cell: &CellId) {
        let (theirs, others) = std::mem::take(&mut self.unheard)
            .into_iter()
            .partition(|host| self.plan.hosts.get(host).is_some_and(|p| p.cell == *cell));
        self.unheard = others;
        let theirs: BTreeSet<HostId> = theirs;
        for host in theirs {
            if let Some(Outcome::Skipped { by, reason, .. }) = self.outcomes.get(&host) {
                let (by, reason, change) = (by.clone(), reason.clone(), Change::NotBegun);
                self.take_outcome(&host, Outcome::Skipped { by, reason, change });
            }
        }
    }

    /// Whether nothing is heard of a cell, so that it is told nothing.
    pub(super) fn is_silent(&self, cell: &CellId) -> bool {
        let progress = self.cells.get(cell);
        progress.is_some_and(|progress| progress.silent_since.is_some())
    }

    /// Whether the host's cell is silent, and was given leave at some time: it may be at work there.
    pub(super) fn may_work_unheard(&self, host: &HostId) -> bool {
        let planned = self.plan.hosts.get(host);
        let progress = planned.and_then(|planned| self.cells.get(&planned.cell));
        progress.is_some_and(CellProgress::may_act_unheard)
    }

    /// Whether a silent cell was given leave at some time.
    pub(super) fn awaits_silent(&self) -> bool {
        self.cells.values().any(CellProgress::may_act_unheard)
    }

    /// Hosts of silent cells whose leave was taken back by a stop that may be lost.
    pub(super) fn awaited_unheard(&self) -> impl Iterator<Item = &HostId> {
        let may_go_on = |p: &CellProgress| p.may_be_lost() && matches!(p.wish, Wish::Stop { .. });
        let cells = self.cells.iter().filter(|(_, p)| may_go_on(p));
        let cells: BTreeSet<&CellId> = cells.map(|(cell, _)| cell).collect();
        // Most of the time there are none, and no host is looked at.
        let hosts = (!cells.is_empty()).then(|| {
            let due = self.plan.hosts.iter().filter(|(_, p)| p.wave <= self.wave);
            due.map(|(host, _)| host).chain(self.all_guests())
        });
        hosts.into_iter().flatten().filter(move |host| {
            let planned = self.plan.hosts.get(*host);
            planned.is_some_and(|p| cells.contains(&p.cell)) && !self.is_over(host)
        })
    }

    fn unknown_at(&self, progress: &CellProgress) -> Option<Timestamp> {
        let since = progress.silent_since?;
        Some(since.after(self.plan.unknown_after))
    }

    fn is_unknown(&self, cell: &CellId, now: Timestamp) -> bool {
        let progress = self.cells.get(cell);
        let at = progress.and_then(|progress| self.unknown_at(progress));
        at.is_some_and(|at| at <= now)
    }

    /// Whether others go on without a cell: it is unknown, and the wave is not the first.
    pub(super) fn goes_on_without(&self, cell: &CellId, now: Timestamp) -> bool {
        self.wave != WaveIndex(0) && self.is_unknown(cell, now)
    }

    /// Whether a host is left out because its cell is unknown.
    pub(super) fn is_left_unknown(&self, host: &HostId, now: Timestamp) -> bool {
        let planned = self.plan.hosts.get(host);
        !self.is_over(host) && planned.is_some_and(|p| self.goes_on_without(&p.cell, now))
    }

    /// More hosts of a wave are left out in unknown cells than may be: how many, and how many may.
    /// Nothing while they are not.
    pub(super) fn too_many_unknown(
        &self,
        wave: &PlannedWave,
        now: Timestamp,
    ) -> Option<(usize, usize)> {
        let mut cells = self.cells.values();
        let is_unknown = |of: &CellProgress| self.unknown_at(of).is_some_and(|at| at <= now);
        if self.wave == WaveIndex(0) || !cells.any(is_unknown) {
            return None;
        }
        // Hosts that an earlier wave went on without were counted there.
        let hosts = || wave.slices.values().flatten();
        let hosts = || hosts().filter(|host| !self.missed.contains(*host));
        let count = hosts()
            .filter(|host| self.is_left_unknown(host, now))
            .count();
        let allowed = wave.unknown_share.of_rounded_down(hosts().count());
        (count > allowed).then_some((count, allowed))
    }

    /// Whether a cell of the first wave is unknown: then it has not passed.
    pub(super) fn is_canary_unknown(&self, wave: &PlannedWave, now: Timestamp) -> bool {
        self.wave == WaveIndex(0) && wave.slices.keys().any(|cell| self.is_unknown(cell, now))
    }

    /// Says which cells are not heard of.
    pub(super) fn hold_silent(&self, decision: &mut RolloutDecision, now: Timestamp) {
        for (cell, progress) in &self.cells {
            let (Some(since), Some(until)) = (progress.silent_since, self.unknown_at(progress))
            else {
                continue;
            };
            let pages_at = since.after(UNKNOWN_PAGE.max(self.plan.unknown_after));
            let reason = match now < until {
                true => Reason::Silent { until },
                false => Reason::Unknown {
                    pages: now >= pages_at,
                },
            };
            if let Some(next) = [until, pages_at].into_iter().find(|at| now < *at) {
                decision.wake_at(next);
            }
            decision.holds.push(Hold {
                since,
                ..self.cell_hold(cell, reason)
            });
        }
    }

    /// Says when too many hosts of the wave are in unknown cells.
    pub(super) fn hold_too_many_unknown(
        &self,
        wave: &PlannedWave,
        decision: &mut RolloutDecision,
        now: Timestamp,
    ) {
        if let Some((count, allowed)) = self.too_many_unknown(wave, now) {
            decision.holds.push(Hold {
                subject: self.wave_subject(),
                reason: Reason::UnknownShare { count, allowed },
                since: self.wave_since,
            });
        }
    }

    /// Tells cells again of stops that may be lost, before anything else. Whether there are any.
    pub(super) fn stop_again(&self, decision: &mut RolloutDecision) -> bool {
        let before = decision.commands.len();
        for (cell, progress) in &self.cells {
            if let (true, Wish::Stop { kind }) = (progress.untold, &progress.wish)
                && !self.is_silent(cell)
            {
                let reason = "the rollout was stopped while the cell was not heard of";
                let stop = self.stop(cell, progress, *kind, reason);
                decision.commands.push(stop);
            }
        }
        decision.commands.len() > before
    }

    /// What becomes of a host that is set aside: whether it has begun is not known where its cell is
    /// silent.
    pub(super) fn change_unheard(&mut self, host: &HostId) -> Change {
        match self.phase {
            Phase::Running | Phase::Paused { .. } if self.may_work_unheard(host) => {
                self.unheard.insert(host.clone());
                Change::Unknown
            }
            Phase::Running
            | Phase::Paused { .. }
            | Phase::Aborting
            | Phase::RollingBack
            | Phase::Ended { .. } => Change::NotBegun,
        }
    }
}

impl CellProgress {
    /// Whether the cell is silent and may act on a warrant that it had.
    fn may_act_unheard(&self) -> bool {
        self.silent_since.is_some() && self.wish != Wish::Nothing
    }
}

impl RolloutDecision {
    /// Whether a cell is told something by this decision already.
    pub(super) fn tells(&self, cell: &CellId) -> bool {
        self.commands.iter().any(|command| match command {
            RolloutCommand::Warrant { warrant, .. } => warrant.cell == *cell,
            RolloutCommand::Stop(stop) => stop.cell == *cell,
            RolloutCommand::Assign(_)
            | RolloutCommand::Except(_)
            | RolloutCommand::Brake { .. }
            | RolloutCommand::BeginBake { .. }
            | RolloutCommand::PassWave { .. }
            | RolloutCommand::End { .. } => false,
        })
    }
}
