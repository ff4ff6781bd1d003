//! What a rollout does next, by its phase.

use super::{End, PauseCause, Phase, Rollout, RolloutCommand, suspect::Docket};
use crate::{
    cord::Cord,
    hold::{Hold, Reason, Subject},
    time::{Timestamp, earlier},
    warrant::StopKind,
};

/// What a rollout wants done, what holds what it does not, and when to ask again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[must_use]
pub struct RolloutDecision {
    /// To be recorded, then carried out, in this order.
    pub commands: Vec<RolloutCommand>,
    /// Why the rest is not moving.
    pub holds: Vec<Hold>,
    /// When time alone changes the decision, but for renewals. Nothing: only an event does.
    pub wake: Option<Timestamp>,
    /// When a warrant is to be renewed. Nothing: none is.
    pub(crate) renews_at: Option<Timestamp>,
}

impl RolloutDecision {
    /// Asks again at this moment, or earlier.
    pub(super) fn wake_at(&mut self, at: Timestamp) {
        self.wake = earlier(self.wake, Some(at));
    }
}

impl Rollout {
    /// Decides what to do now. When it is to be looked at the wave's velocity again, a glance tells.
    pub(crate) fn decide(&self, cord: Option<&Cord>, now: Timestamp) -> RolloutDecision {
        let mut decision = RolloutDecision::default();
        if self.is_live() {
            self.hold_silent(&mut decision, now);
            self.hold_for_cord(cord, &mut decision);
        }
        match (&self.phase, cord) {
            (Phase::Running, None) => self.run(&mut decision, now),
            (Phase::Running, Some(_)) => self.run_no_further(&mut decision, now),
            (Phase::Paused { cause }, _) => self.pause(cause, &mut decision),
            (Phase::Aborting, _) => self.abort(&mut decision),
            (Phase::RollingBack, None) => self.roll_back(&mut decision, now),
            (Phase::RollingBack, Some(_)) => self.go_back_no_further(&mut decision),
            (Phase::Ended { .. }, _) => {
                self.stop_all(StopKind::End, "the rollout is over", &mut decision)
            }
        }
        decision
    }

    /// The renewals alone of a decision, where nothing else of it has changed since it named their time.
    pub(crate) fn renewals(&self, now: Timestamp) -> RolloutDecision {
        let mut decision = RolloutDecision::default();
        self.renew(&mut decision, now);
        decision
    }

    fn run(&self, decision: &mut RolloutDecision, now: Timestamp) {
        self.assign(decision, |_| true);
        self.except(decision);
        if self.stop_again(decision) {
            return;
        }
        self.hold_for_approval(decision);
        let Some(wave) = self.present() else {
            decision
                .commands
                .push(RolloutCommand::End { end: End::Done });
            return;
        };
        let mut docket = Docket::of(self);
        if let Some(finding) = self.brake_finding(&docket, now) {
            decision.commands.push(RolloutCommand::Brake { finding });
            return;
        }
        // Not asked once for all: a late report may clear a stratum while the wave bakes.
        if self.is_wave_over(wave, &docket, now) {
            self.narrow(decision);
            if !decision.commands.is_empty() {
                return;
            }
            match self.bake_since {
                Some(since) => self.bake(wave, since, decision, now),
                None => self.finish_wave(wave, decision, now),
            }
            return;
        }
        let grants = self.grants(wave, &mut docket, now);
        for until in grants.holds.iter().filter_map(|hold| hold.reason.until()) {
            decision.wake_at(until);
        }
        decision.holds.extend(grants.holds);
        decision.commands.extend(grants.warrants);
        self.renew(decision, now);
        self.hold_too_many_unknown(wave, decision, now);
        self.hold_wave(decision);
    }

    fn pause(&self, cause: &PauseCause, decision: &mut RolloutDecision) {
        let reason = match cause {
            PauseCause::Operator { by, reason } if reason.is_empty() => {
                Reason::Paused { by: by.to_string() }
            }
            PauseCause::Operator { by, reason } => Reason::Paused {
                by: format!("{by} ({reason})"),
            },
            PauseCause::Brake { finding } => Reason::Braked {
                finding: finding.clone(),
            },
        };
        if !self.goes_back {
            self.except(decision);
        }
        self.stop_all(StopKind::Pause, &reason.to_string(), decision);
        let subject = Subject::Rollout {
            rollout: self.plan.rollout.clone(),
        };
        decision.holds.push(Hold {
            subject,
            reason,
            since: self.phase_since,
        });
    }

    fn abort(&self, decision: &mut RolloutDecision) {
        self.stop_all(StopKind::End, "the rollout was aborted", decision);
        let running = self.outcomes.running().len();
        if running == 0 {
            decision.commands.push(RolloutCommand::End {
                end: self.end_of_abort(),
            });
            return;
        }
        let done = self.outcomes.len() - running;
        let reason = Reason::Slices {
            done,
            of: self.outcomes.len(),
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
}
