//! What can happen to a rollout, and what it can ask its shell to do.

use super::End;
use super::NotExcepted;
use crate::{
    denial::Scope,
    exception::{Exceptions, Word},
    id::{CellId, HostId, OperatorId, RolloutId, WaveIndex},
    warrant::{Assignment, Stop, Summary, Warrant},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What an operator can ask of a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Start nothing more until resumed.
    Pause,
    /// Go on; failures so far are seen and accepted.
    Resume,
    /// Give it up; what is patched stays patched.
    Abort,
    /// Take back what it changed.
    Rollback,
}

impl Action {
    /// The action's name in sentences.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Abort => "abort",
            Self::Rollback => "roll back",
        }
    }
}

/// What happened to a rollout: what was heard, and what it decided itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum RolloutEvent {
    /// An operator asked for something.
    Asked {
        /// For what.
        action: Action,
        /// Who.
        by: OperatorId,
        /// Why. May be empty.
        reason: String,
        /// Of a rollback: how far the denial reaches that it leaves.
        #[serde(default)]
        reach: Scope,
    },
    /// Somebody approved all that they may approve.
    Approved {
        /// Who.
        by: OperatorId,
        /// Why. May be empty.
        reason: String,
    },
    /// An approver ended the present bake early.
    Promoted {
        /// Who.
        by: OperatorId,
        /// Why. May be empty.
        reason: String,
    },
    /// An operator said something of single hosts.
    Excepted {
        /// What.
        word: Word,
        /// Of which hosts. Not empty.
        hosts: BTreeSet<HostId>,
        /// Who.
        by: OperatorId,
        /// Why. May be empty.
        reason: String,
    },
    /// Decided: a cell was told what operators said of its hosts.
    ExceptionsTold {
        /// Which.
        cell: CellId,
        /// The revision that it was told.
        revision: u64,
    },
    /// A cell told what changed in it.
    Summarised {
        /// What.
        summary: Summary,
    },
    /// Decided: a cell was told what the rollout is.
    Assigned {
        /// Which.
        cell: CellId,
    },
    /// Decided: a cell was given leave to start hosts.
    Warranted {
        /// Which.
        warrant: Warrant,
        /// Whether it is the cell's turn in the present wave.
        #[serde(default)]
        opens: bool,
        /// The host of it that is asked for a second opinion without waiting for that turn.
        #[serde(default)]
        opinion: Option<HostId>,
    },
    /// Decided: a cell was stopped.
    Stopped {
        /// How.
        stop: Stop,
    },
    /// Decided: the brake paused the rollout.
    Braked {
        /// What it found.
        finding: String,
    },
    /// Decided: the hosts of a wave are over; its bake began.
    BakeBegan {
        /// Which.
        wave: WaveIndex,
    },
    /// Decided: a wave passed.
    WavePassed {
        /// Which.
        wave: WaveIndex,
    },
    /// Decided: the rollout is over.
    Ended {
        /// How.
        end: End,
    },
}

/// What a rollout asks its shell to do, once the event of it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RolloutCommand {
    /// Tell a cell what the rollout is.
    Assign(Box<Assignment>),
    /// Tell a cell what operators said of its hosts.
    Except(Exceptions),
    /// Give a cell leave to start hosts.
    Warrant {
        /// Which.
        warrant: Warrant,
        /// Whether it is the cell's turn in the present wave.
        opens: bool,
        /// The host of it that is asked for a second opinion without waiting for that turn.
        opinion: Option<HostId>,
    },
    /// Stop a cell.
    Stop(Stop),
    /// Pause by the brake. Nothing is sent.
    Brake {
        /// What was found.
        finding: String,
    },
    /// Begin a wave's bake. Nothing is sent.
    BeginBake {
        /// Which.
        wave: WaveIndex,
    },
    /// Pass a wave. Nothing is sent.
    PassWave {
        /// Which.
        wave: WaveIndex,
    },
    /// End. Nothing is sent.
    End {
        /// How.
        end: End,
    },
}

impl RolloutCommand {
    /// What must be applied and stored before the command is carried out.
    pub fn event(&self) -> RolloutEvent {
        match self {
            Self::Assign(assignment) => RolloutEvent::Assigned {
                cell: assignment.cell.clone(),
            },
            Self::Except(exceptions) => RolloutEvent::ExceptionsTold {
                cell: exceptions.cell.clone(),
                revision: exceptions.revision,
            },
            Self::Warrant {
                warrant,
                opens,
                opinion,
            } => RolloutEvent::Warranted {
                warrant: warrant.clone(),
                opens: *opens,
                opinion: opinion.clone(),
            },
            Self::Stop(stop) => RolloutEvent::Stopped { stop: stop.clone() },
            Self::Brake { finding } => RolloutEvent::Braked {
                finding: finding.clone(),
            },
            Self::BeginBake { wave } => RolloutEvent::BakeBegan { wave: *wave },
            Self::PassWave { wave } => RolloutEvent::WavePassed { wave: *wave },
            Self::End { end } => RolloutEvent::Ended { end: *end },
        }
    }
}

/// Why a rollout refuses an event. Its state is as before.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RolloutError {
    /// The action does not fit where the rollout stands.
    #[error("cannot {} rollout {rollout}: it is {is}", action.name())]
    NotNow {
        /// The rollout.
        rollout: RolloutId,
        /// What was asked.
        action: Action,
        /// Where it stands.
        is: &'static str,
    },
    /// What an operator said of hosts does not fit where the rollout or the hosts stand.
    #[error("cannot {} hosts of rollout {rollout}: {why}", word.name())]
    NotExcepted {
        /// The rollout.
        rollout: RolloutId,
        /// What was asked.
        word: Word,
        /// Why.
        why: NotExcepted,
    },
    /// The operator may not approve anything of the rollout.
    #[error("{by} may not do this to rollout {rollout}: {}", may(who))]
    NoApprover {
        /// The rollout.
        rollout: RolloutId,
        /// Who asked.
        by: OperatorId,
        /// Who may. Empty: nobody.
        who: Vec<OperatorId>,
    },
    /// Nothing can be approved.
    #[error("nothing of rollout {rollout} awaits an approval")]
    NoApprovalAwaited {
        /// The rollout.
        rollout: RolloutId,
    },
    /// No bake can be ended early.
    #[error("rollout {rollout} does not bake: {is}")]
    NoBake {
        /// The rollout.
        rollout: RolloutId,
        /// Where it stands.
        is: &'static str,
    },
    /// An amendment was planned for another state of the rollout.
    #[error(
        "{amendment} is no amendment of rollout {rollout} as it stands: it was amended since; look at the difference again"
    )]
    OtherAmendment {
        /// The rollout.
        rollout: RolloutId,
        /// What would amend it.
        amendment: RolloutId,
    },
    /// The cell has no part in the rollout.
    #[error("cell {cell} has no part in rollout {rollout}")]
    NoCell {
        /// The rollout.
        rollout: RolloutId,
        /// The cell.
        cell: CellId,
    },
    /// A recorded decision does not fit where the rollout stands.
    #[error("rollout {rollout}: {what} does not fit where it stands")]
    IllegalEvent {
        /// The rollout.
        rollout: RolloutId,
        /// The event.
        what: &'static str,
    },
}

fn may(who: &[OperatorId]) -> String {
    let names: Vec<&str> = who.iter().map(OperatorId::as_str).collect();
    match names.is_empty() {
        true => "its file names no approvers".to_owned(),
        false => format!("{} may", names.join(" or ")),
    }
}
