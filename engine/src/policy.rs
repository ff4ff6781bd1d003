//! The numbers that govern a rollout, each with its default and where that comes from.
//!
//! This is the one table of defaults: the rollout file, the API, the command and the page all read
//! it from here. Sources: *story* is the 25,000-host account that Cofferdam was made for, *Nomad*
//! its job defaults, *guess* a stated guess.

mod profile;

pub use profile::{Profile, Severity};

use crate::{
    inventory::{ARCHITECTURE, INSTANCE_TYPE, KERNEL, OS_RELEASE, REGION, SERVICE, ZONE},
    share::Share,
    stratum::DELTA,
};
use serde::{Deserialize, Serialize};
use std::{num::NonZeroU32, time::Duration};

/// The most hosts of one cell (story). Never across zones.
pub const CELL_SIZE: usize = 500;

/// How long a region may go on hearing what it is told after it was last heard itself: it notices as late that its
/// link is broken in one direction (three heartbeats of ten seconds).
pub const HEARD_LATE: Duration = Duration::from_secs(30);

/// How far a process counts on the clock of another beyond an agreed duration (guess).
pub const MARGIN: Duration = Duration::from_secs(10);

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

pub(crate) const fn mins(mins: u64) -> Duration {
    Duration::from_secs(60 * mins)
}

/// How fast hosts and cells are started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    /// The most hosts of a cell that a rollout has out at once. At least 1. Default 50 (story).
    pub at_once_per_cell: usize,
    /// The most cells of a wave that work at once. At least 1. Default 10 (story).
    pub cells_at_once: usize,
    /// The wait between a cell's end and the next cell's start. Default 120 s (story).
    pub cells_gap: Duration,
    /// The least time between two starts in a cell. Default 500 ms (story).
    pub start_spacing: Duration,
    /// Whether failures in a cell make the rollout take fewer of its hosts at once, until others
    /// pass. Default true (guess: who watches a rollout would do the same).
    #[serde(default = "yes")]
    pub slow_down: bool,
    /// How long a host whose state or session changed is left alone. Default 60 s (story).
    pub grace: Duration,
    /// Staging is spread over this long. Default 24 h (guess: a day before the canary's end).
    pub stage_within: Duration,
    /// How much one host fetches while it stages, in KiB a second; where the host itself says less, that counts.
    /// Absent, and by default: as the host says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage_rate_kib: Option<NonZeroU32>,
    /// In which order the cells of a wave open. Default by fan (S3's practice).
    pub order: CellOrder,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            at_once_per_cell: 50,
            cells_at_once: 10,
            cells_gap: secs(120),
            start_spacing: Duration::from_millis(500),
            slow_down: true,
            grace: secs(60),
            stage_within: mins(24 * 60),
            stage_rate_kib: None,
            order: CellOrder::FanOut,
        }
    }
}

/// How many times its `grace` a host may take to come to rest, from its first change on or from when it
/// may be started: past that it is left out (guess: ten minutes by default, as long as a cell may be
/// silent in the story; a host that comes up is quiet within one or two).
pub const GRACES: u32 = 10;

fn yes() -> bool {
    true
}

/// Failures in a cell that halve `at_once_per_cell`, at most: to a quarter (guess: slow enough to
/// look, fast enough to end).
pub const SLOW_DOWN_HALVINGS: u32 = 2;

/// Passed runs in a row that take one such halving back (guess: one may be luck).
pub const SLOW_DOWN_PASSES: u32 = 2;

/// How fast a rollout is taken back. There is no ladder: its floors hold, and this.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RollbackPace {
    /// The most hosts of a cell that it has out at once. At least 1. Absent, the default: as many
    /// as the rollout had.
    pub at_once_per_cell: Option<usize>,
    /// The least time between two starts in a cell. Default 0 s (guess: what does harm goes back as
    /// fast as the floors allow).
    pub start_spacing: Duration,
}

