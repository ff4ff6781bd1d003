//! How events change a rollout. Every event is checked before anything is changed.

use super::{
    Action, Asked, CellProgress, End, PauseCause, Phase, Rollout, RolloutError, RolloutEvent,
    WhyOwnTurn, Wish,
};
use crate::{
    id::{CellId, HostId, OperatorId, WaveIndex},
    order::Direction,
    time::Timestamp,
    warrant::{Outcome, Stop, StopKind, Summary, Warrant},
};

impl Phase {
    /// Where a rollout stands, in one word.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused { .. } => "paused",
            Self::Aborting => "aborting",
            Self::RollingBack => "rolling-back",
            Self::Ended { end: End::Done } => "done",
            Self::Ended { end: End::Aborted } => "aborted",
            Self::Ended {
                end: End::RolledBack,
            } => "rolled-back",
        }
    }
}

impl Rollout {
    /// Applies an event that happened at `now`.
    ///
    /// # Errors
    /// [`RolloutError`] when the event does not fit the state; the rollout is as before.
    pub fn apply(&mut self, event: &RolloutEvent, now: Timestamp) -> Result<(), RolloutError> {
        match event {
            RolloutEvent::Asked {
                action, by, reason, ..
            } => self.change(*action, by, reason, now),
            RolloutEvent::Approved { by, reason } => self.approved(by, reason, now),
            RolloutEvent::Promoted { by, reason } => self.promoted(by, reason, now),
            RolloutEvent::Excepted {
                word,
                hosts,
                by,
                reason,
            } => self.excepted(*word, hosts, by, reason, now),
            RolloutEvent::ExceptionsTold { cell, revision } => {
                let progress = self.progress(cell)?;
                progress.exceptions_told = *revision;
                progress.told_at = Some(now);
                Ok(())
            }
            RolloutEvent::Summarised { summary } => self.summarised(summary, now),
            RolloutEvent::Assigned { cell } => {
                self.progress(cell)?.assigned(now);
                Ok(())
            }
            RolloutEvent::Warranted {
                warrant,
                opens,
                opinion,
            } => self.warranted(warrant, *opens, opinion.as_ref(), now),
            RolloutEvent::Stopped { stop } => self.stopped(stop, now),
            RolloutEvent::Braked { finding } => {
                self.require_running("a brake")?;
                let finding = finding.clone();
                self.enter(
                    Phase::Paused {
                        cause: PauseCause::Brake { finding },
                    },
                    now,
                );
                Ok(())
            }
            RolloutEvent::BakeBegan { wave } => {
                self.require_wave(*wave, "a bake")?;
                self.bake_since = Some(now);
                Ok(())
            }
            RolloutEvent::WavePassed { wave } => {
                self.require_wave(*wave, "the end of a wave")?;
                self.begin_wave(WaveIndex(wave.0 + 1), now);
                Ok(())
            }
            RolloutEvent::Ended { end } => {
                self.leave_out_the_rest(*end);
                self.enter(Phase::Ended { end: *end }, now);
                Ok(())
            }
        }
    }

    fn begin_wave(&mut self, wave: WaveIndex, now: Timestamp) {
        self.wave = wave;
        self.wave_since = now;
        self.bake_since = None;
        self.velocity.begin(now);
        self.open.forget();
        self.forget_unused_turns();
    }

    /// Moves where an operator asks to; every pair of phase and action is listed.
    fn change(
        &mut self,
        action: Action,
        by: &OperatorId,
        reason: &str,
        now: Timestamp,
    ) -> Result<(), RolloutError> {
        let next = self.next_phase(action, by, reason)?;
        if action == Action::Resume {
            self.judge();
            self.velocity.begin(now);
        }
        if action == Action::Rollback {
            self.goes_back = true;
            self.assign_again();
        }
        if self.phase.name() != next.name() {
            let (by, reason) = (by.clone(), reason.to_owned());
            self.asked = Some(Asked { action, by, reason });
            self.enter(next, now);
        }
        Ok(())
    }

