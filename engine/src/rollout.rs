//! The control plane's machine: one rollout, from its start to its end.
//!
//! Inputs are [`RolloutEvent`]s: what operators asked, what cells summarised, and the rollout's own
//! recorded decisions. [`Rollout::decide`] returns commands, holds and the next wake-up. The shell
//! records each command's event before it carries the command out.
//!
//! ```text
//!              pause, brake
//!   Running <---------------> Paused          each wave: grants -> all over -> bake -> next
//!      |  \      resume       /  |
//!      |   +---- abort ------+---+--> Aborting ----> Ended(aborted)
//!      |   +--- rollback ----+------> RollingBack -> Ended(rolled back); paused, it goes on so
//!      +--> Ended(done) -- rollback --^               |
//!                                     +-- rollback ----+ what it had left to a later rollout
//! ```

mod amend;
mod apply;
mod approve;
mod brake;
mod changed;
mod cord;
mod decide;
mod end;
mod event;
mod except;
mod grant;
mod host_turn;
mod late;
mod missed;
mod open;
mod outcomes;
mod own_turn;
mod progress;
mod promote;
mod rollback;
mod silence;
mod steady;
mod suspect;
mod tell;
mod turn;
mod unproved;
mod velocity;
mod wave;

pub use approve::Approval;
pub use decide::RolloutDecision;
pub use event::{Action, RolloutCommand, RolloutError, RolloutEvent};
pub use except::NotExcepted;
pub use own_turn::{OwnTurn, WhyOwnTurn};
pub use progress::{CellProgress, Wish};
pub use promote::Promotion;
pub(crate) use steady::Glance;

use self::{open::Open, outcomes::Outcomes, velocity::Velocity};
use crate::{
    by_name::ByHost,
    exception::Exception,
    failure::Failure,
    id::{CellId, HostId, OperatorId, RolloutId, WaveIndex},
    kept::Kept,
    plan::Plan,
    time::Timestamp,
    warrant::Outcome,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// One rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollout {
    plan: Plan,
    by: OperatorId,
    started_at: Timestamp,
    phase: Phase,
    phase_since: Timestamp,
    wave: WaveIndex,
    wave_since: Timestamp,
    bake_since: Option<Timestamp>,
    cells: BTreeMap<CellId, CellProgress>,
    outcomes: Outcomes,
    /// The hosts of the present wave that are not over.
    #[serde(skip)]
    open: Kept<Open>,
    /// Strata, by their place in the plan, that a host has passed with this lock file.
    proved: BTreeSet<u32>,
    /// What went wrong on failed hosts that were deleted from the inventory since: their failures
    /// still count.
    gone: BTreeMap<HostId, Failure>,
    /// Strata that two hosts have failed and none has passed.
    convicted: BTreeSet<u32>,
    /// Hosts that were over, or held for good, when an operator last went on.
    judged: BTreeSet<HostId>,
    /// Hosts that have or had their turn in a wave by themselves.
    #[serde(default)]
    own_turns: BTreeMap<HostId, OwnTurn>,
    /// Hosts of the present wave that an earlier one went on without.
    #[serde(default)]
    missed: BTreeSet<HostId>,
    /// What cells' own brakes found and nobody has judged yet.
    cell_findings: BTreeMap<CellId, String>,
    /// The last operator's word that changed where it stands. Absent: there was none.
    asked: Option<Asked>,
    /// Whether it takes back what it changed, paused or not.
    #[serde(default)]
    goes_back: bool,
    /// Hosts that a cell was given leave to take back.
    #[serde(default)]
    sent_back: BTreeSet<HostId>,
    /// Hosts that a later rollout changed in the same way: they are not taken back.
    #[serde(default)]
    superseded: BTreeSet<HostId>,
    /// Hosts that match and came late, and stay as they are: each with why.
    #[serde(default)]
    left_late: BTreeMap<HostId, String>,
    /// Hosts that match and were there at the start, and that the plan is not for. They join only anew.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    left_alone: BTreeSet<HostId>,
    /// Hosts that connected after the start, and joined.
    #[serde(default)]
    came_late: BTreeSet<HostId>,
    /// Hosts that had other packages than planned before they were started.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    changed: BTreeSet<HostId>,
    /// Hosts that were deleted from the inventory, and joined anew under their names.
    #[serde(default)]
    reborn: BTreeSet<HostId>,
    /// The newest word of an operator on each single host of which there is one.
    #[serde(default)]
    exceptions: BTreeMap<HostId, Exception>,
    /// Every approval, oldest first.
    #[serde(default)]
    approvals: Vec<Approval>,
    /// Every bake that an approver ended early, oldest first.
    #[serde(default)]
    promotions: Vec<Promotion>,
    /// The rollouts that amend it, in order.
    #[serde(default)]
    amended_by: Vec<RolloutId>,
    /// Hosts that were set aside while their cell was silent: they may be at work there.
    #[serde(default)]
    unheard: BTreeSet<HostId>,
    /// How fast the hosts of the present wave get over.
    #[serde(default)]
    velocity: Velocity,
}

