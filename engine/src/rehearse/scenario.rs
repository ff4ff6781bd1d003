//! What goes otherwise than well in a rehearsal, and how long everything takes.

mod read;

pub use read::{Refusal, ScenarioErrors};

use super::{Spread, Step};
use crate::{document, failure::FailureKind, select::Selection, share::Share, time::Timestamp};
use std::{collections::BTreeMap, time::Duration};

/// How long things take and what goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scenario {
    /// When hosts are there, five minutes before the rollout starts: windows, freezes and waivers go by it.
    /// Absent: it is not said.
    pub start: Option<Timestamp>,
    /// How long each step takes on a host that nothing else is said of.
    pub times: BTreeMap<Step, Spread>,
    /// What the coordination itself takes.
    pub costs: Costs,
    /// The share of hosts that need a reboot after the patch where the rollout reboots those that do. Absent:
    /// all hosts on which a package changes that is in use until a reboot, and no others.
    pub needs_reboot: Option<Share>,
    /// Hosts on which steps take other times; the first that matches a host counts.
    pub others: Vec<OtherTimes>,
    /// What goes wrong, in the order of the file.
    pub faults: Vec<Fault>,
    /// What operators do, in the order of the file: each waits for the one before it.
    pub acts: Vec<Act>,
}

/// What the coordination itself takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Costs {
    /// How long a message travels, one way.
    pub link: Duration,
    /// How long a turn of the coordinator takes: one durable write.
    pub turn: Duration,
    /// What each message in a turn adds: its part of the decision.
    pub message: Duration,
}

impl Costs {
    /// Coordination that takes no time but the way of its messages.
    pub const fn link_only(link: Duration) -> Self {
        Self {
            link,
            turn: Duration::ZERO,
            message: Duration::ZERO,
        }
    }

    /// How long a turn with so many messages takes.
    pub fn of_turn(&self, messages: usize) -> Duration {
        let messages = u32::try_from(messages).unwrap_or(u32::MAX);
        self.turn
            .saturating_add(self.message.saturating_mul(messages))
    }
}

impl Default for Costs {
    /// A link within a region; a turn as long as the 99th percentile of a durable write and a message
    /// as long as what a host costs the coordinator at most, both as measured (docs/testing.md).
    fn default() -> Self {
        Self {
            link: Duration::from_millis(10),
            turn: Duration::from_millis(5),
            message: Duration::from_micros(100),
        }
    }
}

/// Hosts on which steps take other times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherTimes {
    /// Which hosts.
    pub hosts: Hosts,
    /// The steps, each with its time.
    pub times: BTreeMap<Step, Spread>,
}

/// Which hosts something is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hosts {
    /// Those that match. Absent: all.
    pub selection: Option<Selection>,
    /// The share of those, by chance.
    pub share: Share,
    /// At most so many of them. Absent: any number.
    pub most: Option<usize>,
}

/// Something that goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What it is called.
    pub name: String,
    /// Which hosts it is about.
    pub hosts: Hosts,
    /// What it does.
    pub kind: FaultKind,
}

/// What a fault does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// A step goes wrong, each time that it is begun.
    Step {
        /// Which.
        step: Step,
        /// How.
        goes: Goes,
        /// The share of the hosts on which a later try goes well.
        retry_cures: Share,
    },
    /// Something happens at a moment, counted from the start of the rollout.
    Timed {
        /// What.
        event: Event,
        /// When.
        at: Duration,
        /// For how long. Zero: for good.
        lasts: Duration,
    },
}

/// How a step goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goes {
    /// It fails.
    Fails(FailureKind),
    /// It never ends.
    Hangs,
    /// It goes well, and takes this long.
    Slow(Duration),
    /// The host dies under it and does not come back.
    Dies,
}

