//! What a rehearsal came to.

use crate::{
    id::{CellId, HostId, RolloutId},
    time::{Timestamp, millis},
};
use serde::Serialize;

/// What a rehearsal came to. Times are counted from the start of the rollout, in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The rollout.
    pub rollout: RolloutId,
    /// What chance was drawn from.
    pub seed: u64,
    /// Hosts of the fleet.
    pub hosts: usize,
    /// Hosts that some wave takes.
    pub planned: usize,
    /// Where it stood at the end, as `status` names it.
    pub phase: String,
    /// Whether nothing moved it any more, although nobody had paused it.
    pub has_stalled: bool,
    /// How long it took, or until nothing moved any more.
    pub took_ms: u64,
    /// How long it took to take it back. Absent: nobody asked for that.
    pub went_back_ms: Option<u64>,
    /// How long it takes when coordination takes no time. Absent: not played.
    pub took_without_coordination_ms: Option<u64>,
    /// How long its limits alone take: nothing that keeps them is quicker.
    pub bound_ms: u64,
    /// Hosts that have the patch at the end.
    pub patched: usize,
    /// The hosts that some wave takes and that have not the patch. Not told: `left` says whom it is left to.
    #[serde(skip)]
    pub unpatched: Vec<HostId>,
    /// Hosts that a run harmed, or that fell: they went out of service otherwise than a rollout takes
    /// hosts out, or had to be rolled back.
    pub harmed: Vec<HostId>,
    /// Those of them that do not serve at the end.
    pub out_at_the_end: Vec<HostId>,
    /// The capacity groups, the fullest first: the one that came closest to its allowance, or past it.
    pub groups: Vec<GroupPeak>,
    /// The faults of the scenario.
    pub faults: Vec<FaultSeen>,
    /// How often the rollout paused, and why.
    pub pauses: Vec<Pause>,
    /// What held things, by rule, the longest first.
    pub holds: Vec<HeldBy>,
    /// What is left for a person at the end, by its cause, the largest first.
    pub left: Vec<Left>,
    /// How many times an operator acted.
    pub acts: usize,
    /// What operators were refused.
    pub refused: Vec<String>,
    /// Broken promises, each once. None is allowed.
    pub broken: Vec<String>,
    /// How closely promises were checked.
    pub checks: Checks,
    /// What an operator should know before the start, as the plan says it.
    pub warnings: Vec<String>,
    /// What in the file of faults did not come to what it says.
    pub notes: Vec<String>,
    /// The slices, in the order in which they began.
    pub slices: Vec<Slice>,
    /// How many hosts stood how, over time.
    pub points: Vec<Point>,
}

impl Report {
    /// How much of the time is coordination, in thousandths. Nothing: the rehearsal was not played
    /// without.
    pub fn coordination_permille(&self) -> Option<u64> {
        let without = self.took_without_coordination_ms?;
        let more = self.took_ms.saturating_sub(without);
        (self.took_ms > 0).then(|| more.saturating_mul(1000) / self.took_ms)
    }

    /// How much of the time can be coordination at the most, in thousandths: what it took beyond its bound. Nothing:
    /// it was not done.
    pub fn most_coordination_permille(&self) -> Option<u64> {
        let more = self.took_ms.saturating_sub(self.bound_ms);
        let is_told = self.phase == "done" && self.took_ms > 0;
        is_told.then(|| more.saturating_mul(1000) / self.took_ms)
    }

    /// How much longer it took than its limits alone take, in thousandths of that. Nothing: it was not
    /// done, or they take no time.
    pub fn overhead_permille(&self) -> Option<u64> {
        let more = self.took_ms.saturating_sub(self.bound_ms);
        let is_told = self.phase == "done" && self.bound_ms > 0;
        is_told.then(|| more.saturating_mul(1000) / self.bound_ms)
    }

