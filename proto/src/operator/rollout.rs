//! How a rollout stands.

use super::Alarm;
use cofferdam_engine::{
    failure::FailureKind,
    id::{HostId, OperatorId, RolloutId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How a rollout stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RolloutState {
    /// Known, not started.
    Planned,
    /// Goes on.
    Running,
    /// Stopped, by an operator or the brake; may go on.
    Paused,
    /// Over: every wave passed.
    Done,
    /// Given up by an operator; the runs that began come to their end.
    Aborting,
    /// Over: ended by an operator.
    Aborted,
    /// Takes its patched hosts back to what they had.
    RollingBack,
    /// Over: its hosts are back at what they had.
    RolledBack,
}

impl RolloutState {
    /// Whether nothing moves in it any more.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Aborted | Self::RolledBack)
    }
}

impl fmt::Display for RolloutState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Planned => "planned",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Done => "done",
            Self::Aborting => "aborting",
            Self::Aborted => "aborted",
            Self::RollingBack => "rolling-back",
            Self::RolledBack => "rolled-back",
        })
    }
}

/// How a wave stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WaveState {
    /// Not begun.
    Pending,
    /// Takes its hosts.
    Running,
    /// Its hosts are over; gates watch.
    Baking,
    /// Over.
    Passed,
    /// Over: the rollout was given up in it.
    Stopped,
    /// Its hosts are being taken back to what they had.
    RollingBack,
    /// Over: its hosts are back at what they had.
    RolledBack,
}

impl fmt::Display for WaveState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Baking => "baking",
            Self::Passed => "passed",
            Self::Stopped => "stopped",
            Self::RollingBack => "rolling-back",
            Self::RolledBack => "rolled-back",
        })
    }
}

/// One rollout in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RolloutLine {
    /// Its name.
    pub name: RolloutId,
    /// How it stands.
    pub state: RolloutState,
    /// Why. Empty: nothing to say.
    pub reason: String,
    /// The name of the wave that it is in. Absent: it is in none.
    pub wave: Option<String>,
    /// How many hosts are selected.
    pub hosts: u64,
    /// How many of them passed.
    pub passed: u64,
    /// How many of them failed or timed out.
    pub failed: u64,
    /// When it started. Absent: it has not.
    pub started_at_ms: Option<Timestamp>,
    /// When it was over. Absent: it is not.
    pub ended_at_ms: Option<Timestamp>,
    /// The rollout that it amends. Absent: none.
    pub amends: Option<RolloutId>,
    /// The rollouts that amend it, in order.
    pub amended_by: Vec<RolloutId>,
}

/// One rollout, whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolloutView {
    /// Its name.
    pub name: RolloutId,
    /// How it stands.
    pub state: RolloutState,
    /// Why. Empty: nothing to say.
    pub reason: String,
    /// Its waves, in order.
    pub waves: Vec<WaveView>,
    /// What failed, alike failures together.
    pub failures: Vec<FailureCluster>,
    /// What does not move, and why.
    pub holds: Vec<HoldView>,
    /// How many hosts are selected.
    pub hosts: u64,
    /// Hosts that take longer than others.
    pub slow_hosts: Vec<HostId>,
    /// What an operator should know, one line each.
    pub warnings: Vec<String>,
    /// When it started. Absent: it has not.
    pub started_at_ms: Option<Timestamp>,
    /// When it was over. Absent: it is not.
    pub ended_at_ms: Option<Timestamp>,
    /// The rollout that it amends. Absent: none.
    pub amends: Option<RolloutId>,
    /// The rollouts that amend it, in order.
    pub amended_by: Vec<RolloutId>,
    /// Who approved it, oldest first.
    pub approvals: Vec<ApprovalView>,
    /// The bakes that approvers ended early, oldest first.
    pub promotions: Vec<PromotionView>,
    /// The last that the guards of its hosts saw since it started, oldest first.
    pub alarms: Vec<Alarm>,
    /// Who signed it. Absent: nobody, or the coordinator does not look.
    pub signed_by: Option<String>,
    /// How far the patch is in effect on the hosts that passed. Absent: none passed.
    pub effective: Option<EffectiveView>,
    /// How many hosts had other packages than the plan assumed before they were started: each is tried as what
    /// it was found to be. 0 also where the coordinator does not say.
    #[serde(default)]
    pub changed_hosts: u64,
}

