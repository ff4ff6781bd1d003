//! What can happen to a cell, and what it can ask its shell to do.

use super::{GivenUp, Hello};
use crate::{
    allotment::Allotment,
    calendar::Calendar,
    cord::Cord,
    denial::Denials,
    digest::Digest,
    drift::DriftSummary,
    effect::EffectSummary,
    exception::Exceptions,
    failure::Failure,
    guard::GuardNews,
    id::{HostId, OrderKey, OwnerEpoch, ReservationToken, RolloutId},
    ledger::LedgerError,
    order::{ClaimAnswer, ClaimPoint, Order},
    patch::{ConffilePolicies, Content, KernelFallback},
    report::Report,
    reservation::Reservation,
    warrant::{Assignment, Stop, Summary, Warrant},
};
use serde::{Deserialize, Serialize};
use std::num::NonZeroU32;

/// What happened to a cell: what was heard, and what it decided itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum CellEvent {
    /// A new owner took over, or the same one restarted.
    OwnerStarted {
        /// Its epoch, above all before.
        epoch: OwnerEpoch,
    },
    /// The machine of its region booted: its warrants are over.
    Booted,
    /// A host opened a session.
    HostConnected {
        /// What it said.
        hello: Box<Hello>,
    },
    /// A host's session ended.
    HostDisconnected {
        /// Which.
        host: HostId,
    },
    /// A host has other packages installed than it said before.
    PackagesChanged {
        /// Which.
        host: HostId,
        /// The digest of what it has now.
        packages: Digest,
    },
    /// A host told of its guard.
    GuardTold {
        /// Which.
        host: HostId,
        /// What it told.
        news: Box<GuardNews>,
    },
    /// A host told what changed on it without an order.
    DriftTold {
        /// Which.
        host: HostId,
        /// What it told; takes the place of what it told before.
        drift: Box<DriftSummary>,
    },
    /// A host told how far what is installed on it is in effect.
    EffectTold {
        /// Which.
        host: HostId,
        /// What it told; takes the place of what it told before.
        effect: Box<EffectSummary>,
    },
    /// A host was deleted from the inventory.
    HostForgotten {
        /// Which.
        host: HostId,
    },
    /// An operator took a host, or keeps it for another time.
    Reserved {
        /// Which.
        host: HostId,
        /// By whom, why, until when.
        reservation: Reservation,
    },
    /// A person's reservation ended: it was released, or decided that its time is over.
    Unreserved {
        /// Of which host.
        host: HostId,
        /// Its token.
        token: ReservationToken,
    },
    /// A host sent a report.
    Reported {
        /// Which.
        host: HostId,
        /// What it said.
        report: Report,
    },
    /// A host asked whether its order is still good.
    Claimed {
        /// Which.
        host: HostId,
        /// The order.
        key: OrderKey,
        /// The token of its reservation.
        token: ReservationToken,
        /// Which question it is.
        point: ClaimPoint,
    },
    /// The control plane said when nothing may be started.
    CalendarDeclared {
        /// All freezes of the fleet.
        calendar: Calendar,
    },
    /// The cell was told how the cord stands.
    CordTold {
        /// The one that is pulled. Absent: none is.
        cord: Option<Cord>,
        /// The region's own, where that of the control plane is pulled as well. Absent: it is not, or is the one
        /// above.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        beneath: Option<Cord>,
    },
    /// The control plane assigned a rollout.
    Assigned {
        /// What it is, for this cell.
        assignment: Box<Assignment>,
    },
    /// The control plane told what operators said of single hosts.
    Excepted {
        /// What.
        exceptions: Exceptions,
    },
    /// The control plane gave leave to start hosts.
    Warranted {
        /// Which.
        warrant: Warrant,
    },
    /// The control plane stopped a rollout.
    Stopped {
        /// How.
        stop: Stop,
    },
    /// The control plane told the cell what it has of groups that reach beyond it.
    Allotted {
        /// What.
        allotment: Box<Allotment>,
    },
    /// Decided: a host was asked to stage.
    StageAsked {
        /// For which rollout.
        rollout: RolloutId,
        /// Which.
        host: HostId,
    },
    /// Decided: a host was ordered.
    Ordered {
        /// The order.
        order: Box<Order>,
    },
    /// Decided: an order was sent again on a new session.
    Resent {
        /// In which rollout.
        rollout: RolloutId,
        /// To which host.
        host: HostId,
    },
    /// Decided: a claim was answered.
    ClaimAnswered {
        /// In which rollout.
        rollout: RolloutId,
        /// Of which host.
        host: HostId,
        /// Which question.
        point: ClaimPoint,
        /// The answer.
        answer: ClaimAnswer,
    },
    /// Decided: an order was withdrawn.
    Withdrawn {
        /// In which rollout.
        rollout: RolloutId,
        /// From which host.
        host: HostId,
    },
    /// Decided: the owner stopped waiting for a host.
    GaveUp {
        /// In which rollout.
        rollout: RolloutId,
        /// For which host.
        host: HostId,
        /// Why.
        why: GivenUp,
    },
    /// Decided: the cell's own brake stopped a rollout here.
    Braked {
        /// Which rollout.
        rollout: RolloutId,
        /// What it found.
        finding: String,
    },
    /// Decided: what changed was told upwards.
    Summarised {
        /// Of which rollout.
        rollout: RolloutId,
    },
    /// The control plane told what is denied to the hosts here; replaces what it told before.
    DenialsTold {
        /// All of it.
        denials: Box<Denials>,
    },
    /// Decided: a rollout that is over has no run left here and is forgotten.
    Released {
        /// Which rollout.
        rollout: RolloutId,
    },
}

