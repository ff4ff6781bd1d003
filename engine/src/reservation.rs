//! What an operator has a host for, and why an operator cannot have one or give it back.

use crate::{
    duration,
    id::{CellId, HostId, OperatorId, ReservationToken},
    ledger::Holder,
    policy::LONGEST_RESERVATION,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// An operator's reservation of a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// Who.
    pub by: OperatorId,
    /// Why.
    pub reason: String,
    /// When it ends by itself.
    pub until: Timestamp,
}

impl From<Reservation> for Holder {
    fn from(Reservation { by, reason, until }: Reservation) -> Self {
        Self::Operator { by, reason, until }
    }
}

/// An operator's reservation, as its host is told of it: whoever works there meanwhile was allowed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReservationLeft {
    /// Its token in the ledger.
    pub token: ReservationToken,
    /// Who.
    pub by: OperatorId,
    /// Why, in one line.
    pub reason: String,
    /// How long it still lasts: at most [`LONGEST_RESERVATION`].
    pub left: Duration,
}

/// Why hosts are not reserved or released. None of the command's hosts is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReservationError {
    /// It would last no time, or too long.
    #[error(
        "a reservation lasts up to {}, not {}",
        duration::format(LONGEST_RESERVATION),
        duration::format(*lasts)
    )]
    Lasts {
        /// How long it was to last.
        lasts: Duration,
    },
    /// Somebody else has a host.
    #[error("host {host} is held by {by}")]
    Held {
        /// The host.
        host: HostId,
        /// Who has it.
        by: Box<Holder>,
    },
    /// A rollout lost a host: it is the rollout's until it serves again.
    #[error(
        "host {host} was lost by {by} and is not free before it serves again ({why}): repair it, or let a rollout with `repair = true` do so"
    )]
    Lost {
        /// The host.
        host: HostId,
        /// Who lost it.
        by: Box<Holder>,
        /// How.
        why: String,
    },
    /// The cell of a host is not heard of, so nobody knows what is out there.
    #[error("nothing is heard of cell {cell}, which host {host} is in")]
    Silent {
        /// The host.
        host: HostId,
        /// Its cell.
        cell: CellId,
    },
    /// A group would have more out than it may.
    #[error(
        "floor: {out} of group {group} are out, {more} more would be, {allowance} may be{}",
        with(tokens_with)
    )]
    Floor {
        /// The group, as in `service=web zone=a`.
        group: String,
        /// How many of it are out already.
        out: usize,
        /// How many of it are asked for, and are not out.
        more: usize,
        /// How many may be out.
        allowance: usize,
        /// The cells that hold tokens of it.
        tokens_with: Vec<CellId>,
    },
    /// No operator has reserved the host.
    #[error("host {host} is reserved by no operator")]
    NotReserved {
        /// The host.
        host: HostId,
    },
    /// Another operator has reserved the host.
    #[error("host {host} is reserved by {by}: ask, or release it with --force")]
    OfAnother {
        /// The host.
        host: HostId,
        /// Who has.
        by: OperatorId,
    },
}

fn with(cells: &[CellId]) -> String {
    let names: Vec<&str> = cells.iter().map(CellId::as_str).collect();
    match names.is_empty() {
        true => String::new(),
        false => format!("; its tokens are with {}", names.join(", ")),
    }
}