    /// How many things are left for a person: causes, and not hosts. A pause that lasts and the hosts that wait
    /// for its end are one thing.
    pub fn hands(&self) -> usize {
        let lasts = usize::from(self.phase == "paused" && !self.left.is_empty());
        (self.left.len() + self.pauses.len()).saturating_sub(lasts)
    }
}

/// How closely the promises were checked. Floors and double patches are also counted on the hosts themselves,
/// always.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "each", rename_all = "kebab-case")]
pub enum Checks {
    /// All of them, at every step: what is held is counted at every step, too.
    #[serde(rename = "step")]
    EachStep,
    /// Each command for all that concerns its own host, and the whole fleet now and then: a hold that ends
    /// between two looks is not counted.
    #[serde(rename = "command")]
    EachCommand {
        /// How often it was looked at the whole fleet.
        looks: usize,
    },
}

/// The most that was out of a capacity group at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GroupPeak {
    /// What its members are alike in, as in `service=web zone=a`; with its region before it where its zone
    /// alone does not say that.
    pub group: String,
    /// How much of it stays in service, by the rollout's own floor, as in `90%`.
    pub min_in_service: String,
    /// Its members at the start.
    pub members: usize,
    /// How many of them may be out, those that an approval lets out among them.
    pub allowance: usize,
    /// How many members came later: the allowance is that of all of them then.
    pub came: usize,
    /// The most that were out at once when a run took one of them out.
    pub most_out: usize,
    /// When that was first so.
    pub at_ms: u64,
    /// How many were out over time, for whatever reason. Empty: nobody ever was, or others were fuller.
    pub course: Vec<GroupPoint>,
}

/// How many of a group were out from a moment on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct GroupPoint {
    /// The moment.
    pub at_ms: u64,
    /// How many.
    pub out: usize,
}

/// What became of a fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FaultSeen {
    /// Its name.
    pub name: String,
    /// How many hosts it was about.
    pub hosts: usize,
    /// When it first did something. Absent: it never did.
    pub struck_ms: Option<u64>,
    /// When the fleet first showed it. Absent: never.
    pub noticed_ms: Option<u64>,
    /// By what. Empty: not noticed.
    pub by: String,
}

/// A pause of the rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pause {
    /// When.
    pub at_ms: u64,
    /// In which wave.
    pub wave: String,
    /// Why.
    pub why: String,
}

/// What one rule held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HeldBy {
    /// The rule, as `explain` names it.
    pub rule: String,
    /// How many things it held at once, at most.
    pub most: usize,
    /// How long it held the same thing, at most.
    pub longest_ms: u64,
    /// That thing, with what was said of it.
    pub such_as: String,
}

/// Something that is left for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Left {
    /// Why, as it was said of the first of its hosts.
    pub cause: String,
    /// The stratum that they have in common, as in `instance_type=r5.4xlarge`. Absent: none stands out.
    pub stratum: Option<String>,
    /// All its hosts.
    pub hosts: Vec<HostId>,
}

/// A wave's part of a cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Slice {
    /// The cell.
    pub cell: CellId,
    /// The wave's name.
    pub wave: String,
    /// Its hosts.
    pub hosts: usize,
    /// When its first run began.
    pub began_ms: u64,
    /// When its last run so far ended. 0: none has.
    pub ended_ms: u64,
    /// Hosts that have the patch at the end.
    pub patched: usize,
    /// Hosts with a run under way at the end.
    pub open: usize,
    /// Hosts that failed at some time.
    pub failed: usize,
}

/// How many hosts stood how at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Point {
    /// The moment.
    pub at_ms: u64,
    /// Hosts with the patch.
    pub patched: usize,
    /// Hosts with a run under way.
    pub running: usize,
    /// Hosts whose run failed and that are back at what they had.
    pub failed: usize,
    /// Hosts that do not serve and are not worked on.
    pub lost: usize,
    /// Hosts out of service, for whatever reason.
    pub out: usize,
}

/// So long after a moment.
pub(super) fn since(start: Timestamp, at: Timestamp) -> u64 {
    millis(at.since(start))
}
