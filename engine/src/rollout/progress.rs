//! What a rollout wants of one cell.

use crate::{
    id::{Generation, HostId, WaveIndex},
    order::Direction,
    time::Timestamp,
    warrant::StopKind,
};
use serde::{Deserialize, Serialize};

/// What a rollout wants of one cell, and how far that is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CellProgress {
    /// Whether the cell was told what the rollout is.
    pub assigned: bool,
    /// The generation of the newest wish. 0 before the first.
    pub generation: Generation,
    /// The newest wish.
    pub wish: Wish,
    /// Which wave last opened the cell, and when.
    pub opened: Option<(WaveIndex, Timestamp)>,
    /// When the last of its hosts in that wave was over. Nothing while they are not.
    pub closed_at: Option<Timestamp>,
    /// The newest revision of the exceptions for its hosts. 0: there are none.
    #[serde(default)]
    pub exceptions: u64,
    /// The revision of those that the cell was told last. 0: it was told none.
    #[serde(default)]
    pub exceptions_told: u64,
    /// When it was last heard of. Nothing while it is heard.
    #[serde(default)]
    pub silent_since: Option<Timestamp>,
    /// When it was last told anything. Nothing before.
    #[serde(default)]
    pub told_at: Option<Timestamp>,
    /// Whether the newest wish may not have reached it, so that it is told again.
    #[serde(default)]
    pub untold: bool,
    /// The leave that the newest stop ended: the cell may have taken it, and not the stop. Absent: the newest wish is no
    /// stop, or nothing was told before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) stopped_leave: Option<StoppedLeave>,
    /// Whether it has leave to start hosts that wait for another turn, so that it is told otherwise.
    #[serde(default)]
    pub narrowed: bool,
}

/// Leave that a stop ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoppedLeave {
    /// Its generation.
    pub(crate) generation: Generation,
    /// The hosts that might be started.
    pub(crate) hosts: Vec<HostId>,
    /// When it was signed.
    pub(crate) at: Timestamp,
}

/// The newest wish for a cell.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "wish", rename_all = "kebab-case")]
pub enum Wish {
    /// None yet.
    #[default]
    Nothing,
    /// Start these hosts.
    Start {
        /// Forward or back.
        direction: Direction,
        /// In this order.
        hosts: Vec<HostId>,
        /// When the warrant was signed.
        at: Timestamp,
    },
    /// Start nothing.
    Stop {
        /// Whether it may go on.
        kind: StopKind,
    },
}

impl CellProgress {
    /// Takes note that the newest wish was told.
    pub(super) fn tell(&mut self, generation: Generation, wish: Wish, now: Timestamp) {
        let before = std::mem::replace(&mut self.wish, wish);
        self.stopped_leave = match (&self.wish, before) {
            (Wish::Stop { .. }, Wish::Start { hosts, at, .. }) => Some(StoppedLeave {
                generation: self.generation,
                hosts,
                at,
            }),
            // A stop that is told again ends the same leave.
            (Wish::Stop { .. }, Wish::Stop { .. }) => self.stopped_leave.take(),
            (Wish::Stop { .. }, Wish::Nothing) | (Wish::Nothing | Wish::Start { .. }, _) => None,
        };
        self.generation = generation;
        self.told_at = Some(now);
        self.untold = false;
        self.narrowed = false;
    }

    /// Whether the cell was ever told anything, so that it may have work of the rollout.
    pub(super) fn was_told(&self) -> bool {
        // Stores of older releases have no time of it.
        self.told_at.is_some() || self.assigned || self.wish != Wish::Nothing
    }

    /// Whether what the cell was told last may be lost: it was not heard of then, or did not say to have it.
    pub(super) fn may_be_lost(&self) -> bool {
        let lost = |since: Timestamp| self.untold || self.told_at.is_some_and(|at| at >= since);
        self.silent_since.is_some_and(lost)
    }

    /// The cell is heard of again. What may be lost is told again.
    pub(super) fn heard(&mut self) {
        if self.may_be_lost() {
            self.tell_anew();
        }
        self.silent_since = None;
    }

    /// What the cell was told may be lost, and is told again.
    pub(super) fn tell_anew(&mut self) {
        self.assigned = false;
        self.exceptions_told = 0;
        self.untold = self.wish != Wish::Nothing;
    }

    /// The hosts that the cell has leave to start. Nothing while it has none.
    pub fn granted(&self) -> Option<&[HostId]> {
        match &self.wish {
            Wish::Start { hosts, .. } => Some(hosts),
            Wish::Nothing | Wish::Stop { .. } => None,
        }
    }

    /// Takes note that the cell was told what the rollout is.
    pub(super) fn assigned(&mut self, now: Timestamp) {
        self.assigned = true;
        self.told_at = Some(now);
        self.exceptions_told = 0;
    }

    /// Takes back the leave to start a host: the newest wish is not for it. Whether there was one.
    pub(super) fn withdraw(&mut self, host: &HostId) -> bool {
        let Wish::Start { hosts, .. } = &mut self.wish else {
            return false;
        };
        let before = hosts.len();
        hosts.retain(|other| other != host);
        hosts.len() < before
    }
}