/// An operator's word, and the reason for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// For what.
    pub action: Action,
    /// Who.
    pub by: OperatorId,
    /// Why. May be empty.
    pub reason: String,
}

/// Where a rollout stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "kebab-case")]
pub enum Phase {
    /// It moves.
    Running,
    /// It starts nothing until somebody resumes, aborts or rolls back.
    Paused {
        /// Who or what paused it.
        cause: PauseCause,
    },
    /// It starts nothing and waits for its last runs.
    Aborting,
    /// It takes back what it changed.
    RollingBack,
    /// It is over.
    Ended {
        /// How.
        end: End,
    },
}

/// Who or what paused a rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "cause", rename_all = "kebab-case")]
pub enum PauseCause {
    /// An operator.
    Operator {
        /// Who.
        by: OperatorId,
        /// Why. May be empty.
        reason: String,
    },
    /// The brake.
    Brake {
        /// What it found.
        finding: String,
    },
}

/// How a rollout ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// Every wave passed.
    Done,
    /// An operator gave it up.
    Aborted,
    /// What it changed was taken back.
    RolledBack,
}

impl Rollout {
    /// Starts a rollout.
    pub fn start(plan: Plan, by: OperatorId, now: Timestamp) -> Self {
        let cells = plan
            .assignments
            .keys()
            .map(|cell| (cell.clone(), CellProgress::default()))
            .collect();
        let mut velocity = Velocity::default();
        velocity.begin(now);
        Self {
            plan,
            by,
            started_at: now,
            phase: Phase::Running,
            phase_since: now,
            wave: WaveIndex(0),
            wave_since: now,
            bake_since: None,
            cells,
            outcomes: Outcomes::default(),
            open: Kept::default(),
            proved: BTreeSet::new(),
            gone: BTreeMap::new(),
            convicted: BTreeSet::new(),
            judged: BTreeSet::new(),
            own_turns: BTreeMap::new(),
            missed: BTreeSet::new(),
            cell_findings: BTreeMap::new(),
            asked: None,
            goes_back: false,
            sent_back: BTreeSet::new(),
            superseded: BTreeSet::new(),
            left_late: BTreeMap::new(),
            left_alone: BTreeSet::new(),
            came_late: BTreeSet::new(),
            changed: BTreeSet::new(),
            reborn: BTreeSet::new(),
            exceptions: BTreeMap::new(),
            approvals: Vec::new(),
            promotions: Vec::new(),
            amended_by: Vec::new(),
            unheard: BTreeSet::new(),
            velocity,
        }
    }

    /// What it does, as it was planned.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Who started it.
    pub fn by(&self) -> &OperatorId {
        &self.by
    }

    /// When it was started.
    pub fn started_at(&self) -> Timestamp {
        self.started_at
    }

    /// When it ended. Nothing while it has not.
    pub fn ended_at(&self) -> Option<Timestamp> {
        matches!(self.phase, Phase::Ended { .. }).then_some(self.phase_since)
    }

    /// The last operator's word that changed where it stands. Nothing when there was none.
    pub fn asked(&self) -> Option<&Asked> {
        self.asked.as_ref()
    }

    /// Where it stands.
    pub fn phase(&self) -> &Phase {
        &self.phase
    }

    /// The present wave.
    pub fn wave(&self) -> WaveIndex {
        self.wave
    }

    /// Since when the present wave bakes. Nothing while its hosts are not over.
    pub fn bake_since(&self) -> Option<Timestamp> {
        self.bake_since
    }

    /// How each host that it ever took or left out stands.
    pub fn outcomes(&self) -> &ByHost<Outcome> {
        &self.outcomes
    }

    /// What it wants of each cell.
    pub fn cells(&self) -> &BTreeMap<CellId, CellProgress> {
        &self.cells
    }

    /// Whether it takes back what it changed, or has: running, paused or over.
    pub fn goes_back(&self) -> bool {
        self.goes_back
    }

    /// Since when it is in its phase.
    pub(crate) fn phase_since(&self) -> Timestamp {
        self.phase_since
    }

    /// Hosts that a later rollout changed in the same way: they are not taken back.
    pub fn superseded(&self) -> &BTreeSet<HostId> {
        &self.superseded
    }

    /// Whether it is not over.
    pub fn is_live(&self) -> bool {
        !matches!(self.phase, Phase::Ended { .. })
    }

    /// The hosts of the present wave in one cell: its slice, and those of other waves that have their
    /// turn in it.
    fn wave_hosts<'a>(&'a self, cell: &'a CellId) -> impl Iterator<Item = &'a HostId> {
        let slice = self.present().and_then(|wave| wave.slices.get(cell));
        slice.into_iter().flatten().chain(self.guests(cell))
    }

    fn present(&self) -> Option<&crate::plan::PlannedWave> {
        self.plan.wave(self.wave)
    }
}
