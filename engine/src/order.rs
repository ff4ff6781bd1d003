//! What a coordinator hands one agent, and what an agent asks of it before it acts.

use crate::{
    digest::Digest,
    id::{CellId, Generation, HostId, OrderKey, ReservationToken, RolloutId, WaveIndex},
    inventory::{PackageSet, Platform},
    patch::{ConffilePolicies, Content, KernelFallback, RebootPolicy, RestartPolicy},
    policy::Deadlines,
    report::Refusal,
    shared::Shared,
    stratum::Delta,
    traffic::TrafficWish,
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
    /// Whether an operator asked for this try of a host that was over: a denial of these bits on the
    /// host does not refuse it.
    #[serde(default)]
    pub asked_again: bool,
    /// What to install.
    pub content: Content,
    /// What that changes on the host, as the plan assumed. Absent: it may have anything installed; so it is of
    /// patches of no packages, on the way back, and in the record of an older agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delta: Option<Delta>,
    /// Whether the run may reboot.
    pub reboot: RebootPolicy,
    /// Whether the run restarts units that still run what it replaced. Absent in the record of an older
    /// agent: it does not.
    #[serde(default = "RestartPolicy::of_older")]
    pub restart: RestartPolicy,
    /// How the host comes back from a new kernel that does not boot. Absent in the record of an older
    /// agent: by itself it does not.
    #[serde(default = "KernelFallback::of_older")]
    pub kernel_fallback: KernelFallback,
    /// What becomes of changed config files of packages.
    #[serde(default, skip_serializing_if = "ConffilePolicies::is_empty")]
    pub conffiles: ConffilePolicies,
    /// Whether a patch without a proved way back is allowed.
    pub one_way: bool,
    /// How long each part may take. Durations, counted by the agent.
    pub deadlines: Shared<Deadlines>,
    /// All signals agree for this long before the host counts as healthy.
    pub stable_for: Duration,
    /// The application has this long for its first answer.
    pub first_answer: Duration,
    /// How traffic leaves the host and comes back, as far as the rollout says it. Absent in the record of
    /// an older agent: as the host says.
    #[serde(default, skip_serializing_if = "TrafficWish::is_silent")]
    pub traffic: TrafficWish,
}

impl Order {
    /// Why a host does not take it that has looked at what it has installed: it would change something else
    /// than the plan assumed (promise 9). Nothing: it is as the plan has it.
    pub fn refused_for_delta(
        &self,
        platform: &Platform,
        installed: &PackageSet,
    ) -> Option<Refusal> {
        let assumed = self.delta?;
        let found = assumed.found(&self.content, platform, installed)?;
        (found != assumed).then_some(Refusal::OtherDelta { assumed, found })
    }
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
