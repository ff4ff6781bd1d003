//! The reasons why something is not moving.

mod text;

use crate::{
    cord::Cord,
    failure::Failure,
    id::{CellId, HostId, OperatorId, RolloutId, WaveIndex},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why something is not moving: what, by which rule with which value, since when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[must_use]
pub struct Hold {
    /// What is held.
    pub subject: Subject,
    /// The rule and its value.
    pub reason: Reason,
    /// Since when.
    pub since: Timestamp,
}

/// What a hold holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum Subject {
    /// A whole rollout.
    Rollout {
        /// Which.
        rollout: RolloutId,
    },
    /// A wave of it.
    Wave {
        /// Of which rollout.
        rollout: RolloutId,
        /// Which.
        wave: WaveIndex,
    },
    /// Its part of a cell.
    Slice {
        /// Of which rollout.
        rollout: RolloutId,
        /// Of which cell.
        cell: CellId,
    },
    /// One host of it.
    Host {
        /// In which rollout.
        rollout: RolloutId,
        /// Which.
        host: HostId,
    },
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rollout { rollout } => write!(f, "rollout {rollout}"),
            Self::Wave { rollout, wave } => write!(f, "rollout {rollout} wave {wave}"),
            Self::Slice { rollout, cell } => write!(f, "rollout {rollout} cell {cell}"),
            Self::Host { rollout, host } => write!(f, "rollout {rollout} host {host}"),
        }
    }
}

/// The rule that holds something, with its value. Displays as one plain sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "kebab-case")]
pub enum Reason {
    /// An operator paused it.
    Paused {
        /// Who.
        by: String,
    },
    /// The cord is pulled.
    Cord {
        /// Which, by whom and why.
        cord: Cord,
    },
    /// The control plane stopped the rollout in the cell.
    Stopped {
        /// Why, as a sentence.
        reason: String,
    },
    /// The brake paused it.
    Braked {
        /// What it found.
        finding: String,
    },
    /// The wave bakes.
    Bake {
        /// Until when.
        until: Timestamp,
    },
    /// All waves are over; the rollout stands for hosts that come later.
    Standing {
        /// Hosts that are patched.
        passed: usize,
        /// Of how many.
        of: usize,
    },
    /// The wave waits for its slices.
    Slices {
        /// Hosts that are over.
        done: usize,
        /// Hosts of the wave.
        of: usize,
    },
    /// Too many hosts of the wave were left out or failed.
    LeftOut {
        /// How many.
        count: usize,
        /// How many may be.
        allowed: usize,
    },
    /// The cell waits for its turn.
    CellTurn {
        /// Until when. Absent: until another cell is over.
        until: Option<Timestamp>,
    },
    /// The zone before it in its region bakes.
    ZoneBake {
        /// Until when.
        until: Timestamp,
    },
    /// Nothing is heard of the cell.
    Silent {
        /// When it will be unknown.
        until: Timestamp,
    },
    /// Nothing has been heard of the cell for longer than `unknown_after`.
    Unknown {
        /// Whether it is a matter for whoever is on call: it has lasted for half an hour.
        pages: bool,
    },
    /// Too many hosts of the wave are in unknown cells.
    UnknownShare {
        /// How many.
        count: usize,
        /// How many may be.
        allowed: usize,
    },
    /// Hosts of the first wave go before the cell's: validators, then one box.
    CanaryTurn {
        /// The first of them that is not over.
        awaits: HostId,
    },
    /// The host is the patcher's own: it goes when all others are over, one at a time.
    PatcherTurn {
        /// The first of them that is not over.
        awaits: HostId,
    },
    /// The host waits for the outcome of another that shares an unproved stratum with it.
    Stratum {
        /// The stratum, as in `instance_type=r5.4xlarge`.
        stratum: String,
        /// The host whose outcome is awaited.
        awaits: HostId,
    },
    /// The stratum failed its second opinion; the rest goes on.
    Convicted {
        /// The stratum.
        stratum: String,
    },
    /// The host is the only one of a group, and somebody must approve that it is out.
    Approval {
        /// The group, as in `service=web zone=a in r1-a-1`.
        what: String,
        /// Who may.
        by: Vec<OperatorId>,
    },
    /// No warrant allows starts now.
    Warrant {
        /// When the last one ended. Absent: there was none yet.
        ended: Option<Timestamp>,
    },
    /// After a restart the owner hears from its hosts first.
    Settle {
        /// Until when at most.
        until: Timestamp,
    },
    /// The host is not connected.
    Unreachable,
    /// The host is not in service, and not by this rollout's doing.
    NotInService,
    /// The host's state changed a moment ago.
    Grace {
        /// Until when.
        until: Timestamp,
    },
    /// The host asked the owner of its cell whether its order is still good.
    Claim {
        /// Until when it waits.
        until: Timestamp,
    },
    /// The bits are not on the host yet.
    Staging {
        /// What failed when it was asked before. Absent: it is asked for the first time.
        after: Option<Failure>,
    },
    /// Staging failed and will be tried again.
    StagingFailed {
        /// What failed.
        failure: Failure,
        /// When it is tried again.
        until: Timestamp,
    },
    /// No more of the host's group may be out.
    Floor {
        /// The group, as in `service=web zone=a`.
        group: String,
        /// How many of it are out.
        out: usize,
        /// How many may be.
        allowance: usize,
    },
    /// Another zone of the host's service, in its region, has more out than it may.
    ZoneTrouble {
        /// The group in the other zone, as in `service=web zone=a`.
        group: String,
        /// How many of it are out.
        out: usize,
        /// How many may be.
        allowance: usize,
    },
    /// A service that the host's depends on, or that depends on it, has a host under an order.
    Dependency {
        /// The host's service.
        service: String,
        /// The other service.
        with: String,
        /// The host that is under an order.
        host: HostId,
    },
    /// A later rollout is taking a host back, and has yet to bring this one's patch back there, which is to
    /// go back too.
    Later {
        /// Which.
        later: RolloutId,
        /// A host that it takes back.
        host: HostId,
    },
    /// No more of the host's group may be out, which has members in several cells.
    Token {
        /// The group, as in `service=web region=r1`.
        group: String,
        /// How many of it are out, in all its cells.
        out: usize,
        /// How many may be, in all its cells.
        allowance: usize,
        /// The cells that hold tokens of it.
        with: Vec<CellId>,
    },
    /// Somebody else has the host.
    Held {
        /// Who.
        by: String,
        /// When that ends by itself. Absent: it takes an event.
        until: Option<Timestamp>,
    },
    /// The cell has as many hosts out as its pace allows.
    AtOnce {
        /// How many are out.
        out: usize,
        /// How many may be.
        limit: usize,
    },
    /// The cell has as many hosts out as its pace allows after failures.
    SlowDown {
        /// How many are out.
        out: usize,
        /// How many may be.
        limit: usize,
        /// How many may be where nothing failed.
        of: usize,
    },
    /// The last start in the cell was a moment ago.
    Spacing {
        /// Until when.
        until: Timestamp,
    },
    /// A freeze of the calendar binds the host.
    Freeze {
        /// Its name.
        name: String,
        /// When it ends.
        until: Timestamp,
    },
    /// Hosts are started in windows only, and none is open.
    Window {
        /// When the next one opens. Absent: none is in sight.
        until: Option<Timestamp>,
    },
    /// The host failed and is tried again later.
    Retry {
        /// When.
        until: Timestamp,
        /// What failed.
        failure: Failure,
    },
}

