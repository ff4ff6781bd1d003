//! The agent's machine: one try of one order on one host.
//!
//! ```text
//!                 granted          done            granted           done
//!      Claiming ----------> Draining ----> Drained ---------> Applying ----> Verifying
//!         |                     |             |               |      |         |  ^  |
//!         | refused             | failed      | refused       |      | reboot  |  |  | done
//!         v                     v             v               |      v         |  |  v
//!  Ended(Cancelled)          Readmitting(Undone)       failed |  Rebooting ----|--+ Readmitting(Patched)
//!                                   |                         |      | failed  | failed
//!                                   | done                    v      v         v    (also when Readmitting
//!                                   v             RollingBack -----> VerifyingRollback     (Patched) failed)
//!                              Ended(Undone)          | failed          | failed   | done
//!                                                     v                 v          v
//!                                                  Ended(Quarantined)     Readmitting(RolledBack)
//! ```
//!
//! A host that was quarantined before is so again where the run would be `Cancelled` or `Undone`: its
//! flag is put up by a proof that it is well, and by nothing else.
//!
//! An order whose direction is back goes from `Drained` to `RollingBack`. Every state has a
//! deadline, and passing it counts as failing there. No state is entered twice, so every run ends.
//! A stop before apply undoes the run; after apply began it is only noted, and the run ends safely.

mod decision;
mod event;
#[cfg(test)]
mod tests;
mod transition;

pub use decision::{RunCommand, RunDecision};
pub use event::{RunError, RunEvent};

use crate::{failure::Failure, order::Order, time::Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;
use transition::Next;

/// How a host stands when an order comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing of it is kept: it is in service, or fell by itself.
    Free,
    /// An earlier run keeps it out of service.
    Quarantined,
}

/// Where a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "state", content = "end", rename_all = "kebab-case")]
pub enum RunState {
    /// Asks the owner before it drains.
    Claiming,
    /// The flag is down; waits until traffic ended.
    Draining,
    /// Drained; asks the owner before it applies.
    Drained,
    /// Changes the host.
    Applying,
    /// Reboots.
    Rebooting,
    /// Proves that the host is well.
    Verifying,
    /// Goes back to what the host had.
    RollingBack,
    /// Proves that the host is well again.
    VerifyingRollback,
    /// Lets the traffic back, to end as named.
    Readmitting(Ending),
    /// Over.
    Ended(Ending),
}

impl RunState {
    /// Whether the run is over.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Ended(_))
    }

    /// Whether the host's flag is down in this state: it gets no traffic.
    pub fn is_drained(self) -> bool {
        match self {
            Self::Draining
            | Self::Drained
            | Self::Applying
            | Self::Rebooting
            | Self::Verifying
            | Self::RollingBack
            | Self::VerifyingRollback
            | Self::Readmitting(_)
            | Self::Ended(Ending::Quarantined) => true,
            Self::Claiming
            | Self::Ended(
                Ending::Patched | Ending::RolledBack | Ending::Undone | Ending::Cancelled,
            ) => false,
        }
    }
}

impl fmt::Display for RunState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Claiming => f.write_str("claiming"),
            Self::Draining => f.write_str("draining"),
            Self::Drained => f.write_str("drained"),
            Self::Applying => f.write_str("applying"),
            Self::Rebooting => f.write_str("rebooting"),
            Self::Verifying => f.write_str("verifying"),
            Self::RollingBack => f.write_str("rolling back"),
            Self::VerifyingRollback => f.write_str("verifying the rollback"),
            Self::Readmitting(_) => f.write_str("readmitting"),
            Self::Ended(ending) => ending.fmt(f),
        }
    }
}

/// How a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// Changed, healthy, in service.
    Patched,
    /// Back at what it had, healthy, in service.
    RolledBack,
    /// Drained and readmitted, nothing changed.
    Undone,
    /// Never drained: stopped before the point of disruption.
    Cancelled,
    /// Kept out of service for a person, because even the way back failed.
    Quarantined,
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Patched => "patched",
            Self::RolledBack => "rolled back",
            Self::Undone => "undone",
            Self::Cancelled => "cancelled",
            Self::Quarantined => "quarantined",
        })
    }
}

/// One run of one order, from its acceptance to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    order: Order,
    state: RunState,
    accepted_at: Timestamp,
    entered_at: Timestamp,
    resumed: u32,
    failure: Option<Failure>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    exceptions: Vec<String>,
    stop: Option<String>,
    /// Whether the host was quarantined when the order came: a run that is stopped before it changed
    /// anything leaves it so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    from_quarantine: bool,
}

