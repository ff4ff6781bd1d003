//! What a host's guard says upwards, and what is kept of it.
//!
//! The host numbers what its guard saw in a log of its own. It tells how things stand and what is new in
//! the log; what was told before changes nothing. A log that was begun anew has another name, and all of
//! it is new. What is kept for each host is bounded, so that a host that tries without end costs no more.

mod record;

pub use record::{GuardRecord, KEPT_EVENTS, KnownWindow};

use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// The longest window that a person at a host may open (guess: a working day and a night; what takes
/// longer is said again).
pub const LONGEST_WINDOW: Duration = Duration::from_secs(24 * 60 * 60);

/// How far a host's log of what its guard saw was taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct GuardPosition {
    /// Which log: a number drawn when it was begun. 0 where nothing was seen yet.
    pub log: u64,
    /// The number of the last event. 0: none.
    pub number: u64,
    /// How often that event had been seen.
    pub times: u64,
}

impl GuardPosition {
    /// Whether an event of a log is not taken in yet.
    pub fn is_before(&self, log: u64, event: &GuardEvent) -> bool {
        self.log != log || (self.number, self.times) < (event.number, event.times)
    }
}

/// What a host tells of its guard: how it stands, and what is new in its log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuardNews {
    /// How it stands.
    pub state: GuardState,
    /// The window that is open. Absent: none is.
    pub window: Option<WindowLeft>,
    /// Which log the events are of.
    pub log: u64,
    /// What it saw, oldest first.
    pub events: Vec<GuardEvent>,
}

/// How a guard stands.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct GuardState {
    /// What it does.
    pub mode: GuardMode,
    /// The channels that it is not in control of, in order. Empty: none, as far as it is installed.
    pub lost: Vec<LostChannel>,
}

/// What a guard does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GuardMode {
    /// It is not installed.
    #[default]
    Off,
    /// It writes down what it would refuse.
    Observe,
    /// It refuses.
    Enforce,
}

impl GuardMode {
    /// Its name, for people and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Observe => "observe",
            Self::Enforce => "enforce",
        }
    }
}

impl fmt::Display for GuardMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A way by which packages change that a guard does not control.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostChannel {
    /// As people call it, as in `apt`.
    pub channel: String,
    /// Why, as in `/etc/apt/apt.conf.d/zz-cofferdam-guard is missing`.
    pub why: String,
}

impl fmt::Display for LostChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.channel, self.why)
    }
}

/// A window that is open at a host, as the host tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowLeft {
    /// Tells one window of a host from another: the moment of its opening by the host's boot-time clock,
    /// in milliseconds.
    pub opened: u64,
    /// Who opened it, as in `uid 1000`.
    pub by: String,
    /// Why.
    pub reason: String,
    /// How long it is still open.
    pub left: Duration,
}

/// One thing that a guard saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuardEvent {
    /// Its number in the host's log, from 1.
    pub number: u64,
    /// How often it was seen, from 1.
    pub times: u64,
    /// When it was seen first, by the host's clock.
    #[serde(rename = "at_ms")]
    pub at: Timestamp,
    /// What was seen.
    #[serde(flatten)]
    pub seen: Seen,
}

/// What a guard saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Seen {
    /// Somebody tried to change packages, or a unit that does so was about to start.
    Tried(Tried),
    /// A person opened a window.
    Opened {
        /// How long it was to last.
        lasts_ms: u64,
        /// Who, as in `uid 1000`.
        by: String,
        /// Why.
        reason: String,
    },
    /// A person closed a window before its end.
    Closed {
        /// Who, as in `uid 1000`.
        by: String,
    },
    /// Channels are not the guard's any more.
    ControlLost {
        /// The files that are not what it wrote, in order.
        files: Vec<String>,
    },
    /// All channels are the guard's again.
    ControlRegained,
}

/// A change of packages that somebody tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tried {
    /// What became of it.
    pub fate: Fate,
    /// The channel that it came by, as in `apt`.
    pub channel: String,
    /// The command line of the package manager, or the unit.
    pub command: String,
    /// The names of the processes that started it, nearest first. Empty: not known.
    pub parents: Vec<String>,
    /// The systemd unit or session that it ran in. Empty: not known.
    pub unit: String,
    /// Who had logged in to start it, as in `uid 1000`. Empty: nobody had.
    pub login: String,
    /// The packages, each as in `tea 1 -> 2`. Empty: not known.
    pub packages: Vec<String>,
    /// How many more packages there were.
    pub more: u64,
}

/// What became of a change that no order covered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It was refused.
    Refused,
    /// It passed since the guard only observes; else it would have been refused.
    Observed,
    /// It passed since the agent was dead and the policy is `open`.
    AgentDead,
    /// It passed in a window that a person had opened.
    InWindow,
    /// It passed since an operator had reserved the host.
    Reserved,
    /// A unit that upgrades by itself was not started, which is what the guard is for: no change was tried.
    Skipped,
    /// Such a unit was started since the guard only observes. What it changed then is an event of its own.
    WouldSkip,
}

impl Fate {
    /// Whether nobody had said yes to it: it was refused, or would have been.
    pub fn is_unasked(self) -> bool {
        match self {
            Self::Refused | Self::Observed | Self::AgentDead => true,
            Self::InWindow | Self::Reserved | Self::Skipped | Self::WouldSkip => false,
        }
    }

    /// Its name, for metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Observed => "observed",
            Self::AgentDead => "agent-dead",
            Self::InWindow => "in-window",
            Self::Reserved => "reserved",
            Self::Skipped => "skipped",
            Self::WouldSkip => "would-skip",
        }
    }
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused => "refused",
            Self::Observed => "would have refused",
            Self::AgentDead => "passed, the agent being dead",
            Self::InWindow => "passed in a window",
            Self::Reserved => "passed, the host being reserved",
            Self::Skipped => "not started",
            Self::WouldSkip => "would not have been started",
        })
    }
}

impl GuardEvent {
    /// Whether somebody tried to change packages and nobody had said yes to it.
    pub fn is_unasked(&self) -> bool {
        matches!(&self.seen, Seen::Tried(tried) if tried.fate.is_unasked())
    }

    /// Whether an operator should hear of it at once: somebody changes packages unasked, or control is
    /// lost.
    pub fn alarms(&self) -> bool {
        self.is_unasked() || matches!(self.seen, Seen::ControlLost { .. })
    }
}

impl fmt::Display for GuardEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.seen.fmt(f)?;
        match self.times {
            0 | 1 => Ok(()),
            times => write!(f, ", {times} times"),
        }
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tried(tried) => tried.fmt(f),
            Self::Opened { by, reason, .. } => write!(f, "window opened by {by}: {reason}"),
            Self::Closed { by } => write!(f, "window closed by {by}"),
            Self::ControlLost { files } => write!(f, "control lost: {}", files.join(", ")),
            Self::ControlRegained => f.write_str("control regained"),
        }
    }
}

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { fate, command, .. } = self;
        write!(f, "{fate}: {command}")?;
        let (named, more) = (self.packages.len(), self.more);
        match (self.packages.first(), more) {
            (None, _) => {}
            (Some(first), 0) if named == 1 => write!(f, " ({first})")?,
            (Some(first), _) => {
                let others = u64::try_from(named)
                    .unwrap_or(u64::MAX)
                    .saturating_add(more)
                    - 1;
                write!(f, " ({first} and {others} more)")?;
            }
        }
        if self.parents.is_empty() {
            return Ok(());
        }
        write!(f, ", started by {}", self.parents.join(" < "))
    }
}
