//! What a rollout would do.

use cofferdam_engine::{
    digest::Digest,
    id::{CellId, HostId, OperatorId, RolloutId, ServiceName},
    plan::ImpactKind,
};
use serde::Serialize;

/// What a rollout would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlanView {
    /// The rollout.
    pub rollout: RolloutId,
    /// The digest of the rollout file and its lock file.
    pub digest: Digest,
    /// The digest of the lock file.
    pub lock_digest: Digest,
    /// How bad what the patch cures is, as in `critical`.
    pub severity: String,
    /// How carefully it goes, as in `emergency`.
    pub profile: String,
    /// Its waves, in order.
    pub waves: Vec<PlannedWave>,
    /// What an operator should know before the start, one line each.
    pub warnings: Vec<String>,
    /// How long it takes if nothing goes wrong.
    pub estimate_ms: u64,
    /// What the canary proves and what the floors allow.
    pub coverage: Coverage,
    /// The declared services that may feel it: the patched ones, then their dependants, then theirs.
    pub impacts: Vec<ImpactView>,
    /// The hosts that are taken only when somebody approved it, in order of their names.
    pub approvals: Vec<NeededApproval>,
    /// What becomes of packages, platform by platform. Empty for patches of other kinds.
    pub changes: Vec<PlatformChangeView>,
}

/// What becomes of the packages of one platform's planned hosts, and of those that need nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlatformChangeView {
    /// As in `debian-12/amd64`.
    pub platform: String,
    /// The advisory that asks for it. Absent: none does.
    pub advisory: Option<String>,
    /// How many of them are of the platform.
    pub hosts: u64,
    /// How many of them need none of it and are left alone.
    pub unaffected: u64,
    /// Each locked package.
    pub packages: Vec<PackageChangeView>,
}

/// What becomes of one package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PackageChangeView {
    /// Its name.
    pub name: String,
    /// The versions that it replaces, as far as they are known.
    pub from: Vec<String>,
    /// The version that it gets.
    pub to: String,
    /// On how many hosts it replaces one of those.
    pub replaced: u64,
    /// On how many hosts it is new.
    pub added: u64,
}

/// An approval without which a host is not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NeededApproval {
    /// The host.
    pub host: HostId,
    /// The group of which it is the only one.
    pub group: String,
    /// The operators of whom one must approve it.
    pub by: Vec<OperatorId>,
}

/// A service that may feel a rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImpactView {
    /// Its name.
    pub service: ServiceName,
    /// How it is reached.
    pub kind: ImpactKind,
    /// How much it matters: 1 is the most important.
    pub tier: u32,
    /// Who answers for it.
    pub owners: Vec<OperatorId>,
    /// How many of its hosts the rollout takes.
    pub hosts: u64,
}

/// One wave of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedWave {
    /// Its name in the rollout file.
    pub name: String,
    /// The wait after it while gates watch.
    pub bake_ms: u64,
    /// How many hosts it adds.
    pub hosts: u64,
    /// Its part of each cell.
    pub slices: Vec<PlannedSlice>,
    /// What it takes: each step begins when the one before is over.
    pub steps: Vec<PlannedStep>,
    /// The most cells that are at work at once. At least 1.
    pub cells_at_once: u64,
    /// The wait between a cell's end and the next cell's start.
    pub gap_ms: u64,
    /// The wait after a zone of a region before the region's next zone.
    pub zone_bake_ms: u64,
}

/// What a wave takes at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlannedStep {
    /// Hosts that go before or after the others. Not empty.
    Hosts(Vec<HostId>),
    /// The others: regions side by side. A wave without an order has all its cells in one.
    Regions(Vec<PlannedRegion>),
}

/// The zones of a region, one after the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedRegion {
    /// The cells of each zone, side by side.
    pub zones: Vec<Vec<CellId>>,
}

/// A wave's part of one cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedSlice {
    /// The cell.
    pub cell: CellId,
    /// How many of its hosts.
    pub hosts: u64,
}

/// What the canary proves and what the floors allow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// The strata of the selection.
    pub strata: Vec<StratumView>,
    /// The capacity groups of the selection.
    pub groups: Vec<GroupView>,
    /// The strata that the first wave has no host of, by a waiver.
    pub waived: Vec<WaivedView>,
}

/// One stratum that an operator waived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WaivedView {
    /// As in `instance_type=r5.4xlarge`.
    pub stratum: String,
    /// How many hosts of the plan are of it.
    pub hosts: u64,
    /// Why.
    pub reason: String,
    /// The waiver's last day, as in `2026-12-31`.
    pub expires: String,
}

/// One stratum of a selection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StratumView {
    /// As in `instance_type=r5.4xlarge`.
    pub stratum: String,
    /// How many planned hosts are of it.
    pub hosts: u64,
    /// How many of those are in the first wave.
    pub in_canary: u64,
}

/// One capacity group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GroupView {
    /// As in `service=web zone=r1/a`, or `service=web region=r1` of one with hosts in several cells.
    pub group: String,
    /// How many hosts it has.
    pub members: u64,
    /// How many of them may be out at once.
    pub may_be_out: u64,
    /// How much more each of the rest carries while so many are out, in thousandths. Absent: nobody
    /// is left.
    pub more_load_permille: Option<u64>,
}
