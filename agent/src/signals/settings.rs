//! Which signals are read, and their thresholds.

use cofferdam_engine::share::Share;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::Duration,
};

/// The default of [`Signals::load_per_core`] (guess: an installation on a busy host brings 2 or 3; at
/// 8 a task gets an eighth of its core).
pub const LOAD_PER_CORE: u32 = 8;

/// The default of [`Signals::memory_available`] (guess: below it the kernel is about to kill).
pub const MEMORY_AVAILABLE: Share = Share::percent(3);

/// The default of [`Signals::disk_free`] (guess: what ext4 keeps for root is 5 % beside this).
pub const DISK_FREE: Share = Share::percent(5);

/// The default of [`Signals::resolve_within`]: one lost packet costs a resolver 5 s, so this fails a
/// host whose first name server is gone.
pub const RESOLVE_WITHIN: Duration = Duration::from_secs(2);

/// The default of [`Clock::offset`]: what clustered stores allow between any two of their hosts.
pub const CLOCK_OFFSET: Duration = Duration::from_millis(500);

/// What is read of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signals {
    /// The signals that need no name, and are read. Default: all.
    pub watched: BTreeSet<Watched>,
    /// The units that must be active. Default: none.
    pub units: Vec<String>,
    /// The TCP ports on which something must listen. Default: none.
    pub ports: BTreeSet<u16>,
    /// The most load a core, of the last minute. At least 1.
    pub load_per_core: u32,
    /// The least share of the memory that must be available.
    pub memory_available: Share,
    /// The paths whose file systems are looked at. Absolute. Default: `/` and `/var`.
    pub disks: BTreeSet<PathBuf>,
    /// The least share of a file system that must be free, of its bytes and of its inodes.
    pub disk_free: Share,
    /// The names that must resolve. Default: none.
    pub names: Vec<String>,
    /// How long a name may take to resolve.
    pub resolve_within: Duration,
    /// The clock that this host's is held against. Absent: none.
    pub clock: Option<Clock>,
    /// The load balancers that must see this host. Default: none.
    pub balancers: Vec<Balancer>,
}

/// A signal that is read unless it is turned off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Watched {
    /// Units that have failed.
    FailedUnits,
    /// Trouble in the kernel's log since the run began.
    KernelLog,
    /// The load a core.
    Load,
    /// The memory that is available.
    Memory,
    /// Free bytes and inodes.
    Disk,
    /// The route to everywhere.
    Route,
}

impl Watched {
    /// Every one, by its word in the config.
    pub const ALL: [(&str, Self); 6] = [
        ("failed-units", Self::FailedUnits),
        ("kernel-log", Self::KernelLog),
        ("load", Self::Load),
        ("memory", Self::Memory),
        ("disk", Self::Disk),
        ("route", Self::Route),
    ];
}

/// A clock that is asked over NTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clock {
    /// `HOST:PORT` of the server.
    pub server: String,
    /// How far apart the two clocks may be.
    pub offset: Duration,
}

/// A load balancer that says what it sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Balancer {
    /// Its name, for people: its address or path.
    pub name: String,
    /// Where its statistics are.
    pub statistics: Statistics,
    /// The backend to look in. Absent: every one that has the server.
    pub backend: Option<String>,
    /// What this host is called there. Absent: by its own name.
    pub server: Option<String>,
}

/// Where an HAProxy has its statistics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statistics {
    /// The CSV of its page, over HTTP.
    Http {
        /// `HOST:PORT`.
        address: String,
        /// The path of the CSV.
        path: String,
    },
    /// Its socket on this host.
    Socket(PathBuf),
}

impl Signals {
    /// Those that somebody named. On another root than the machine's own the others say nothing of it.
    #[must_use]
    pub fn only_named(self) -> Self {
        Self {
            watched: BTreeSet::new(),
            disks: BTreeSet::new(),
            ..self
        }
    }
}

impl Default for Signals {
    fn default() -> Self {
        Self {
            watched: Watched::ALL.map(|(_, signal)| signal).into(),
            units: Vec::new(),
            ports: BTreeSet::new(),
            load_per_core: LOAD_PER_CORE,
            memory_available: MEMORY_AVAILABLE,
            disks: ["/", "/var"].map(|path| Path::new(path).to_owned()).into(),
            disk_free: DISK_FREE,
            names: Vec::new(),
            resolve_within: RESOLVE_WITHIN,
            clock: None,
            balancers: Vec::new(),
        }
    }
}

/// A share in percent.
pub(super) fn percent(share: Share) -> f64 {
    /// The parts of a whole that a share counts in.
    const BASIS_POINTS: u32 = 10_000;
    let points = share.of_rounded_down(BASIS_POINTS as usize);
    u32::try_from(points).map_or(100.0, |points| f64::from(points) / 100.0)
}

/// A part of a whole in percent, to one decimal. Absent: there is nothing of it.
pub(super) fn part(of: u64, whole: u64) -> Option<f64> {
    let permille = u128::from(of) * 1000 / u128::from((whole > 0).then_some(whole)?);
    let permille = u32::try_from(permille).ok()?;
    Some(f64::from(permille) / 10.0)
}
