//! The plan: what a rollout will do to a fleet, as an immutable value.
//!
//! Made of a rollout file, its lock file and an inventory before anything moves, so that it can be
//! shown, compared and signed. The same inputs give the same plan.

mod amend;
mod approval;
mod blast;
mod changes;
mod choice;
mod class;
mod coverage;
mod denied;
mod error;
mod estimate;
mod floors;
mod follow;
mod host_order;
mod impact;
mod late;
mod make;
mod match_lock;
mod missed;
mod opening;
mod pace;
mod planned;
mod proof;
mod region;
mod selected;
mod strata;
#[cfg(test)]
mod tests;
mod unaffected;
mod upgrade;
mod warning;
mod wave;
mod when;

pub use amend::Amends;
pub use approval::NeededApproval;
pub use blast::{Blast, GroupBlast, WideGroup};
pub use changes::{PackageChange, PlatformChange, changes};
pub use error::{Cure, PlanError, PlanErrors};
pub use estimate::Estimate;
pub use host_order::HostOrder;
pub use impact::{Impact, ImpactKind};
pub use late::{LateHost, LateRules};
pub(crate) use make::digest_of;
pub use make::{PlanInput, rollout_digest};
pub use opening::{Chain, Opening, Turn};
pub use proof::{Uncovered, Waived};
pub use warning::Warning;

use crate::{
    by_name::ByHost,
    coverage::Coverage,
    digest::Digest,
    id::{CellId, HostId, OperatorId, RolloutId, WaveIndex, WaveName},
    policy::{BrakeRule, Profile, Severity, UNKNOWN_AFTER, UNKNOWN_SHARE, WARRANT},
    share::Share,
    statement::Signed,
    stratum::{Delta, Stratum},
    warrant::Assignment,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// What a rollout will do, wave by wave and cell by cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The rollout.
    pub rollout: RolloutId,
    /// The digest of the rollout file and its lock file.
    pub rollout_digest: Digest,
    /// How bad what the patch cures is.
    #[serde(default)]
    pub severity: Severity,
    /// How carefully it goes.
    #[serde(default)]
    pub profile: Profile,
    /// The waves in order. Not empty; a wave may be without hosts.
    pub waves: Vec<PlannedWave>,
    /// What makes strata, for hosts that come later as well.
    #[serde(default)]
    pub coverage: Coverage,
    /// Every stratum of the planned hosts, in order, each once.
    pub strata: Vec<Stratum>,
    /// Those of them that the first wave has no host of, by a waiver.
    #[serde(default)]
    pub waived: Vec<Waived>,
    /// Every planned host. Selected hosts that no wave takes are not here.
    pub hosts: ByHost<PlannedHost>,
    /// What each cell is told once: those of the planned hosts.
    pub assignments: BTreeMap<CellId, Assignment>,
    /// What an operator should know before the start.
    pub warnings: Vec<Warning>,
    /// How long it takes.
    pub estimate: Estimate,
    /// When the rollout pauses by itself.
    pub brake: BrakeRule,
    /// The share of a wave that may fail or be left out without holding the wave.
    pub hosts_left_out: Share,
    /// How long a warrant allows starts without being renewed. Longer than nothing. Absent: made before it
    /// could be said.
    #[serde(default = "warrant")]
    pub warrant: Duration,
    /// How long a cell is not heard of before it is unknown.
    #[serde(default = "unknown_after")]
    pub unknown_after: Duration,
    /// The hosts that are taken only when somebody approved it, and what for.
    #[serde(default)]
    pub approvals: BTreeMap<HostId, NeededApproval>,
    /// Who may end a bake early. Empty: nobody.
    #[serde(default)]
    pub approvers: BTreeSet<OperatorId>,
    /// How much of each capacity group it touches.
    pub blast: Blast,
    /// How hosts are taken that come after the start. Absent: made before there was such a rule, and
    /// none are.
    #[serde(default)]
    pub late: Option<LateRules>,
    /// What the rollout amends. Absent: nothing.
    #[serde(default)]
    pub amends: Option<Amends>,
    /// Who signed it, by the list of whoever started it. Absent: nobody, or nobody looked.
    #[serde(default)]
    pub signer: Option<String>,
    /// The rollout file, canonically. Empty in plans of releases that did not keep it.
    #[serde(default)]
    pub file: String,
}

