//! What a coordinator hands one agent, and what the agent says back of it.

use crate::{
    digest::Digest,
    failure::Failure,
    id::{
        CellId, Generation, HostId, Incarnation, OrderKey, ReportSequence, ReservationToken,
        RolloutId, WaveIndex,
    },
    patch::{Content, RebootPolicy},
    policy::Deadlines,
    run::RunState,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// One try of one rollout on one host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// What names it for good.
    pub key: OrderKey,
    /// For which host.
    pub host: HostId,
    /// The fencing token of the host's reservation in its cell's ledger.
    pub token: ReservationToken,
    /// What allows it.
    pub grant: Grant,
    /// Forward or back.
    pub direction: Direction,
    /// The how-manieth try of this rollout on this host, from 1.
    pub attempt: u32,
    /// What to install.
    pub content: Content,
    /// Whether the run may reboot.
    pub reboot: RebootPolicy,
    /// Whether a patch without a proved way back is allowed.
    pub one_way: bool,
    /// How long each part may take. Durations, counted by the agent.
    pub deadlines: Deadlines,
    /// All signals agree for this long before the host counts as healthy.
    pub stable_for: Duration,
    /// The application has this long for its first answer.
    pub first_answer: Duration,
}

/// What allows an order: the part of its cell's warrant that the agent is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The rollout.
    pub rollout: RolloutId,
    /// The digest of the rollout file and its lock file.
    pub rollout_digest: Digest,
    /// The digest of the lock file: what a denial and coverage go by.
    pub lock_digest: Digest,
    /// The wave that the host's slice belongs to.
    pub wave: WaveIndex,
    /// The cell.
    pub cell: CellId,
    /// Which of the control plane's wishes for the cell it follows.
    pub generation: Generation,
    /// The control plane's signature over the warrant. Empty: not signed (until signing is built,
    /// always).
    pub signature: Vec<u8>,
}

/// Forward or back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Apply the patch.
    Patch,
    /// Go back to what the agent's journal of this rollout holds.
    Rollback,
}

/// Which of its two questions an agent asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClaimPoint {
    /// Before drain: the owner's stored yes is the point of disruption.
    BeforeDrain,
    /// Before apply: the last moment at which a stop undoes.
    BeforeApply,
}

/// The owner's answer to a claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum ClaimAnswer {
    /// Go on.
    Granted,
    /// The order is no longer good: undo.
    Refused {
        /// Why, for people.
        reason: String,
    },
}

/// What an agent stores in its outbox and sends until it is acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The journal that it comes from.
    pub incarnation: Incarnation,
    /// Its number in that journal.
    pub sequence: ReportSequence,
    /// What it says.
    pub body: ReportBody,
}

/// What a report says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ReportBody {
    /// Staging of a rollout's bits ended on this host.
    Staged {
        /// The rollout.
        rollout: RolloutId,
        /// The digest of the lock file whose bits were staged.
        lock_digest: Digest,
        /// Nothing when all bits and the way back are proved; else what failed.
        failure: Option<Failure>,
    },
    /// An order was not accepted.
    Refused {
        /// The order.
        key: OrderKey,
        /// Why.
        refusal: Refusal,
    },
    /// A run entered a state. The first report of an accepted order says `Claiming`.
    Entered {
        /// The order.
        key: OrderKey,
        /// The state that the run is in now.
        state: RunState,
        /// What made the run turn back, once it has.
        failure: Option<Failure>,
    },
    /// The host's own health changed outside a run.
    Service {
        /// Whether the host is in service: its flag is up and its own checks do not fail.
        in_service: bool,
        /// What fails, in one line. Empty when in service.
        detail: String,
    },
}

/// Why an agent does not accept an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "refusal", rename_all = "kebab-case")]
pub enum Refusal {
    /// It has seen a newer order.
    Older {
        /// The newest that it has seen.
        newest: OrderKey,
    },
    /// It has seen other content under this key.
    OtherContent,
    /// Another run is not over.
    Busy {
        /// The order of that run.
        with: OrderKey,
    },
    /// The order names another host.
    OtherHost,
    /// The lock file was denied on this host by a rollback or a last failed try.
    Denied,
    /// What the order needs cannot be done on this host.
    Impossible {
        /// What, and why.
        failure: Failure,
    },
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Older { newest } => write!(f, "older than order {newest} that the host has seen"),
            Self::OtherContent => f.write_str("the host has seen other content under this order"),
            Self::Busy { with } => write!(f, "the host is busy with order {with}"),
            Self::OtherHost => f.write_str("the order names another host"),
            Self::Denied => f.write_str("the host denies this lock file"),
            Self::Impossible { failure } => failure.fmt(f),
        }
    }
}
