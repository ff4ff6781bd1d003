//! What agents and the coordinator say to each other.

use cofferdam_engine::{
    cell::Hello,
    digest::Digest,
    id::{OrderKey, ReportSequence, ReservationToken, RolloutId},
    order::{ClaimAnswer, ClaimPoint, Order},
    report::Report,
};

/// Up: from an agent.
#[derive(Debug, Clone)]
pub(crate) enum Up {
    Hello(Box<Hello>),
    Report(Report),
    Claim {
        key: OrderKey,
        token: ReservationToken,
        point: ClaimPoint,
    },
}

/// Down: to an agent.
#[derive(Debug, Clone)]
pub(crate) enum Down {
    Welcome,
    Acknowledge(ReportSequence),
    Stage {
        rollout: RolloutId,
        lock_digest: Digest,
    },
    Order(Box<Order>),
    Withdraw {
        key: OrderKey,
        reason: String,
    },
    Answer {
        key: OrderKey,
        point: ClaimPoint,
        answer: ClaimAnswer,
    },
    Release(RolloutId),
}