impl Run {
    /// The run of an order that was just accepted, by a host that is in service or fell by itself.
    pub fn accept(order: Order, now: Timestamp) -> Self {
        Self::accept_by(Standing::Free, order, now)
    }

    /// The run of an order that was just accepted, by a host that stands so.
    pub fn accept_by(standing: Standing, order: Order, now: Timestamp) -> Self {
        Self {
            order,
            state: RunState::Claiming,
            accepted_at: now,
            entered_at: now,
            resumed: 0,
            failure: None,
            exceptions: Vec::new(),
            stop: None,
            from_quarantine: standing == Standing::Quarantined,
        }
    }

    /// How its host stands for the next order, once it is over.
    pub fn leaves(&self) -> Standing {
        match self.state == RunState::Ended(Ending::Quarantined) {
            true => Standing::Quarantined,
            false => Standing::Free,
        }
    }

    /// Whether the host's flag is down: by this run, or since before it.
    pub fn is_drained(&self) -> bool {
        self.state.is_drained() || (self.from_quarantine && !self.state.is_over())
    }

    /// Takes note of what happened.
    ///
    /// # Errors
    /// [`RunError`] when this cannot happen in the state that the run is in; nothing has changed
    /// then.
    pub fn apply(&mut self, event: RunEvent, now: Timestamp) -> Result<(), RunError> {
        let standing = match self.from_quarantine {
            true => Standing::Quarantined,
            false => Standing::Free,
        };
        let next = transition::next(self.state, &event, &self.order, standing).ok_or(RunError {
            state: self.state,
            event: event.name(),
        })?;
        match next {
            Next::Enter(state) => {
                self.note(event);
                self.state = state;
                self.entered_at = now;
                self.resumed = 0;
            }
            Next::Stay => self.note(event),
            Next::Again => self.begin_again(now),
        }
        Ok(())
    }

    /// What it runs.
    pub fn order(&self) -> &Order {
        &self.order
    }

    /// Where it is.
    pub fn state(&self) -> RunState {
        self.state
    }

    /// When it entered that state, or last began it again after a restart.
    pub fn entered_at(&self) -> Timestamp {
        self.entered_at
    }

    /// What made it turn back. Absent: nothing went wrong so far.
    pub fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    /// What is not as it was before, though the host went back. Empty: all is, or it did not go back.
    pub fn exceptions(&self) -> &[String] {
        &self.exceptions
    }

    /// Why the owner wants it stopped. Absent: it does not.
    pub fn stop(&self) -> Option<&str> {
        self.stop.as_deref()
    }

    fn note(&mut self, event: RunEvent) {
        match event {
            RunEvent::Failed(failure) => self.turn_back(failure),
            RunEvent::Done { exceptions, .. } if self.state == RunState::RollingBack => {
                self.exceptions = exceptions;
            }
            RunEvent::DeadlinePassed => self.turn_back(self.late()),
            RunEvent::Withdrawn { reason } | RunEvent::ClaimRefused { reason } => {
                self.stop.get_or_insert(reason);
            }
            RunEvent::ClaimGranted
            | RunEvent::Done { .. }
            | RunEvent::Rebooted
            | RunEvent::Resumed => {}
        }
    }

    /// Keeps the first failure as the cause and adds what failed on the way back.
    fn turn_back(&mut self, failure: Failure) {
        self.failure = Some(match self.failure.take() {
            None => failure,
            Some(first) => {
                let cause: String = first.detail.chars().take(MAX_CAUSE_CHARS).collect();
                Failure::new(first.kind, format!("{cause}; then {failure}"))
            }
        });
    }

    fn begin_again(&mut self, now: Timestamp) {
        if self.resumed < MAX_RESUMED {
            self.resumed += 1;
            self.entered_at = now;
        }
    }
}

/// How much of the first failure's detail is kept when a second one is added (half of what
/// travels).
const MAX_CAUSE_CHARS: usize = crate::failure::MAX_DETAIL_CHARS / 2;

/// The most exceptions of one way back that are told (guess: twenty lines say what there is to look at, and the
/// host has the whole list).
pub const MAX_EXCEPTIONS: usize = 20;

/// How often a state's deadline starts anew because the agent was restarted in it (guess). Without
/// this a host that was off for an hour in mid-rollback would be given up before it tried; without
/// the limit an agent that always crashes in one step would never end its run.
pub const MAX_RESUMED: u32 = 5;
