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
    /// The newest revision of the cell's summaries.
    pub revision: u64,
    /// The newest revision of the exceptions for its hosts. 0: there are none.
    #[serde(default)]
    pub exceptions: u64,
    /// The revision of those that the cell was told last. 0: it was told none.
    #[serde(default)]
    pub exceptions_told: u64,
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
    /// The hosts that the cell has leave to start. Nothing while it has none.
    pub fn granted(&self) -> Option<&[HostId]> {
        match &self.wish {
            Wish::Start { hosts, .. } => Some(hosts),
            Wish::Nothing | Wish::Stop { .. } => None,
        }
    }

    /// Takes back the leave to start a host: the newest wish is not for it.
    pub(super) fn withdraw(&mut self, host: &HostId) {
        if let Wish::Start { hosts, .. } = &mut self.wish {
            hosts.retain(|other| other != host);
        }
    }
}
