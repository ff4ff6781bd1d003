//! What happens to a run.

use super::RunState;
use crate::failure::Failure;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What happens to a run: an answer of the owner, the outcome of a step, time, a restart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum RunEvent {
    /// The owner granted the claim that the run's state asks for.
    ClaimGranted,
    /// The owner refused it.
    ClaimRefused {
        /// Why, for people.
        reason: String,
    },
    /// The state's step ended well.
    Done {
        /// Whether the host needs a reboot now. Read after apply only.
        needs_reboot: bool,
        /// What is not as it was before, one line each, at most [`MAX_EXCEPTIONS`](super::MAX_EXCEPTIONS). Read
        /// after a way back only.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        exceptions: Vec<String>,
    },
    /// The state's step failed.
    Failed(Failure),
    /// The owner wants the run stopped.
    Withdrawn {
        /// Why, for people.
        reason: String,
    },
    /// The state's deadline passed.
    DeadlinePassed,
    /// The agent came up with another boot id than the one that it asked the reboot under.
    Rebooted,
    /// The agent came up in the middle of the run; the state's step is run again.
    Resumed,
}

impl RunEvent {
    /// That the state's step ended well, with nothing to say beside.
    pub fn done(needs_reboot: bool) -> Self {
        Self::Done {
            needs_reboot,
            exceptions: Vec::new(),
        }
    }

    /// The event's name, without what it carries.
    pub fn name(&self) -> &'static str {
        match self {
            Self::ClaimGranted => "claim-granted",
            Self::ClaimRefused { .. } => "claim-refused",
            Self::Done { .. } => "done",
            Self::Failed(_) => "failed",
            Self::Withdrawn { .. } => "withdrawn",
            Self::DeadlinePassed => "deadline-passed",
            Self::Rebooted => "rebooted",
            Self::Resumed => "resumed",
        }
    }
}

impl fmt::Display for RunEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An event cannot happen in a state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{event}` cannot happen to a run that is {state}")]
pub struct RunError {
    /// The state that the run is in.
    pub state: RunState,
    /// The event's name.
    pub event: &'static str,
}