    /// Where an action leads. What goes back stays on that way: it is paused and resumed, and never
    /// given up.
    fn next_phase(
        &self,
        action: Action,
        by: &OperatorId,
        reason: &str,
    ) -> Result<Phase, RolloutError> {
        let not_now = || {
            Err(RolloutError::NotNow {
                rollout: self.plan.rollout.clone(),
                action,
                is: self.phase.name(),
            })
        };
        match (&self.phase, action) {
            (Phase::Running | Phase::Paused { .. } | Phase::RollingBack, Action::Pause) => {
                let (by, reason) = (by.clone(), reason.to_owned());
                Ok(Phase::Paused {
                    cause: PauseCause::Operator { by, reason },
                })
            }
            (Phase::Running | Phase::Paused { .. }, Action::Resume) => Ok(match self.goes_back {
                true => Phase::RollingBack,
                false => Phase::Running,
            }),
            (Phase::Paused { .. }, Action::Abort) if self.goes_back => not_now(),
            (Phase::Running | Phase::Paused { .. } | Phase::Aborting, Action::Abort) => {
                Ok(Phase::Aborting)
            }
            (
                Phase::Running
                | Phase::Paused { .. }
                | Phase::Aborting
                | Phase::RollingBack
                | Phase::Ended {
                    end: End::Done | End::Aborted,
                },
                Action::Rollback,
            ) => Ok(Phase::RollingBack),
            // What it left to a later rollout may be its own again, once that one was taken back.
            (
                Phase::Ended {
                    end: End::RolledBack,
                },
                Action::Rollback,
            ) if !self.superseded.is_empty() => Ok(Phase::RollingBack),
            (Phase::Aborting | Phase::Ended { .. }, Action::Pause)
            | (Phase::Aborting | Phase::RollingBack | Phase::Ended { .. }, Action::Resume)
            | (Phase::RollingBack | Phase::Ended { .. }, Action::Abort)
            | (
                Phase::Ended {
                    end: End::RolledBack,
                },
                Action::Rollback,
            ) => not_now(),
        }
    }

    /// Cells that were told that it is over may have forgotten it: they are told again what it is.
    fn assign_again(&mut self) {
        let end = Wish::Stop {
            kind: StopKind::End,
        };
        for progress in self.cells.values_mut() {
            progress.assigned &= progress.wish != end;
        }
    }

    /// Marks all that is over, and all that is held for good in this wave, as seen by an operator.
    fn judge(&mut self) {
        let over = self.outcomes.keys().filter(|host| self.is_over(host));
        let gone = self.gone.keys();
        let in_wave = self.cells.keys().flat_map(|cell| self.wave_hosts(cell));
        let held = in_wave.filter(|host| self.is_held_for_good(host));
        let seen: Vec<HostId> = over.chain(gone).chain(held).cloned().collect();
        self.judged.extend(seen);
        self.cell_findings.clear();
    }

    /// Takes in what a cell says. The link brings each summary once and in its order; revisions tell nothing, since
    /// work that is assigned anew counts from 1 again.
    fn summarised(&mut self, summary: &Summary, now: Timestamp) -> Result<(), RolloutError> {
        self.progress(&summary.cell)?;
        for (host, outcome) in &summary.changed {
            // A host that was deleted and born anew in another cell is for that one to speak of.
            let planned = self.plan.hosts.get(host);
            if planned.is_some_and(|planned| planned.cell != summary.cell) {
                continue;
            }
            let waits = *outcome == Outcome::Waiting;
            let left = waits.then(|| self.left_at_the_end(host)).flatten();
            let outcome = left.as_ref().unwrap_or(outcome);
            if *outcome == Outcome::Passed
                && let Some(planned) = planned
            {
                self.proved.extend(&planned.strata);
            }
            self.velocity.note(host, outcome, &self.plan.brake, now);
            let before = self.take_outcome(host, outcome.clone());
            let failed = |outcome: &Outcome| matches!(outcome, Outcome::Failed { .. });
            if failed(outcome) && !before.as_ref().is_some_and(failed) {
                // Whatever it was judged for, it was not this.
                self.judged.remove(host);
            }
            match (outcome, before) {
                (Outcome::Waiting, Some(Outcome::LeftOut { .. })) => self.take_back_in(host),
                (Outcome::Gone, Some(Outcome::Failed { failure, .. })) => {
                    self.gone.insert(host.clone(), failure);
                }
                (Outcome::Gone, _) => {}
                (_, _) => drop(self.gone.remove(host)),
            }
        }
        if let Some(finding) = &summary.braked {
            self.cell_findings
                .insert(summary.cell.clone(), finding.clone());
        }
        self.convict();
        self.close(&summary.cell, now);
        Ok(())
    }

