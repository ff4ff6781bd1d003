//! What agents and the coordinator say to each other.

use crate::{
    cell::Hello,
    digest::Digest,
    id::{OrderKey, ReportSequence, ReservationToken, RolloutId},
    order::{ClaimAnswer, ClaimPoint, Order},
    report::Report,
};

/// Up: from an agent.
#[derive(Debug, Clone)]
pub enum Up {
    /// The first message of a session.
    Hello(Box<Hello>),
    /// Other packages are installed than it said before.
    Packages(Digest),
    /// What became of something.
    Report(Report),
    /// A request for leave.
    Claim {
        /// The order.
        key: OrderKey,
        /// The reservation that it goes by.
        token: ReservationToken,
        /// Before which step.
        point: ClaimPoint,
    },
}

/// Down: to an agent.
#[derive(Debug, Clone)]
pub enum Down {
    /// The answer to a hello.
    Welcome,
    /// Everything up to this report is stored.
    Acknowledge(ReportSequence),
    /// Bring the bits of a rollout to the host.
    Stage {
        /// The rollout.
        rollout: RolloutId,
        /// The digest of its lock file.
        lock_digest: Digest,
    },
    /// Do this, or go on with it.
    Order(Box<Order>),
    /// Do not begin.
    Withdraw {
        /// The order.
        key: OrderKey,
        /// Why.
        reason: String,
    },
    /// The answer to a claim.
    Answer {
        /// The order.
        key: OrderKey,
        /// Before which step.
        point: ClaimPoint,
        /// Yes or no.
        answer: ClaimAnswer,
    },
    /// The bits of a rollout are needed no longer.
    Release(RolloutId),
}
