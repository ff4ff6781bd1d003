//! What a host's agent and its coordinator say to each other on the host's one stream, checked.
//!
//! The agent speaks first, with [`Hello`]; the coordinator answers with [`ToAgent::Welcome`]. From then on
//! either side sends when it has something to say, and a heartbeat when it has not. Every message
//! may be repeated: reports are known by their sequence, orders and what belongs to them by their
//! key.

use crate::artefact::SupplyRequest;
use cofferdam_engine::{
    digest::Digest,
    drift::DriftSummary,
    effect::EffectSummary,
    failure::Failure,
    guard::{GuardNews, GuardPosition},
    id::{HostId, Incarnation, OrderKey, OwnerEpoch, ReportSequence, ReservationToken, RolloutId},
    inventory::{Facts, Labels, PackageSet},
    order::{ClaimAnswer, ClaimPoint, Order},
    patch::{ConffilePolicies, Content, KernelFallback, LockedPackage},
    query::Answer,
    report::Report,
    reservation::ReservationLeft,
    run::RunState,
    statement::{Change, Signed},
    time::Timestamp,
    warrant::WarrantProof,
    wish::Wish,
};
use std::{num::NonZeroU32, time::Duration};

/// How often either side sends a sign of life, unless told otherwise: a lost peer is noticed after
/// three of them, well before a claim's 60 s (guess).
pub const HEARTBEAT: Duration = Duration::from_secs(10);

/// Either side closes a session on which it heard nothing for this many heartbeats: one may be
/// late, two may be lost (guess).
pub const MISSED_HEARTBEATS: u32 = 3;

/// What an agent tells its coordinator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FromAgent {
    /// Who it is and where it stands. Always the first message.
    Hello(Hello),
    /// The installed packages; only when [`ToAgent::Welcome`] or [`ToAgent::PackagesNoted`] asked for
    /// them.
    Packages(PackageSet),
    /// After a run in this session, the installed packages are others than it last said.
    PackagesChanged {
        /// The digest of the set that is installed now.
        packages: Digest,
    },
    /// A sign of life.
    Heartbeat,
    /// A line of its outbox, repeated in each session until it is acknowledged.
    Report(Report),
    /// Its question before it drains, and again before it applies: is the order still good?
    Claim {
        /// The order.
        key: OrderKey,
        /// The token that the order came with.
        token: ReservationToken,
        /// Which of the two questions it is.
        point: ClaimPoint,
    },
    /// The answer to [`ToAgent::Simulate`].
    Simulated {
        /// The request that it answers.
        request: u64,
        /// What would be installed, or why that cannot be said.
        result: Result<Vec<SimulatedPackage>, Failure>,
    },
    /// The answer to [`ToAgent::Query`].
    Queried {
        /// The request that it answers.
        request: u64,
        /// What the host is like, or why it cannot be said.
        result: Result<Answer, Failure>,
    },
    /// How its guard stands and what is new in its log; only where [`ToAgent::Welcome`] says what was
    /// heard, and not again before [`ToAgent::GuardNoted`] has come.
    GuardNews(Box<GuardNews>),
    /// What changed on the host without an order; only where [`ToAgent::Welcome`] says what was heard.
    Drift(Box<DriftSummary>),
    /// How far what is installed is in effect; only where [`Heard`] says that it is taken in.
    Effect(Box<EffectSummary>),
}

/// What a coordinator has stored of what a host tells beside its reports, and what it takes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Heard {
    /// How far its guard's log was taken in.
    pub guard: GuardPosition,
    /// The moment of its drift summary. Absent: none was taken in.
    pub drift: Option<Timestamp>,
    /// Whether it takes in how far what is installed is in effect.
    pub takes_effect: bool,
}

/// Who an agent is and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// Its host; the one that its certificate names.
    pub host: HostId,
    /// Its journal.
    pub incarnation: Incarnation,
    /// The kernel's boot id: another one means that the host rebooted.
    pub boot_id: String,
    /// The agent's version.
    pub version: String,
    /// The host's labels.
    pub labels: Labels,
    /// What the host found out about itself.
    pub facts: Facts,
    /// Whether the host is in service: its flag is up and its own checks do not fail.
    pub in_service: bool,
    /// What fails, where it is not. Empty: it is in service, or does not know.
    pub detail: String,
    /// Whether the agent takes [`ToAgent::Reserved`], as those of earlier releases do not.
    pub takes_reservations: bool,
    /// The run that is not over, and where it is. Absent: none.
    pub open: Option<(OrderKey, RunState)>,
    /// The newest order that the journal holds. Absent: none ever.
    pub newest: Option<OrderKey>,
}