impl CellEvent {
    /// The host that it deletes from the inventory. Nothing of other events.
    pub(crate) fn forgets(&self) -> Option<&HostId> {
        if let Self::HostForgotten { host } = self {
            return Some(host);
        }
        None
    }
}

/// What a cell asks its shell to do, once the event of it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CellCommand {
    /// Ask a host to stage.
    Stage {
        /// For which rollout.
        rollout: RolloutId,
        /// Which host.
        host: HostId,
        /// The lock file's digest.
        lock_digest: Digest,
        /// The bits.
        content: Content,
        /// What becomes of changed config files of packages.
        conffiles: ConffilePolicies,
        /// Whether a missing way back is allowed.
        one_way: bool,
        /// How much it may fetch, in KiB a second. Absent: as the host says.
        rate_kib: Option<NonZeroU32>,
        /// How the host comes back from a new kernel that does not boot.
        kernel_fallback: KernelFallback,
    },
    /// Hand a host a new order.
    Order(Box<Order>),
    /// Hand a host the order that it may have missed.
    Resend(Box<Order>),
    /// Answer a claim.
    AnswerClaim {
        /// In which rollout.
        rollout: RolloutId,
        /// To which host.
        host: HostId,
        /// For which order.
        key: OrderKey,
        /// Which question.
        point: ClaimPoint,
        /// The answer.
        answer: ClaimAnswer,
    },
    /// Withdraw an order.
    Withdraw {
        /// In which rollout.
        rollout: RolloutId,
        /// From which host.
        host: HostId,
        /// Which order.
        key: OrderKey,
        /// Why, for people.
        reason: String,
    },
    /// Stop waiting for a host. Nothing is sent.
    GiveUp {
        /// In which rollout.
        rollout: RolloutId,
        /// Which host.
        host: HostId,
        /// Why.
        why: GivenUp,
    },
    /// Stop a rollout in this cell by its own brake. Nothing is sent.
    Brake {
        /// Which rollout.
        rollout: RolloutId,
        /// What was found.
        finding: String,
    },
    /// End a person's reservation whose time is over. Nothing is sent.
    EndReservation {
        /// Of which host.
        host: HostId,
        /// Its token.
        token: ReservationToken,
    },
    /// Tell the control plane what changed.
    Summarise(Summary),
    /// Forget a rollout that is over; its hosts may drop its staged bits.
    Release {
        /// Which rollout.
        rollout: RolloutId,
        /// The hosts that had a part in it.
        hosts: Vec<HostId>,
    },
}

impl CellCommand {
    /// What must be applied and stored before the command is carried out.
    pub fn event(&self) -> CellEvent {
        match self.clone() {
            Self::Stage { rollout, host, .. } => CellEvent::StageAsked { rollout, host },
            Self::Order(order) => CellEvent::Ordered { order },
            Self::Resend(order) => CellEvent::Resent {
                rollout: order.grant.rollout,
                host: order.host,
            },
            Self::AnswerClaim {
                rollout,
                host,
                point,
                answer,
                ..
            } => CellEvent::ClaimAnswered {
                rollout,
                host,
                point,
                answer,
            },
            Self::Withdraw { rollout, host, .. } => CellEvent::Withdrawn { rollout, host },
            Self::GiveUp { rollout, host, why } => CellEvent::GaveUp { rollout, host, why },
            Self::Brake { rollout, finding } => CellEvent::Braked { rollout, finding },
            Self::EndReservation { host, token } => CellEvent::Unreserved { host, token },
            Self::Summarise(summary) => CellEvent::Summarised {
                rollout: summary.rollout,
            },
            Self::Release { rollout, .. } => CellEvent::Released { rollout },
        }
    }
}

/// Why a cell refuses an event. Its state is as before.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CellError {
    /// The host is no member of the cell.
    #[error("host {0} is not in this cell")]
    NoMember(HostId),
    /// The cell does not know the rollout.
    #[error("rollout {0} is not assigned to this cell")]
    NoWork(RolloutId),
    /// The rollout has no job on the host.
    #[error("rollout {rollout} has no job on host {host}")]
    NoJob {
        /// The rollout.
        rollout: RolloutId,
        /// The host.
        host: HostId,
    },
    /// The job is not in the state that the event needs.
    #[error("rollout {rollout} on host {host}: {what} does not fit its state")]
    IllegalEvent {
        /// The rollout.
        rollout: RolloutId,
        /// The host.
        host: HostId,
        /// The event.
        what: &'static str,
    },
    /// The epoch is not above the present one.
    #[error("owner epoch {new} is not above {present}")]
    StaleEpoch {
        /// The epoch.
        new: OwnerEpoch,
        /// The present one.
        present: OwnerEpoch,
    },
    /// The order's number is not above all before it.
    #[error("order {key} to host {host} is not above all before it")]
    StaleOrder {
        /// The host.
        host: HostId,
        /// The order.
        key: OrderKey,
    },
    /// The host claims an order that is not out, or under another token: the answer is no.
    #[error("order {key} to host {host} is not good, or not under this token")]
    NoOrder {
        /// The host.
        host: HostId,
        /// The order.
        key: OrderKey,
    },
    /// The report is of a journal that the host no longer has.
    #[error("host {host} reports from another journal than its hello")]
    OtherIncarnation {
        /// The host.
        host: HostId,
    },
    /// A rollout of this name is assigned already, with other content.
    #[error("rollout {0} is assigned already, with other content")]
    OtherContent(RolloutId),
    /// The ledger refuses.
    #[error("the ledger refuses")]
    Ledger(#[from] LedgerError),
}

/// A failure that the owner found itself, in one place so that its wording is the same everywhere.
pub(super) fn timed_out(detail: impl Into<String>) -> Failure {
    Failure::new(crate::failure::FailureKind::TimedOut, detail)
}