/// What happens at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Nothing comes through to the hosts or from them.
    HostsCut,
    /// Nothing comes through between the rollouts and the cells of the hosts.
    CellsCut,
    /// The hosts die.
    HostsDie,
    /// The hosts die and are deleted from the inventory.
    HostsGone,
    /// The hosts are born: until then there are none such.
    HostsCome,
    /// The inventory is asked too often: that a host was deleted is learnt this much later.
    InventoryThrottled {
        /// How much later. Longer than nothing.
        late: Duration,
    },
    /// The hosts' services fall by themselves.
    HostsFall,
    /// The coordinator dies, with what it had not stored.
    CoordinatorDies,
}

/// What an operator does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// When.
    pub when: When,
    /// What.
    pub does: Deed,
}

/// When an operator acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// So long after the rollout's start, or after the act before it if that is later.
    At(Duration),
    /// Once the rollout is in a phase, as `status` names it.
    Phase(String),
}

/// What an operator does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// Goes on.
    Resume,
    /// Pauses.
    Pause,
    /// Ends it.
    Abort,
    /// Takes it back.
    Rollback,
    /// Takes hosts that match out of it, and goes on if it had stopped.
    Exclude(Selection),
    /// Starts the same bits again under another name.
    StartAgain,
    /// Approves the hosts that wait for it, each by one who may.
    Approve,
    /// Ends the present bake, as one who may.
    Promote,
}

impl Deed {
    /// Its word in a file of faults.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Resume => "resume",
            Self::Pause => "pause",
            Self::Abort => "abort",
            Self::Rollback => "rollback",
            Self::Exclude(_) => "exclude",
            Self::StartAgain => "start-again",
            Self::Approve => "approve",
            Self::Promote => "promote",
        }
    }

    /// Whom it takes out of a rollout. Nothing: it takes nobody out.
    pub(super) fn excluded(&self) -> Option<&Selection> {
        match self {
            Self::Exclude(selection) => Some(selection),
            Self::Resume
            | Self::Pause
            | Self::Abort
            | Self::Rollback
            | Self::StartAgain
            | Self::Approve
            | Self::Promote => None,
        }
    }
}

impl FaultKind {
    /// What it lets happen at a moment. Nothing of one that a step goes wrong by.
    pub(super) fn event(&self) -> Option<Event> {
        match self {
            Self::Timed { event, .. } => Some(*event),
            Self::Step { .. } => None,
        }
    }
}

impl Fault {
    /// What it lets happen at a moment. Nothing of one that a step goes wrong by.
    pub(super) fn event(&self) -> Option<Event> {
        self.kind.event()
    }

    /// Whether it makes answers of the inventory late.
    pub(super) fn throttles(&self) -> bool {
        matches!(self.event(), Some(Event::InventoryThrottled { .. }))
    }
}

impl Scenario {
    /// Reads a file of faults; `file` is what its mistakes call it.
    ///
    /// # Errors
    /// Every mistake of the file, when there is any.
    pub fn parse(file: &str, text: &str) -> Result<Self, ScenarioErrors> {
        document::read(file, text, read::scenario)
    }

    /// What goes wrong in a large fleet when the patch itself is good.
    ///
    /// # Errors
    /// Every mistake of its file, which is built in.
    pub fn mix() -> Result<Self, ScenarioErrors> {
        Self::parse("mix", include_str!("../../scenarios/mix.toml"))
    }

    /// How long a step usually takes.
    pub fn usual(step: Step) -> Spread {
        let secs = |p50, p90, p99| Spread {
            p50: Duration::from_secs(p50),
            p90: Duration::from_secs(p90),
            p99: Duration::from_secs(p99),
        };
        match step {
            Step::Stage => secs(5, 15, 60),
            Step::Drain => secs(10, 20, 30),
            Step::Apply | Step::RollBack => secs(20, 40, 90),
            Step::Reboot => secs(45, 60, 120),
            Step::Verify | Step::VerifyRollback => secs(60, 60, 60),
            Step::Readmit => secs(2, 3, 5),
        }
    }
}

impl Default for Scenario {
    fn default() -> Self {
        let times = Step::ALL.map(|step| (step, Self::usual(step)));
        Self {
            start: None,
            times: times.into(),
            costs: Costs::default(),
            needs_reboot: None,
            others: Vec::new(),
            faults: Vec::new(),
            acts: Vec::new(),
        }
    }
}
