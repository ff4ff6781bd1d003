//! What a run wants done now, and when it is to be looked at again.

use super::{Run, RunState};
use crate::{
    failure::{Failure, FailureKind},
    hold::{Hold, Reason, Subject},
    order::ClaimPoint,
    time::Timestamp,
};
use std::time::Duration;

/// What a run wants of its shell.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct RunDecision {
    /// What is to be done until an event ends it. Absent: nothing, the run is over or too late.
    pub command: Option<RunCommand>,
    /// When the state's deadline passes. At or after it, `DeadlinePassed` is to be applied. Absent:
    /// the run is over.
    pub wake: Option<Timestamp>,
    /// Why nothing moves. Absent: something does, or the run is over.
    pub hold: Option<Hold>,
}

/// What is to be done for a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunCommand {
    /// Ask the owner, again after every reconnect, until it answers.
    Claim(ClaimPoint),
    /// Take the flag down and wait for the end of traffic.
    Drain,
    /// Change the host.
    Apply,
    /// Reboot it.
    Reboot,
    /// Prove that it is well.
    Verify,
    /// Go back to what it had.
    RollBack,
    /// Put the flag up.
    Readmit,
}

impl Run {
    /// What the run wants done now.
    pub fn decide(&self, now: Timestamp) -> RunDecision {
        let wake = self.deadline();
        RunDecision {
            command: wake
                .filter(|wake| now < *wake)
                .and_then(|_| self.state.command()),
            wake,
            hold: self.hold(),
        }
    }

    /// What the run asks its owner in this state. Absent: nothing.
    pub fn awaits(&self) -> Option<ClaimPoint> {
        match self.state.command() {
            Some(RunCommand::Claim(point)) => Some(point),
            Some(
                RunCommand::Drain
                | RunCommand::Apply
                | RunCommand::Reboot
                | RunCommand::Verify
                | RunCommand::RollBack
                | RunCommand::Readmit,
            )
            | None => None,
        }
    }

    fn deadline(&self) -> Option<Timestamp> {
        let by_state = self.entered_at.after(self.allowed()?);
        Some(match self.state {
            RunState::Claiming => {
                by_state.min(self.accepted_at.after(self.order.deadlines.start_by))
            }
            RunState::Draining
            | RunState::Drained
            | RunState::Applying
            | RunState::Rebooting
            | RunState::Verifying
            | RunState::RollingBack
            | RunState::VerifyingRollback
            | RunState::Readmitting(_)
            | RunState::Ended(_) => by_state,
        })
    }

    /// How long the state may last. Going back may take as long as going forward did, and raising
    /// the flag as long as lowering it.
    fn allowed(&self) -> Option<Duration> {
        let deadlines = &self.order.deadlines;
        match self.state {
            RunState::Claiming | RunState::Drained => Some(deadlines.claim_wait),
            RunState::Draining | RunState::Readmitting(_) => Some(deadlines.drain),
            RunState::Applying | RunState::RollingBack => Some(deadlines.apply),
            RunState::Rebooting => Some(deadlines.reboot),
            RunState::Verifying | RunState::VerifyingRollback => Some(deadlines.verify),
            RunState::Ended(_) => None,
        }
    }

    fn hold(&self) -> Option<Hold> {
        self.awaits()?;
        Some(Hold {
            subject: Subject::Host {
                rollout: self.order.grant.rollout.clone(),
                host: self.order.host.clone(),
            },
            reason: Reason::Claim {
                until: self.deadline()?,
            },
            since: self.entered_at,
        })
    }

    /// The failure that a passed deadline is.
    pub(super) fn late(&self) -> Failure {
        let allowed = self.allowed().unwrap_or_default().as_secs();
        match self.state.command() {
            Some(RunCommand::Claim(_)) => Failure::new(
                FailureKind::TimedOut,
                format!("the coordinator did not answer a claim for {allowed} s"),
            ),
            Some(RunCommand::Reboot) => Failure::new(
                FailureKind::Reboot,
                format!("the host did not go down within {allowed} s of its reboot"),
            ),
            Some(
                RunCommand::Drain
                | RunCommand::Apply
                | RunCommand::Verify
                | RunCommand::RollBack
                | RunCommand::Readmit,
            )
            | None => Failure::new(
                FailureKind::TimedOut,
                format!("{} took longer than {allowed} s", self.state),
            ),
        }
    }
}

impl RunState {
    /// What is done in this state. Absent: nothing, the run is over.
    pub fn command(self) -> Option<RunCommand> {
        match self {
            Self::Claiming => Some(RunCommand::Claim(ClaimPoint::BeforeDrain)),
            Self::Draining => Some(RunCommand::Drain),
            Self::Drained => Some(RunCommand::Claim(ClaimPoint::BeforeApply)),
            Self::Applying => Some(RunCommand::Apply),
            Self::Rebooting => Some(RunCommand::Reboot),
            Self::Verifying | Self::VerifyingRollback => Some(RunCommand::Verify),
            Self::RollingBack => Some(RunCommand::RollBack),
            Self::Readmitting(_) => Some(RunCommand::Readmit),
            Self::Ended(_) => None,
        }
    }
}