/// What becomes of hosts that match a rollout's selection and connect after its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LateJoin {
    /// They join its last wave (hawkbit#1548: a rollout frozen at its start misses new hosts).
    #[default]
    Include,
    /// They stay as they are, and are listed.
    Skip,
}

/// In which order the cells of a wave open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CellOrder {
    /// Regions by their fan, in turns: the regions of a turn side by side, in each zone by zone.
    #[default]
    FanOut,
    /// Region by region, the one with the fewest selected hosts first; in a region zone by zone.
    Regions,
    /// No order: all cells may open as `cells_at_once` allows, and no host of the first wave goes
    /// ahead of the others.
    None,
}

/// How long each part of a run may take; past it the run goes to its named next state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deadlines {
    /// An order not begun this long after it was received is void. Default 60 s (guess).
    pub start_by: Duration,
    /// An unanswered claim undoes the run. Default 60 s (guess).
    pub claim_wait: Duration,
    /// Default 5 min (story).
    pub drain: Duration,
    /// Default 15 min (story).
    pub apply: Duration,
    /// For each maintainer script. Default 5 min (story).
    pub script: Duration,
    /// Default 10 min (story).
    pub reboot: Duration,
    /// Default 5 min (story, Nomad's `healthy_deadline`).
    pub verify: Duration,
    /// Without a reboot, a host is late this long after apply began: from then on where none is allowed,
    /// else once it verifies without one. Default 5 min (story).
    pub late: Duration,
    /// After a restart an owner hears from its hosts this long before it starts more. Default 60 s
    /// (guess).
    pub settle: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            start_by: secs(60),
            claim_wait: secs(60),
            drain: mins(5),
            apply: mins(15),
            script: mins(5),
            reboot: mins(10),
            verify: mins(5),
            late: mins(5),
            settle: secs(60),
        }
    }
}

/// When a host counts as healthy after a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// All signals agree for this long. Default 10 s (Nomad's `min_healthy_time`).
    pub stable_for: Duration,
    /// The same in the first wave. Default 60 s (story).
    pub stable_for_canary: Duration,
    /// The application has this long for its first answer. Default 60 s (story).
    pub first_answer: Duration,
}

impl Default for Health {
    fn default() -> Self {
        Self {
            stable_for: secs(10),
            stable_for_canary: secs(60),
            first_answer: secs(60),
        }
    }
}

/// Failed verdicts in a row, after the first answer, that end verify early (story).
pub const FAILED_VERDICTS: u32 = 3;

/// Whether and when a host is tried again. Only failures that may pass are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    /// More tries after the first. Default 1 (Bottlerocket's operator retries; one is a guess).
    pub more: u32,
    /// The wait before the first further try; doubles, and is jittered by up to half. Default 60 s
    /// (guess).
    pub backoff: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            more: 1,
            backoff: secs(60),
        }
    }
}

/// The most that one wait between tries grows to (Bottlerocket's operator caps it at a day; an
/// hour fits a 72-hour rollout).
pub const MAX_BACKOFF: Duration = mins(60);

/// When a rollout pauses by itself, beside the second opinion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrakeRule {
    /// A cell with more than this share of its attempted hosts failed. Default 5 % (story).
    pub cell_share: Share,
    /// ... and at least this many. Default 2 (story: one dead disk stops nothing).
    pub cell_least: usize,
    /// The fleet with more than this share of attempted hosts failed. Default 0.5 %
    /// (ansible/proposals#133 asks for a fleet-wide limit; the number is a guess).
    pub fleet_share: Share,
    /// ... and at least this many. Default 20 (guess).
    pub fleet_least: usize,
    /// A wave in which fewer hosts are over in `velocity_over` than this share of its best such
    /// time, while as many are at work. `0%`: never. Default 20 % (guess: the story is alerted below
    /// 100 hosts a minute, a number that fits one fleet; a fifth of what the wave has shown it can
    /// do fits any).
    #[serde(default = "velocity_share")]
    pub velocity_share: Share,
    /// Longer than nothing. Default 10 min (guess: twice what a run without a reboot may take).
    #[serde(default = "velocity_over")]
    pub velocity_over: Duration,
    /// ... and at least this many were over then, and are at work now. At least 1. Default 10
    /// (guess: fewer may all be slow by themselves).
    #[serde(default = "velocity_least")]
    pub velocity_least: usize,
}