    /// Notes what became of a host. What it was before.
    pub(super) fn take_outcome(&mut self, host: &HostId, outcome: Outcome) -> Option<Outcome> {
        let was_over = self.is_over(host);
        let before = self.outcomes.insert(host.clone(), outcome);
        self.keep_open(host, was_over);
        before
    }

    /// Notes when the last host of an open cell is over.
    pub(super) fn close(&mut self, cell: &CellId, now: Timestamp) {
        let over = self.is_cell_over(cell);
        let Some(progress) = self.cells.get_mut(cell) else {
            return;
        };
        progress.closed_at = over.then(|| progress.closed_at.unwrap_or(now));
    }

    fn warranted(
        &mut self,
        warrant: &Warrant,
        opens: bool,
        opinion: Option<&HostId>,
        now: Timestamp,
    ) -> Result<(), RolloutError> {
        let wave = warrant.wave;
        let progress = self.progress(&warrant.cell)?;
        if opens && progress.opened.is_none_or(|(opened, _)| opened != wave) {
            progress.opened = Some((wave, now));
        }
        progress.closed_at = None;
        let is_renewed = progress.granted() == Some(&warrant.hosts);
        let wish = Wish::Start {
            direction: warrant.direction,
            hosts: warrant.hosts.clone(),
            at: now,
        };
        progress.tell(warrant.generation, wish, now);
        if !is_renewed {
            self.keep_granted(&warrant.cell);
        }
        if let Some(host) = opinion {
            self.give_turn(host, WhyOwnTurn::Opinion);
        }
        match warrant.direction {
            Direction::Patch => self.bake_since = None,
            Direction::Rollback => self.sent_back.extend(warrant.hosts.iter().cloned()),
        }
        self.close(&warrant.cell, now);
        Ok(())
    }

    fn stopped(&mut self, stop: &Stop, now: Timestamp) -> Result<(), RolloutError> {
        let progress = self.progress(&stop.cell)?;
        progress.tell(stop.generation, Wish::Stop { kind: stop.kind }, now);
        self.keep_granted(&stop.cell);
        Ok(())
    }

    fn enter(&mut self, phase: Phase, now: Timestamp) {
        self.phase = phase;
        self.phase_since = now;
    }

    pub(super) fn progress(&mut self, cell: &CellId) -> Result<&mut CellProgress, RolloutError> {
        let rollout = &self.plan.rollout;
        self.cells
            .get_mut(cell)
            .ok_or_else(|| RolloutError::NoCell {
                rollout: rollout.clone(),
                cell: cell.clone(),
            })
    }

    fn require_running(&self, what: &'static str) -> Result<(), RolloutError> {
        match self.phase {
            Phase::Running => Ok(()),
            Phase::Paused { .. } | Phase::Aborting | Phase::RollingBack | Phase::Ended { .. } => {
                Err(RolloutError::IllegalEvent {
                    rollout: self.plan.rollout.clone(),
                    what,
                })
            }
        }
    }

    fn require_wave(&self, wave: WaveIndex, what: &'static str) -> Result<(), RolloutError> {
        self.require_running(what)?;
        match wave == self.wave {
            true => Ok(()),
            false => Err(RolloutError::IllegalEvent {
                rollout: self.plan.rollout.clone(),
                what,
            }),
        }
    }
}