/// Of plans that were made before they said so.
fn warrant() -> Duration {
    WARRANT
}

fn unknown_after() -> Duration {
    UNKNOWN_AFTER
}

fn unknown_share() -> Share {
    UNKNOWN_SHARE
}

/// A wave of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedWave {
    /// Its name.
    pub name: WaveName,
    /// The wait after it while gates watch.
    pub bake: Duration,
    /// The most of its cells that work at once. At least 1.
    pub cells_at_once: usize,
    /// The wait between a cell's end and the next cell's start.
    pub gap: Duration,
    /// The wait after a zone of a region before the region's next zone.
    #[serde(default)]
    pub zone_bake: Duration,
    /// The share of its hosts that may be left out because their cells are unknown; none may in the
    /// first wave.
    #[serde(default = "unknown_share")]
    pub unknown_share: Share,
    /// Its part of each cell: the hosts in the order in which they start, rarest strata first.
    pub slices: BTreeMap<CellId, Vec<HostId>>,
    /// The order in which its cells open. Holds every cell of `slices` once.
    pub opening: Opening,
    /// Its hosts that do not go with the others.
    #[serde(default)]
    pub order: HostOrder,
}

impl PlannedWave {
    /// Whether it takes no host: it passes at once, and does not bake.
    pub fn is_empty(&self) -> bool {
        self.slices.values().all(Vec::is_empty)
    }

    /// Takes in one more host of a cell.
    pub(super) fn add(&mut self, cell: &CellId, host: &HostId) {
        let slice = self.slices.entry(cell.clone()).or_default();
        slice.push(host.clone());
        self.opening.add(cell);
    }
}

/// A host of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedHost {
    /// Its cell.
    pub cell: CellId,
    /// The wave that takes it.
    pub wave: WaveIndex,
    /// Its strata, as places in [`Plan::strata`], rising.
    pub strata: Vec<u32>,
}

impl Plan {
    /// The strata of a planned host, in order. Nothing of a host that the plan does not hold.
    pub fn strata_of(&self, host: &HostId) -> impl Iterator<Item = &Stratum> {
        self.hosts
            .get(host)
            .into_iter()
            .flat_map(|planned| &planned.strata)
            .filter_map(|place| self.strata.get(usize::try_from(*place).ok()?))
    }

    /// What the patch is assumed to change on a planned host. Nothing: no packages, or nothing was assumed.
    pub fn delta_of(&self, host: &HostId) -> Option<Delta> {
        let planned = self.hosts.get(host)?;
        self.assignments.get(&planned.cell)?.delta_of(host)
    }

    /// One of its waves. Nothing: it has no such one.
    pub fn wave(&self, wave: WaveIndex) -> Option<&PlannedWave> {
        self.waves.get(usize::try_from(wave.0).ok()?)
    }

    /// The same, as an operator signed it; `signer` is who that was, where it is known.
    #[must_use]
    pub fn signed(mut self, signed: &Signed, signer: Option<String>) -> Self {
        for assignment in self.assignments.values_mut() {
            assignment.signed = Some(signed.clone());
        }
        self.signer = signer;
        self
    }

    /// Whether an operator signed it.
    pub fn is_signed(&self) -> bool {
        self.assignments.values().any(|cell| cell.signed.is_some())
    }

    /// Whether it takes hosts that are out of service, and no others.
    pub fn is_repair(&self) -> bool {
        self.assignments.values().any(|cell| cell.repair)
    }
}

/// The most names that a sentence lists.
const LISTED: usize = 5;

/// The most strata that a sentence lists, so that a waiver can be written for each of a few.
const LISTED_STRATA: usize = 20;

/// The first few of some names, and how many more there are.
pub(crate) fn list(items: &[impl std::fmt::Display]) -> String {
    list_up_to(LISTED, items)
}

fn list_strata(items: &[impl std::fmt::Display]) -> String {
    list_up_to(LISTED_STRATA, items)
}

fn list_up_to(most: usize, items: &[impl std::fmt::Display]) -> String {
    let mut text = items
        .iter()
        .take(most)
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ");
    if items.len() > most {
        text += &format!(" and {} more", items.len() - most);
    }
    text
}