/// One package that the package manager would install.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimulatedPackage {
    /// The version that is installed now. Absent: none is.
    pub installed: Option<String>,
    /// The exact bits that it would install.
    pub locked: LockedPackage,
    /// The packages of an upgrade that need it, by name. Empty where it is installed already, and
    /// where packages were wished for by name.
    pub needed_by: Vec<String>,
}

/// What a coordinator tells an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToAgent {
    /// The terms of the session. Always the first message.
    Welcome {
        /// The epoch of the owner.
        epoch: OwnerEpoch,
        /// How often both sides send a sign of life. Not zero.
        heartbeat: Duration,
        /// Whether the coordinator wants the package set that [`Hello`] named by its digest.
        want_packages: bool,
        /// What was heard of the host beside its reports. Absent: a coordinator of an earlier release,
        /// which takes nothing of the kind.
        heard: Option<Heard>,
    },
    /// The answer to [`FromAgent::GuardNews`].
    GuardNoted {
        /// All of the log up to here is stored.
        up_to: GuardPosition,
    },
    /// Which operator has the host, in place of what was said of that before. Absent: none has.
    Reserved {
        /// The reservation.
        reservation: Option<ReservationLeft>,
    },
    /// The answer to [`FromAgent::PackagesChanged`].
    PackagesNoted {
        /// Whether the coordinator wants the package set that was named by its digest.
        want_packages: bool,
    },
    /// All reports of the session's journal up to this one are stored.
    Acknowledge {
        /// The last stored report; 0 when none is.
        up_to: ReportSequence,
    },
    /// A sign of life.
    Heartbeat,
    /// Fetch and prove bits; answered by a `Staged` report. Beside it what an operator signed; absent:
    /// nobody signed it.
    Stage(Box<StageRequest>, Option<Signed>),
    /// Run this. Beside it what others than the coordinator signed of it.
    Order(Box<Order>, Papers),
    /// Stop this: before disruption it cancels, before apply it undoes, later it changes nothing.
    Withdraw {
        /// The order.
        key: OrderKey,
        /// Why, for people.
        reason: String,
    },
    /// The answer to [`FromAgent::Claim`].
    ClaimAnswer {
        /// The order.
        key: OrderKey,
        /// Which of the two questions is answered.
        point: ClaimPoint,
        /// The answer.
        answer: ClaimAnswer,
    },
    /// Say what the package manager would install.
    Simulate {
        /// A number that comes back in the answer.
        request: u64,
        /// For what.
        wish: Wish,
    },
    /// Say whether the host is as this text says. An agent of an earlier release does not answer.
    Query {
        /// A number that comes back in the answer.
        request: u64,
        /// A [`Question`](cofferdam_engine::query::Question), unread: a newer coordinator may know more
        /// conditions, and the answer says so.
        text: String,
        /// How long somebody waits for the answer.
        within: Duration,
    },
    /// Bring these packages to the artefact store, as far as it wants them. Not answered.
    Supply(Box<SupplyRequest>),
    /// The rollout is over on this host: its staged bits may go.
    Release {
        /// The rollout.
        rollout: RolloutId,
    },
}

/// What others than the coordinator signed of an order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Papers {
    /// What an operator signed of the rollout. Absent: nobody signed it.
    pub signed: Option<Signed>,
    /// What the control plane signed of the warrant. Absent: it signed none, or it does not name the host.
    pub warrant: Option<Box<WarrantProof>>,
}

/// Bits to fetch and to prove, ahead of any order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageRequest {
    /// The rollout that they are for.
    pub rollout: RolloutId,
    /// The digest of the lock file that they are of.
    pub lock_digest: Digest,
    /// The bits.
    pub content: Content,
    /// What becomes of changed config files of packages.
    pub conffiles: ConffilePolicies,
    /// How the host comes back from a new kernel that does not boot.
    pub kernel_fallback: KernelFallback,
    /// Whether a patch without a proved way back is allowed.
    pub one_way: bool,
    /// How much it fetches at most, in KiB a second; where the host says less, that counts. Absent: as the host
    /// says.
    pub rate_kib: Option<NonZeroU32>,
}

impl<'a> From<&'a StageRequest> for Change<'a> {
    fn from(request: &'a StageRequest) -> Self {
        Self {
            rollout: &request.rollout,
            lock: request.lock_digest,
            content: &request.content,
            conffiles: &request.conffiles,
            one_way: request.one_way,
            kernel_fallback: request.kernel_fallback,
            run: None,
        }
    }
}