fn velocity_share() -> Share {
    Share::percent(20)
}

fn velocity_over() -> Duration {
    mins(10)
}

fn velocity_least() -> usize {
    10
}

impl Default for BrakeRule {
    fn default() -> Self {
        Self {
            cell_share: Share::percent(5),
            cell_least: 2,
            fleet_share: Share::basis_points(50),
            fleet_least: 20,
            velocity_share: velocity_share(),
            velocity_over: velocity_over(),
            velocity_least: velocity_least(),
        }
    }
}

/// The labels whose every value has a host in the first wave (story).
pub const COVERAGE: [&str; 8] = [
    INSTANCE_TYPE,
    REGION,
    ZONE,
    OS_RELEASE,
    KERNEL,
    ARCHITECTURE,
    SERVICE,
    DELTA,
];

/// How much of a capacity group must stay in service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FloorRule {
    /// Hosts with the same values of these labels stand in for each other. Not empty. Within a region
    /// where it names `zone`; see [`crate::floor::Group`].
    pub group_by: Vec<String>,
    /// The share of the group that stays in service, rounded up.
    pub min_in_service: Share,
}

impl FloorRule {
    /// Whether a label tells its groups apart.
    pub fn names(&self, label: &str) -> bool {
        self.group_by.iter().any(|named| named == label)
    }

    /// Whether it binds the hosts that no limit names.
    pub fn is_default(&self) -> bool {
        Self::defaults().contains(self)
    }

    /// The floors of hosts that no limit names: 90 % of service x zone, and 90 % of service x region
    /// (story, GCP). Both hold.
    pub fn defaults() -> [Self; 2] {
        [ZONE, REGION].map(|place| Self {
            group_by: vec![SERVICE.to_owned(), place.to_owned()],
            min_in_service: Share::percent(90),
        })
    }
}

/// What happens by itself when a host's patch fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnHostFailure {
    /// The host goes back to what it had.
    #[default]
    Rollback,
}

/// The share of a wave's hosts that may be left out without holding the wave (guess). At least one
/// host always may, so that one dead host ends no wave.
pub const HOSTS_LEFT_OUT: Share = Share::percent(2);

/// How long a cell is not heard of before it is unknown (story).
pub const UNKNOWN_AFTER: Duration = mins(10);

/// The share of a wave's hosts that may be left out because their cells are unknown; none of the first
/// wave's (story).
pub const UNKNOWN_SHARE: Share = Share::percent(10);

/// A cell that is not heard of for this long is a matter for whoever is on call (story).
pub const UNKNOWN_PAGE: Duration = mins(30);

/// How long a warrant allows starts without being renewed (guess).
pub const WARRANT: Duration = mins(30);

/// How long before the end of its window the last host may start, where the window says nothing: at
/// any time in it (guess: runs past the point of disruption end safely after it).
pub const LAST_START: Duration = Duration::ZERO;

/// The wait after a zone of a region before the region's next zone (guess: none, since cells leave
/// their gap and waves bake).
pub const ZONE_BAKE: Duration = secs(0);

/// A host is slow past this many times the running mean of its cell (story).
pub const SLOW_FACTOR: u32 = 2;

/// How long a rollout waits for a host that a person has, an operator or somebody at its keyboard, before it goes on
/// without it (guess: work at a host that is worth waiting for).
pub const PERSON_WAIT: Duration = Duration::from_secs(60 * 60);

/// The longest reservation of an operator: a host that is away for more than a week is no longer under
/// maintenance, and belongs out of the inventory.
pub const LONGEST_RESERVATION: Duration = Duration::from_secs(7 * 24 * 60 * 60);
