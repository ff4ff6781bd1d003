//! What an operator says of single hosts of a rollout: leave them out of it, do not wait for them,
//! or try them again.
//!
//! Down: the [`Exceptions`] of a cell, all of them each time, so that a link may repeat or drop them.
//! They stand beside the warrant: whatever it grants, a host that is set aside is not started.

use crate::id::{CellId, HostId, OperatorId, RolloutId};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

/// What an operator can say of hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Word {
    /// They are no part of the rollout any more; another may take them.
    Exclude,
    /// The rollout goes on without waiting for them.
    Skip,
    /// They get new tries, in the present wave.
    Retry,
}

impl Word {
    /// The word in sentences, as in `cannot exclude hosts`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exclude => "exclude",
            Self::Skip => "skip",
            Self::Retry => "retry",
        }
    }

    /// What it makes of a host, as in `excluded by anna`.
    pub fn done(self) -> &'static str {
        match self {
            Self::Exclude => "excluded",
            Self::Skip => "skipped",
            Self::Retry => "tried again",
        }
    }
}

/// The newest word on one host. Displays as one plain sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exception {
    /// What is to be done.
    pub word: Word,
    /// Who said it.
    pub by: OperatorId,
    /// Why. May be empty.
    pub reason: String,
    /// How often operators have asked for new tries, up to this word.
    #[serde(default)]
    pub retries: u32,
}

impl Exception {
    /// Whether the host is to be started no more, unless a later word says otherwise.
    pub fn sets_aside(&self) -> bool {
        match self.word {
            Word::Exclude | Word::Skip => true,
            Word::Retry => false,
        }
    }
}

impl fmt::Display for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} by {}", self.word.done(), self.by)?;
        match self.reason.is_empty() {
            true => Ok(()),
            false => write!(f, ": {}", self.reason),
        }
    }
}

/// All exceptions of one cell of one rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exceptions {
    /// The rollout.
    pub rollout: RolloutId,
    /// The cell.
    pub cell: CellId,
    /// Replaces those of a lower revision. From 1.
    pub revision: u64,
    /// The newest word on each host of which there is one.
    pub hosts: BTreeMap<HostId, Exception>,
}
