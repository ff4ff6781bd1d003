//! The plan: what a rollout will do to a fleet, as an immutable value.
//!
//! Made of a rollout file, its lock file and an inventory before anything moves, so that it can be
//! shown, compared and signed. The same inputs give the same plan.

mod blast;
mod estimate;

pub use blast::{Blast, GroupBlast};
pub use estimate::Estimate;

use crate::{
    digest::Digest,
    id::{CellId, HostId, RolloutId, WaveIndex, WaveName},
    policy::BrakeRule,
    share::Share,
    stratum::Stratum,
    warrant::Assignment,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

/// What a rollout will do, wave by wave and cell by cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The rollout.
    pub rollout: RolloutId,
    /// The digest of the rollout file and its lock file.
    pub rollout_digest: Digest,
    /// The waves in order. Not empty; a wave may be without hosts.
    pub waves: Vec<PlannedWave>,
    /// Every stratum of the planned hosts, in order, each once.
    pub strata: Vec<Stratum>,
    /// Every planned host. Selected hosts that no wave takes are not here.
    pub hosts: BTreeMap<HostId, PlannedHost>,
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
    /// How much of each capacity group it touches.
    pub blast: Blast,
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
    /// Its part of each cell: the hosts in the order in which they start, rarest strata first.
    pub slices: BTreeMap<CellId, Vec<HostId>>,
    /// The order in which its cells open: a group's cells open side by side, the next group when
    /// the one before is over. Holds every cell of `slices` once.
    pub opening: Vec<Vec<CellId>>,
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
}

/// What an operator should know before the start. Displays as one plain sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "warning", rename_all = "kebab-case")]
pub enum Warning {
    /// Bakes pass by time alone.
    #[error("no gate watches the patched hosts: a bake passes when its time is over")]
    NoGate,
    /// The first wave takes more hosts than its size says, to have one of every stratum.
    #[error(
        "wave {wave} takes {takes} hosts, its size says {sized}: at least one host of every stratum and region is in the first wave"
    )]
    CanaryGrew {
        /// The first wave.
        wave: WaveName,
        /// How many hosts it takes.
        takes: usize,
        /// How many its size says.
        sized: usize,
    },
    /// The first wave's own selection leaves out strata of later waves.
    #[error(
        "wave {wave} has no host of {}: its match leaves them out, so later waves hold such hosts until one has passed",
        list(strata)
    )]
    NotCovered {
        /// The first wave.
        wave: WaveName,
        /// The strata that none of its hosts is of.
        strata: Vec<Stratum>,
    },
    /// A wave takes no host.
    #[error("wave {wave} comes out empty: earlier waves already took the hosts up to its size")]
    EmptyWave {
        /// The wave.
        wave: WaveName,
    },
    /// Selected hosts that no wave takes.
    #[error("{hosts} of {of} selected hosts are in no wave and stay unpatched")]
    NotAll {
        /// How many.
        hosts: usize,
        /// Of how many.
        of: usize,
    },
}

/// The most names that a sentence lists.
const LISTED: usize = 5;

fn list(items: &[impl std::fmt::Display]) -> String {
    let mut text = items
        .iter()
        .take(LISTED)
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ");
    if items.len() > LISTED {
        text += &format!(" and {} more", items.len() - LISTED);
    }
    text
}
