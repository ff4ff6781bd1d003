//! What one rollout does on one host.

use super::agenda::Entry;
use crate::{
    exception::Exception,
    failure::Failure,
    id::OrderKey,
    kept::Kept,
    order::{ClaimPoint, Direction, Order},
    run::RunState,
    time::Timestamp,
    warrant::Outcome,
};
use serde::{Deserialize, Serialize};

/// What one rollout does on one host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Whether the bits are there.
    pub staging: Staging,
    /// Where it stands.
    pub state: JobState,
    /// Tries begun, the present one included. A try that was undone is not counted.
    pub attempts: u32,
    /// Orders that were cancelled or undone in a row: each further one waits longer.
    pub undone: u32,
    /// Since when it may be started: when a warrant first named it. Absent: none has.
    pub granted_at: Option<Timestamp>,
    /// Its place among the hosts of the newest warrant, from 0. Absent: that does not name it.
    pub turn: Option<u32>,
    /// Whether it was left out before it was ordered because its host was away: it waits again
    /// when the host is back.
    #[serde(default)]
    pub away: bool,
    /// The last order that it was given, and which way that went.
    pub last_order: Option<(OrderKey, Direction)>,
    /// The newest word of an operator on this host. Absent: there is none.
    #[serde(default)]
    pub exception: Option<Exception>,
    /// How often operators have asked for new tries of it.
    #[serde(default)]
    pub retries: u32,
    /// When its host last changed after a whole grace in which it had not: since then it has not come
    /// to rest, or it has. Absent: it never changed.
    #[serde(default)]
    pub restless_since: Option<Timestamp>,
    /// What the agenda of its work has it down for. Worked out with that.
    #[serde(skip)]
    pub(super) noted: Kept<Entry>,
}

impl Default for Job {
    fn default() -> Self {
        Self {
            staging: Staging::NotAsked,
            state: JobState::Waiting,
            attempts: 0,
            undone: 0,
            granted_at: None,
            turn: None,
            away: false,
            last_order: None,
            exception: None,
            retries: 0,
            restless_since: None,
            noted: Kept::default(),
        }
    }
}

impl Job {
    /// Whether nothing of it has begun, and it is to be started.
    pub(crate) fn waits_to_begin(&self) -> bool {
        match &self.state {
            JobState::Waiting => true,
            JobState::Again(again) => again.direction == Direction::Patch,
            JobState::Active(_) | JobState::Over(_) => false,
        }
    }

    /// The order that is out. Nothing while none is.
    pub fn active(&self) -> Option<&Active> {
        match &self.state {
            JobState::Active(active) => Some(active),
            JobState::Waiting | JobState::Again(_) | JobState::Over(_) => None,
        }
    }
}

/// Whether the bits of a rollout are on a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "staging", rename_all = "kebab-case")]
pub enum Staging {
    /// The host was not asked yet.
    NotAsked,
    /// The host was asked, on its present session or an earlier one.
    Asked {
        /// When.
        at: Timestamp,
        /// How often it failed before this.
        failed: u32,
        /// The last failure.
        failure: Option<Failure>,
    },
    /// Asking again later, after a failure that may pass.
    Again {
        /// When.
        at: Timestamp,
        /// How often it failed.
        failed: u32,
        /// The last failure.
        failure: Failure,
    },
    /// The bits are there, and the way back is proved.
    Ready,
}

/// Where a job stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "job", rename_all = "kebab-case")]
pub enum JobState {
    /// Not ordered.
    Waiting,
    /// Not ordered again before its time.
    Again(Again),
    /// Ordered, and not over.
    Active(Active),
    /// Over.
    Over(Outcome),
}

/// A job that waits before its next try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Again {
    /// Not before.
    pub at: Timestamp,
    /// What ended the last order.
    pub failure: Failure,
    /// Which way the last order went: a host that is to go back still has the patch.
    pub direction: Direction,
}

/// An order that is out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Active {
    /// The order, kept whole: a repetition must be the same to the last byte.
    pub order: Box<Order>,
    /// When it was issued.
    pub ordered_at: Timestamp,
    /// Whether it still has to be sent on the host's present session.
    pub unsent: bool,
    /// Where the run is, as last reported. Nothing: the host has not accepted it yet.
    pub state: Option<RunState>,
    /// When the run entered that state, by this owner's clock; before that, when it was ordered.
    pub entered_at: Timestamp,
    /// A claim that waits for its answer.
    pub claim: Option<ClaimPoint>,
    /// Whether the owner has said yes to the claim before drain: the point of disruption.
    pub disrupted: bool,
    /// When apply, or rollback by order, began.
    pub changed_since: Option<Timestamp>,
    /// Whether the run has rebooted, or began to.
    pub rebooted: bool,
    /// What made the run turn back, once it has.
    pub failure: Option<Failure>,
    /// Whether the agent was told that the order is withdrawn.
    pub withdrawn: bool,
    /// Whether the host was a casualty when it was ordered.
    #[serde(default)]
    pub from_casualty: bool,
}

impl Active {
    /// Whether the host's change has begun: from here a stop lets the run end safely.
    pub fn has_begun_change(&self) -> bool {
        self.changed_since.is_some()
    }
}

/// Why the owner stops waiting for a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "given_up", rename_all = "kebab-case")]
pub enum GivenUp {
    /// Granted, but it could not be started: not connected, not in service, or staging never ended.
    NotStarted {
        /// Why, for people.
        reason: String,
    },
    /// Granted, and hosts that do not come back by themselves use the room of a group of it up.
    NoRoom {
        /// Which group, and who, for people.
        reason: String,
    },
    /// Granted, and a person has the host for longer than the rollout waits.
    Held {
        /// Who, for people.
        reason: String,
    },
    /// Ordered, and the order never came there; the present warrant does not name the host any more.
    NotNamed,
    /// Ordered, but never past the point of disruption.
    Unreachable,
    /// Past the point of disruption and past its deadline.
    TimedOut {
        /// In which state, for people.
        failure: Failure,
    },
    /// An operator said not to wait for it.
    Skipped,
}
