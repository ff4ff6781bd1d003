//! The rollout file: an operator's order, as a type that cannot be invalid.
//!
//! A [`Spec`] is read from TOML in three stages: the text becomes a fragment, in which each key is
//! checked alone and may be absent; the fragment is merged with the defaults of
//! [`policy`](crate::policy); the whole is checked where keys depend on each other. Every mistake
//! of every stage is reported at once.

use crate::{
    id::{RolloutId, WaveName},
    patch::{Patch, RebootPolicy},
    policy::{BrakeRule, Deadlines, FloorRule, Health, OnHostFailure, Pace, Retry},
    select::Selection,
    share::Share,
};
use std::time::Duration;

/// A rollout as its file orders it, with every default filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    name: RolloutId,
    patch: Patch,
    reboot: RebootPolicy,
    one_way: bool,
    selection: Selection,
    waves: Vec<Wave>,
    limits: Vec<Limit>,
    pace: Pace,
    deadlines: Deadlines,
    health: Health,
    retry: Retry,
    brake: BrakeRule,
    hosts_left_out: Share,
    on_host_failure: OnHostFailure,
}

/// A stage of a rollout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wave {
    /// Its name, unique within the rollout.
    pub name: WaveName,
    /// Up to where it goes.
    pub size: WaveSize,
    /// Which selected hosts it may take. Absent: all.
    pub selection: Option<Selection>,
    /// The wait after it while gates watch.
    pub bake: Duration,
    /// The most of its cells that work at once. At least 1.
    pub cells_at_once: usize,
    /// The wait between a cell's end and the next cell's start.
    pub gap: Duration,
}

/// Up to where a wave goes, said cumulatively: hosts that earlier waves took count.
///
/// A wave with a selection of its own counts only the hosts of that selection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaveSize {
    /// Up to this share of the selected hosts, rounded up.
    To(Share),
    /// Up to this many hosts. At least 1.
    Hosts(usize),
    /// All selected hosts of this many cells of each region. At least 1.
    CellsPerRegion(usize),
}

/// What limits a rollout on some hosts. The first one whose selection matches a host is its limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// Which hosts. Absent: all.
    pub selection: Option<Selection>,
    /// The most of their cell's hosts that the rollout has out at once. At least 1. Absent: as the
    /// rollout's pace says.
    pub at_once_per_cell: Option<usize>,
    /// Their floors, all of which hold; they replace the default. Empty: the default.
    pub floors: Vec<FloorRule>,
}

impl Spec {
    /// The rollout's name.
    pub fn name(&self) -> &RolloutId {
        &self.name
    }

    /// What it changes.
    pub fn patch(&self) -> &Patch {
        &self.patch
    }

    /// Whether runs may reboot.
    pub fn reboot(&self) -> RebootPolicy {
        self.reboot
    }

    /// Whether a patch without a proved way back is allowed.
    pub fn is_one_way(&self) -> bool {
        self.one_way
    }

    /// Which hosts it is for.
    pub fn selection(&self) -> &Selection {
        &self.selection
    }

    /// Its waves in order. Not empty.
    pub fn waves(&self) -> &[Wave] {
        &self.waves
    }

    /// Its limits in order. Empty: only the defaults limit it.
    pub fn limits(&self) -> &[Limit] {
        &self.limits
    }

    /// How fast hosts and cells are started, where wave and limit say nothing else.
    pub fn pace(&self) -> &Pace {
        &self.pace
    }

    /// How long each part of a run may take.
    pub fn deadlines(&self) -> &Deadlines {
        &self.deadlines
    }

    /// When a host counts as healthy.
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// Whether and when a host is tried again.
    pub fn retry(&self) -> &Retry {
        &self.retry
    }

    /// When it pauses by itself.
    pub fn brake(&self) -> &BrakeRule {
        &self.brake
    }

    /// The share of a wave's hosts that may be left out without holding the wave; at least one host
    /// always may.
    pub fn hosts_left_out(&self) -> Share {
        self.hosts_left_out
    }

    /// What happens by itself when a host's patch fails.
    pub fn on_host_failure(&self) -> OnHostFailure {
        self.on_host_failure
    }
}
