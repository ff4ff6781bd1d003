//! What the host's part of the agent is told: where things are, what to drain, what to check.

use super::root::Root;
use crate::{checks::probe::Probe, signals::settings::Signals};
use cofferdam_engine::{
    id::HostId,
    inventory::Labels,
    package::PackageFormat,
    traffic::{OnExpiry, RampSteps},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU32,
    path::PathBuf,
    time::Duration,
};

/// The settings of the host's part. Made from the agent's config file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostSettings {
    /// The host's name, as in its certificate.
    pub host: HostId,
    /// Its labels, shown to checks.
    pub labels: Labels,
    /// The tree to work on.
    pub root: Root,
    /// The agent's own folder for what must last. Absolute.
    pub state_dir: PathBuf,
    /// The agent's own folder for what ends with a reboot. Absolute.
    pub run_dir: PathBuf,
    /// The folder of check programs. Absolute; it need not exist.
    pub checks_dir: PathBuf,
    /// The folder of programs that count the application's sessions. Absolute; it need not exist.
    pub sessions_dir: PathBuf,
    /// The probes of the application.
    pub probes: Vec<Probe>,
    /// The signals that are read of the machine.
    pub signals: Signals,
    /// The folder of the folders of hooks. Absolute; it need not exist.
    pub hooks_dir: PathBuf,
    /// How long one hook may take.
    pub hook_deadline: Duration,
    /// How drain waits.
    pub traffic: Traffic,
    /// Validate commands of config files, by name: a program and its arguments, in which `{file}`
    /// stands for the candidate. No shell.
    pub validators: BTreeMap<String, Vec<String>>,
    /// How long another program may hold the package manager's locks.
    pub lock_wait: Duration,
    /// Whose packages the host has. Absent: as [`format_of`](crate::packages::choice::format_of) finds.
    pub package_manager: Option<PackageFormat>,
    /// The most that the package manager fetches, in KiB a second. Absent: as fast as it can.
    pub download_rate_kib: Option<NonZeroU32>,
    /// Units that no run restarts, beside the usual ones; a `*` at the end
    /// stands for any rest.
    pub never_restart: BTreeSet<String>,
    /// How traffic comes back after the flag went up.
    pub ramp: Ramp,
}

/// How drain waits for traffic to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traffic {
    /// The local ports whose connections are waited for. Empty: none.
    pub ports: BTreeSet<u16>,
    /// The least time between the flag and the change. Twice the load balancers' check interval,
    /// so that each has seen the flag.
    pub at_least: Duration,
    /// How long connections and sessions are waited for. Absent: until the order's deadline.
    pub at_most: Option<Duration>,
    /// What becomes of those that are left then, where the rollout does not say it.
    pub on_expiry: OnExpiry,
}

/// How traffic comes back, where the rollout does not say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ramp {
    /// How long all steps take together, when all goes well. Zero: there are none.
    pub takes: Duration,
    /// How much of its traffic the host has in each.
    pub steps: RampSteps,
}

impl Ramp {
    /// How long each step takes.
    pub fn step(&self) -> Duration {
        let steps = u32::try_from(self.steps.percents().len()).unwrap_or(1);
        self.takes / steps.max(1)
    }
}

/// The default of [`Traffic::at_least`]: twice the 2 s of HAProxy's `agent-inter` and `inter`.
pub const DRAIN_AT_LEAST: Duration = Duration::from_secs(4);

/// The default of [`HostSettings::lock_wait`] (guess: longer than an unattended download, shorter
/// than a deadline of apply).
pub const LOCK_WAIT: Duration = Duration::from_secs(300);

/// The default of [`HostSettings::hook_deadline`] (guess: a fifth of drain's deadline, so that each of
/// its two kinds of hooks may have a few).
pub const HOOK_DEADLINE: Duration = Duration::from_secs(60);

/// The default of [`Ramp::takes`] (guess: caches warm in seconds, and a run waits for it).
pub const RAMP: Duration = Duration::from_secs(30);

impl Default for Traffic {
    fn default() -> Self {
        Self {
            ports: BTreeSet::new(),
            at_least: DRAIN_AT_LEAST,
            at_most: None,
            on_expiry: OnExpiry::default(),
        }
    }
}

impl Default for Ramp {
    fn default() -> Self {
        Self {
            takes: RAMP,
            steps: RampSteps::default(),
        }
    }
}

#[cfg(test)]
pub(crate) mod samples {
    use super::*;
    use std::path::Path;

    /// Settings of a host `web-1` whose root, state and run folders lie below a folder.
    pub(crate) fn settings(folder: &Path) -> HostSettings {
        HostSettings {
            host: HostId::new("web-1").unwrap(),
            labels: Labels::new(),
            root: Root::new(folder.join("root")).unwrap(),
            state_dir: folder.join("state"),
            run_dir: folder.join("run"),
            checks_dir: folder.join("checks.d"),
            sessions_dir: folder.join("sessions.d"),
            probes: Vec::new(),
            signals: Signals::default().only_named(),
            hooks_dir: folder.join("hooks"),
            hook_deadline: Duration::from_secs(20),
            traffic: Traffic {
                ports: BTreeSet::new(),
                at_least: Duration::ZERO,
                at_most: None,
                on_expiry: OnExpiry::Abort,
            },
            validators: BTreeMap::new(),
            lock_wait: Duration::from_millis(200),
            package_manager: None,
            download_rate_kib: None,
            never_restart: BTreeSet::new(),
            ramp: Ramp {
                takes: Duration::ZERO,
                steps: RampSteps::default(),
            },
        }
    }
}
