//! What an agent says back of its orders and its host.

use crate::{
    digest::Digest,
    failure::Failure,
    id::{Incarnation, OrderKey, ReportSequence, RolloutId},
    run::RunState,
    stratum::Delta,
};
use serde::{Deserialize, Serialize};

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
        /// What is not as it was before, once the host went back: one line each, at most
        /// [`MAX_EXCEPTIONS`](crate::run::MAX_EXCEPTIONS).
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        exceptions: Vec<String>,
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
    /// The host has other packages installed than the plan assumed of it: it is not what was proved.
    OtherDelta {
        /// What the patch would change as the plan has it.
        assumed: Delta,
        /// What it would change.
        found: Delta,
    },
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
            Self::OtherDelta { assumed, found } => write!(
                f,
                "other packages are installed than when the rollout was planned: its delta is {found}, not {assumed}"
            ),
            Self::Impossible { failure } => failure.fmt(f),
        }
    }
}
