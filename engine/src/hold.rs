//! The reasons why something is not moving.

use crate::{
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
            Self::CellTurn { until } | Self::Window { until } => *until,
            Self::Paused { .. }
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
            | Self::Token { .. }
            | Self::Held { .. }
            | Self::AtOnce { .. }
            | Self::SlowDown { .. } => None,
        }
    }

    /// The rule's name, for metrics and machine-readable output.
    pub fn rule(&self) -> &'static str {
        match self {
            Self::Claim { .. } => "claim",
            Self::Paused { .. } => "paused",
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

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Paused { by } => write!(f, "paused by {by}"),
            Self::Stopped { reason } => f.write_str(reason),
            Self::Braked { finding } => write!(f, "the brake stopped it: {finding}"),
            Self::Bake { .. } => f.write_str("baking: gates watch the patched hosts"),
            Self::Standing { passed, of } => standing(f, *passed, *of),
            Self::Slices { done, of } => write!(f, "{done} of {of} hosts are over"),
            Self::LeftOut { count, allowed } => write!(
                f,
                "{count} hosts of the wave failed or were left out, {allowed} may be (hosts_left_out)"
            ),
            Self::CellTurn { .. } => f.write_str("waits for its turn among the wave's cells"),
            Self::ZoneBake { .. } => f.write_str("the zone before it bakes (zone_bake)"),
            Self::Silent { .. } => f.write_str("nothing is heard of the cell"),
            Self::Unknown { pages } => f.write_str(unknown(*pages)),
            Self::UnknownShare { count, allowed } => write!(
                f,
                "{count} hosts of the wave are in unknown cells, {allowed} may be (unknown_share)"
            ),
            Self::CanaryTurn { awaits } => f.write_str(&canary_turn(awaits)),
            Self::PatcherTurn { awaits } => f.write_str(&patcher_turn(awaits)),
            Self::Stratum { stratum, awaits } => f.write_str(&unproved(stratum, awaits)),
            Self::Convicted { stratum } => f.write_str(&convicted(stratum)),
            Self::Approval { what, by } => f.write_str(&unapproved(what, by)),
            Self::Warrant { ended } => f.write_str(warrant(ended.is_some())),
            Self::Settle { .. } => f.write_str("the coordinator just started and hears its hosts"),
            Self::Unreachable => f.write_str("the host is not connected"),
            Self::NotInService => f.write_str("the host is not in service, by itself"),
            Self::Grace { .. } => f.write_str("the host's state changed a moment ago (grace)"),
            Self::Claim { .. } => f.write_str("the host waits for the answer to its claim"),
            Self::Staging { after } => staging(f, after.as_ref()),
            Self::StagingFailed { failure, .. } => write!(f, "staging failed: {failure}"),
            Self::Floor { .. } | Self::Token { .. } => self.write_floor(f),
            Self::ZoneTrouble {
                group,
                out,
                allowance,
            } => f.write_str(&zone_trouble(group, *out, *allowance)),
            Self::Dependency {
                service,
                with,
                host,
            } => f.write_str(&beside(service, with, host)),
            Self::Held { by } => write!(f, "the host is held by {by}"),
            Self::AtOnce { out, limit } => write!(
                f,
                "{out} hosts of the cell are out, {limit} may be (at_once_per_cell)"
            ),
            Self::SlowDown { out, limit, of } => write!(
                f,
                "{out} hosts of the cell are out, {limit} instead of {of} may be after failures (slow_down)"
            ),
            Self::Spacing { .. } => f.write_str("the last start was a moment ago (start_spacing)"),
            Self::Freeze { name, .. } => write!(f, "a freeze is on: {name}"),
            Self::Window { until: Some(_) } => f.write_str("no window is open (window)"),
            Self::Window { until: None } => {
                f.write_str("no window is open, and none will be (window)")
            }
            Self::Retry { failure, .. } => write!(f, "tried again later after {failure}"),
        }
    }
}

fn warrant(has_ended: bool) -> &'static str {
    match has_ended {
        false => "no warrant for this cell yet",
        true => "the warrant ended; the control plane has not renewed it",
    }
}

fn staging(f: &mut fmt::Formatter<'_>, after: Option<&Failure>) -> fmt::Result {
    match after {
        None => f.write_str("the host is still staging its bits"),
        Some(failure) => write!(f, "the host is staging its bits again, after {failure}"),
    }
}

fn canary_turn(awaits: &HostId) -> String {
    format!("validators and then one box go first; awaits the outcome of {awaits}")
}

fn patcher_turn(awaits: &HostId) -> String {
    format!("the patcher's own hosts go last; awaits the outcome of {awaits}")
}

fn zone_trouble(group: &str, out: usize, allowance: usize) -> String {
    format!("another zone is in trouble: {out} of group {group} are out, {allowance} may be")
}

fn unproved(stratum: &str, awaits: &HostId) -> String {
    format!("no host of {stratum} has passed yet; awaits the outcome of {awaits}")
}

fn unknown(pages: bool) -> &'static str {
    match pages {
        false => "the cell is unknown: nothing has been heard of it for unknown_after",
        true => "the cell is unknown for half an hour or more: look at the link to its region",
    }
}

fn convicted(stratum: &str) -> String {
    format!("hosts of {stratum} failed, and so did the second opinion")
}

fn unapproved(group: &str, by: &[OperatorId]) -> String {
    let names: Vec<&str> = by.iter().map(OperatorId::as_str).collect();
    let names = names.join(" or ");
    format!("nothing stands in for the one host of {group}: {names} may approve it")
}

fn beside(service: &str, with: &str, host: &HostId) -> String {
    format!("one of {service} and {with} depends on the other, and {host} of {with} is at work")
}

fn standing(f: &mut fmt::Formatter<'_>, passed: usize, of: usize) -> fmt::Result {
    write!(
        f,
        "{passed} of {of} hosts are patched; it stands for those that come later, until it is aborted"
    )
}

impl Reason {
    /// Says which group has no room. Nothing of any other reason.
    fn write_floor(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Floor {
            group,
            out,
            allowance,
        } = self
        {
            write!(
                f,
                "floor: {out} of group {group} are out, {allowance} may be"
            )?;
        }
        if let Self::Token {
            group,
            out,
            allowance,
            with,
        } = self
        {
            write_token(f, group, *out, *allowance, with)?;
        }
        Ok(())
    }
}

fn write_token(
    f: &mut fmt::Formatter<'_>,
    group: &str,
    out: usize,
    allowance: usize,
    with: &[CellId],
) -> fmt::Result {
    write!(
        f,
        "floor: {out} of group {group} are out in all its cells, {allowance} may be"
    )?;
    let with: Vec<&str> = with.iter().map(CellId::as_str).collect();
    match with.is_empty() {
        true => Ok(()),
        false => write!(f, "; its tokens are with {}", with.join(", ")),
    }
}