impl Reason {
    /// When time alone ends the hold. Nothing when it takes an event.
    pub fn until(&self) -> Option<Timestamp> {
        match self {
            Self::Bake { until }
            | Self::ZoneBake { until }
            | Self::Silent { until }
            | Self::Settle { until }
            | Self::Grace { until }
            | Self::StagingFailed { until, .. }
            | Self::Spacing { until }
            | Self::Freeze { until, .. }
            | Self::Claim { until }
            | Self::Retry { until, .. } => Some(*until),
            Self::CellTurn { until } | Self::Window { until } | Self::Held { until, .. } => *until,
            Self::Paused { .. }
            | Self::Cord { .. }
            | Self::Stopped { .. }
            | Self::Braked { .. }
            | Self::Standing { .. }
            | Self::Slices { .. }
            | Self::LeftOut { .. }
            | Self::Unknown { .. }
            | Self::UnknownShare { .. }
            | Self::CanaryTurn { .. }
            | Self::PatcherTurn { .. }
            | Self::Stratum { .. }
            | Self::Convicted { .. }
            | Self::Approval { .. }
            | Self::Warrant { .. }
            | Self::Unreachable
            | Self::NotInService
            | Self::Staging { .. }
            | Self::Floor { .. }
            | Self::ZoneTrouble { .. }
            | Self::Dependency { .. }
            | Self::Later { .. }
            | Self::Token { .. }
            | Self::AtOnce { .. }
            | Self::SlowDown { .. } => None,
        }
    }

    /// The rule's name, for metrics and machine-readable output.
    pub fn rule(&self) -> &'static str {
        match self {
            Self::Claim { .. } => "claim",
            Self::Paused { .. } => "paused",
            Self::Cord { .. } => "cord",
            Self::Stopped { .. } => "stopped",
            Self::Braked { .. } => "braked",
            Self::Bake { .. } => "bake",
            Self::Standing { .. } => "standing",
            Self::Slices { .. } => "slices",
            Self::LeftOut { .. } => "hosts-left-out",
            Self::CellTurn { .. } => "cell-turn",
            Self::ZoneBake { .. } => "zone-bake",
            Self::Silent { .. } => "silent",
            Self::Unknown { .. } => "unknown",
            Self::UnknownShare { .. } => "unknown-share",
            Self::CanaryTurn { .. } => "canary-turn",
            Self::PatcherTurn { .. } => "patcher-turn",
            Self::Stratum { .. } => "stratum",
            Self::Convicted { .. } => "convicted",
            Self::Approval { .. } => "approval",
            Self::Warrant { .. } => "warrant",
            Self::Settle { .. } => "settle",
            Self::Unreachable => "unreachable",
            Self::NotInService => "not-in-service",
            Self::Grace { .. } => "grace",
            Self::Staging { .. } => "staging",
            Self::StagingFailed { .. } => "staging-failed",
            Self::Floor { .. } => "floor",
            Self::ZoneTrouble { .. } => "zone-trouble",
            Self::Dependency { .. } => "dependency",
            Self::Later { .. } => "later",
            Self::Token { .. } => "token",
            Self::Held { .. } => "held",
            Self::AtOnce { .. } => "at-once-per-cell",
            Self::SlowDown { .. } => "slow-down",
            Self::Spacing { .. } => "start-spacing",
            Self::Window { .. } => "window",
            Self::Freeze { .. } => "freeze",
            Self::Retry { .. } => "retry",
        }
    }
}