/// The most units that are named of those that need a restart (guess: the ones that matter are few).
pub const EFFECTIVE_UNITS: usize = 10;

/// How many hosts have a patch in effect, as they told last. Each is counted once.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EffectiveView {
    /// All that runs there is what is installed.
    pub yes: u64,
    /// Processes run what was replaced.
    pub needs_restart: u64,
    /// Only a reboot helps.
    pub needs_reboot: u64,
    /// They told nothing.
    pub unknown: u64,
    /// The units of those that need a restart, the most hosts first: at most [`EFFECTIVE_UNITS`].
    pub units: Vec<StaleUnit>,
}

/// A unit whose processes run what was replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaleUnit {
    /// Its name.
    pub unit: String,
    /// On how many hosts.
    pub hosts: u64,
}

impl fmt::Display for EffectiveView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units: Vec<String> = self
            .units
            .iter()
            .map(|StaleUnit { unit, hosts }| format!("{unit} {hosts}"))
            .collect();
        write!(f, "{} yes", self.yes)?;
        if self.needs_restart > 0 {
            write!(
                f,
                ", {} needs-restart [{}]",
                self.needs_restart,
                units.join(", ")
            )?;
        }
        for (count, what) in [
            (self.needs_reboot, "needs-reboot"),
            (self.unknown, "not known"),
        ] {
            if count > 0 {
                write!(f, ", {count} {what}")?;
            }
        }
        Ok(())
    }
}

/// Somebody's yes to all that they may approve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalView {
    /// Who.
    pub by: OperatorId,
    /// Why. Empty: not said.
    pub reason: String,
    /// When.
    pub at_ms: Timestamp,
}

impl ApprovalView {
    /// It in one sentence, which tells the moment as `when` says it.
    pub fn told(&self, when: &str) -> String {
        because(format!("approved by {} {when}", self.by), &self.reason)
    }
}

/// A bake that an approver ended early.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromotionView {
    /// The wave.
    pub wave: String,
    /// Who ended it.
    pub by: OperatorId,
    /// Why. Empty: not said.
    pub reason: String,
    /// When.
    pub at_ms: Timestamp,
}

impl PromotionView {
    /// It in one sentence, which tells the moment as `when` says it.
    pub fn told(&self, when: &str) -> String {
        let Self { wave, by, .. } = self;
        let ended = format!("the bake of wave {wave} was ended early by {by} {when}");
        because(ended, &self.reason)
    }
}

fn because(done: String, reason: &str) -> String {
    match reason {
        "" => done,
        reason => format!("{done}: {reason}"),
    }
}

/// One wave of a rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaveView {
    /// Its name in the rollout file.
    pub name: String,
    /// How it stands.
    pub state: WaveState,
    /// How many hosts it adds; the counts below are of these.
    pub hosts: u64,
    /// Ordered, and not over.
    pub running: u64,
    /// Patched, healthy, in service.
    pub passed: u64,
    /// Failed after the point of disruption, but for those that timed out.
    pub failed: u64,
    /// Past a deadline after the point of disruption.
    pub timed_out: u64,
    /// Not reached before the point of disruption.
    pub unreachable: u64,
    /// Left out for another reason: not staged, refused, not to be taken, deleted.
    pub left_out: u64,
    /// Set aside by an operator before they passed.
    pub skipped: u64,
    /// Back at what they had, by an operator's rollback.
    pub rolled_back: u64,
    /// Until when it bakes. Absent: it does not.
    pub bake_until_ms: Option<Timestamp>,
}

/// Hosts that failed alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureCluster {
    /// What sort of failure it is.
    pub kind: FailureKind,
    /// What failed.
    pub detail: String,
    /// On which hosts.
    pub hosts: Vec<HostId>,
}

/// Why something is not moving.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldView {
    /// What is held.
    pub subject: String,
    /// Why, in one sentence.
    pub reason: String,
    /// The name of the rule, as in `floor`.
    pub rule: String,
    /// Since when.
    pub since_ms: Timestamp,
    /// How many hosts it holds. 0: it holds no host by itself.
    pub hosts: u64,
    /// When time alone ends it. Absent: it takes an event.
    pub until_ms: Option<Timestamp>,
}
