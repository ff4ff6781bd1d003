//! What the `cofferdam` command and a coordinator say to each other, checked.
//!
//! The coordinator makes the replies, the command shows them. Their serialised form is what
//! `-o json` prints: field names and values there are an interface, and `_ms` in a name is
//! milliseconds, of a moment since the Unix epoch.

mod amend;
mod calendar;
mod cord;
mod denial;
mod evidence;
mod except;
mod guard;
mod host;
mod plan;
mod query;
mod reserve;
mod rollback;
mod rollout;
mod services;

pub use amend::{AmendReply, AmendRequest};
pub use calendar::{CalendarRequest, CalendarView, FreezeView};
pub use cord::{CordRequest, CordView, PulledCord, UntoldRegion};
pub use denial::{DenialView, DenyRequest, LiftDenialRequest, LiftView};
pub use evidence::{RolloutEvidence, StratumEvidence};
pub use except::{ExceptRequest, Whom};
pub use guard::{Alarm, GuardView, GuardWindowView};
pub use host::{Explanation, Fact, HostView, OutView, RunView, SubjectKind};
pub use plan::{
    Coverage, GroupView, ImpactView, NeededApproval, PackageChangeView, PlanView, PlannedRegion,
    PlannedSlice, PlannedStep, PlannedWave, PlatformChangeView, StratumView, WaivedView,
};
pub use query::{FailedHost, MatchedHost, QueryAnswer, QueryRequest, QuerySummary};
pub use reserve::{ReleaseHostsRequest, ReserveReply, ReserveRequest};
pub use rollback::{NotTakenBack, RollbackPreview};
pub use rollout::{
    ApprovalView, EFFECTIVE_UNITS, EffectiveView, FailureCluster, HoldView, PromotionView,
    RolloutLine, RolloutState, RolloutView, StaleUnit, WaveState, WaveView,
};
pub use services::{ServiceView, ServicesView, SetServicesRequest, UndeclaredService};

use cofferdam_engine::{
    advisory::Advisory,
    denial::Scope,
    digest::Digest,
    id::{HostId, OwnerEpoch, RolloutId},
    lint::Finding,
    statement::Signed,
    time::Timestamp,
};
use serde::Serialize;
use std::fmt;

/// Resolve a rollout file to its lock file and plan; starts nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanRequest {
    /// The name of the rollout file, for messages.
    pub file_name: String,
    /// The rollout file.
    pub spec_text: String,
    /// The lock file. Absent: there is none yet, resolve one.
    pub lock_text: Option<String>,
    /// The advisory that the rollout file names. Absent: it names none, or there is a lock file.
    pub advisory: Option<Advisory>,
}

/// The answer to [`PlanRequest`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlanReply {
    /// The lock file.
    pub lock_text: String,
    /// What the rollout would do.
    pub plan: PlanView,
    /// What may be wrong with it, in order of the file.
    pub findings: Vec<Finding>,
}

/// What is wrong with a rollout file, or may be, in order of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Findings(pub Vec<Finding>);

/// Start a rollout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartRequest {
    /// The name of the rollout file, for messages.
    pub file_name: String,
    /// The rollout file.
    pub spec_text: String,
    /// The lock file that its plan came with.
    pub lock_text: String,
    /// What an operator signed of it. Absent: nobody signed it.
    pub signed: Option<Signed>,
}

/// Show one rollout, once or until it is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RolloutRequest {
    /// Which.
    pub rollout: RolloutId,
}

/// Say why something does not move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplainRequest {
    /// A rollout, a cell or a host, by its name.
    pub subject: String,
}

/// Change how a rollout goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeRequest {
    /// Which.
    pub rollout: RolloutId,
    /// What to do with it.
    pub action: Action,
    /// Why, for people. Empty: not said.
    pub reason: String,
    /// Of a rollback: how far the denial reaches that it leaves.
    pub reach: Scope,
}

/// What an operator does with a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Start nothing more, until resumed.
    Pause,
    /// Go on.
    Resume,
    /// End it; patched hosts stay patched.
    Abort,
    /// End it, and take patched hosts back to what they had.
    Rollback,
    /// End the present bake early, as one of the rollout's approvers.
    Promote,
    /// Approve all that the operator may approve.
    Approve,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Abort => "abort",
            Self::Rollback => "rollback",
            Self::Promote => "promote",
            Self::Approve => "approve",
        })
    }
}

/// Delete a host from the inventory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForgetHostRequest {
    /// Which.
    pub host: HostId,
    /// Whether a rollback that still wants the host is to do without it.
    pub force: bool,
}

/// What the artefact store holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ArtefactView {
    /// The digest of its bytes.
    pub digest: Digest,
    /// How many bytes they are.
    pub size: u64,
    /// When it was stored last.
    pub stored_at_ms: Timestamp,
    /// Which package it is, with version and platform. Absent: another file.
    pub package: Option<String>,
    /// Whether a rollout needs it, or may when it is taken back.
    pub needed: bool,
}

/// An artefact is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ArtefactStored {
    /// The digest of its bytes.
    pub digest: Digest,
    /// How many bytes they are.
    pub size: u64,
}

/// What a coordinator is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Description {
    /// Its version.
    pub version: String,
    /// The epoch of its ownership.
    pub epoch: OwnerEpoch,
    /// The trust domain of its certificates, as in `example.org`.
    pub trust_domain: String,
    /// Which store it has, and where.
    pub store: String,
    /// When it started.
    pub started_at_ms: Timestamp,
    /// How many agents have a session.
    pub connected: u64,
    /// How many hosts it knows.
    pub hosts: u64,
    /// How many cells they are in.
    pub cells: u64,
    /// How many rollouts its store holds.
    pub rollouts: u64,
}
