//! The agent's config file: TOML to [`Settings`], every mistake at once.

mod drift;
mod guard;
mod labels;
mod probe;
mod read;
mod responder;
mod signals;
#[cfg(test)]
mod tests;
mod traffic;

pub use drift::DriftConfig;
pub use read::{RUN_DIR, Refusal, STATE_DIR, SettingsErrors};
pub use responder::{Basis, ResponderConfig};

use crate::{
    checks::probe::Probe,
    drift::settings::DriftSettings,
    guard::settings::GuardSettings,
    host::{
        root::Root,
        settings::{HostSettings, Ramp, Traffic},
    },
    signals::settings::Signals,
};
use cofferdam_engine::{
    document::{self, Table},
    id::HostId,
    inventory::Labels,
    package::PackageFormat,
};
use cofferdam_proto::{
    dial::{Place, Ways},
    tls::CredentialFiles,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    net::SocketAddr,
    num::NonZeroU32,
    path::{Path, PathBuf},
    time::Duration,
};

/// Where the config file is, below the root.
pub const FILE: &str = "/etc/cofferdam/agent.toml";

/// What an agent is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The host's name. Absent: the one in its certificate. One that is there must be the same.
    pub host: Option<HostId>,
    /// The host's labels.
    pub labels: Labels,
    /// The coordinators that it dials, in turn. Not empty.
    pub coordinators: Vec<Place>,
    /// By which way it dials them. Default: straight, with the system's DNS.
    pub ways: Ways,
    /// Its certificate, key and authority, PEM.
    pub credentials: CredentialFiles,
    /// The trust domain that its certificate must be of, as in `example.org`.
    pub trust_domain: String,
    /// The file of those whose signatures count. Absent: rollouts need none.
    pub allowed_signers: Option<PathBuf>,
    /// Whether orders need a warrant that the control plane signed. Default: they do not.
    pub warrants: WarrantPolicy,
    /// Where journal, staged bits and old versions are. Default `/var/lib/cofferdam-agent`.
    pub state_dir: PathBuf,
    /// Where the state file for the health responder is. Default `/run/cofferdam`.
    pub run_dir: PathBuf,
    /// The folder of check programs. Default `/etc/cofferdam/checks.d`.
    pub checks_dir: PathBuf,
    /// The folder of programs that count the application's sessions. Default
    /// `/etc/cofferdam/sessions.d`.
    pub sessions_dir: PathBuf,
    /// The probes of the application.
    pub probes: Vec<Probe>,
    /// The signals that are read of the machine.
    pub signals: Signals,
    /// The folder of the folders of hooks. Default `/etc/cofferdam/hooks`.
    pub hooks_dir: PathBuf,
    /// How long one hook may take. Default 60 s.
    pub hook_deadline: Duration,
    /// How drain waits.
    pub traffic: Traffic,
    /// Validate commands of config files, by name.
    pub validators: BTreeMap<String, Vec<String>>,
    /// How long another program may hold the package manager's locks. Default 5 min.
    pub lock_wait: Duration,
    /// Whose packages the host has. Absent: it is found out.
    pub package_manager: Option<PackageFormat>,
    /// The most that the package manager fetches, in KiB a second. Absent: as fast as it can.
    pub download_rate_kib: Option<NonZeroU32>,
    /// Where the health responder has its pages. Default `0.0.0.0:9100`: load balancers are elsewhere.
    pub health: SocketAddr,
    /// Where it answers HAProxy's agent-check. Default `0.0.0.0:9101`.
    pub agent_check: SocketAddr,
    /// Units that no run restarts, beside the usual ones; a `*` at the end stands for any rest.
    pub never_restart: BTreeSet<String>,
    /// How traffic comes back after the flag went up. Default: over 30 s.
    pub ramp: Ramp,
    /// What the guard does, where it is installed. Default: it observes.
    pub guard: GuardSettings,
    /// Which files are watched for drift, and what drift does. Default: it holds a first boot.
    pub drift: DriftSettings,
}

/// Whether orders need a warrant that the control plane signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WarrantPolicy {
    /// They do not, as where the control plane is of a release that signs none, or its certificate does not
    /// name it.
    #[default]
    Off,
    /// An order to patch the host is refused without one.
    Required,
}

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file is not what it should be.
    #[error(transparent)]
    Mistakes(#[from] SettingsErrors),
}

impl Settings {
    /// Reads a config file.
    ///
    /// # Errors
    /// [`ConfigError`], with every mistake at once.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        Ok(Self::parse(&path.display().to_string(), &text(path)?)?)
    }

    /// What the host's part of the agent is told, once the host's name is known.
    pub fn host_settings(&self, host: HostId, root: Root) -> HostSettings {
        let signals = match root.is_machine() {
            true => self.signals.clone(),
            false => self.signals.clone().only_named(),
        };
        HostSettings {
            host,
            labels: self.labels.clone(),
            root,
            state_dir: self.state_dir.clone(),
            run_dir: self.run_dir.clone(),
            checks_dir: self.checks_dir.clone(),
            sessions_dir: self.sessions_dir.clone(),
            probes: self.probes.clone(),
            signals,
            hooks_dir: self.hooks_dir.clone(),
            hook_deadline: self.hook_deadline,
            traffic: self.traffic.clone(),
            validators: self.validators.clone(),
            lock_wait: self.lock_wait,
            package_manager: self.package_manager,
            download_rate_kib: self.download_rate_kib,
            never_restart: self.never_restart.clone(),
            ramp: self.ramp.clone(),
        }
    }
}

/// Reads a part of a config file, and asks for nothing else.
fn load_part<T>(
    path: &Path,
    read: impl FnOnce(Table<'_, Refusal>) -> Option<T>,
) -> Result<T, ConfigError> {
    read_part(path, &text(path)?, read)
}

/// Reads a part of what a config file holds.
fn read_part<T>(
    path: &Path,
    text: &str,
    read: impl FnOnce(Table<'_, Refusal>) -> Option<T>,
) -> Result<T, ConfigError> {
    Ok(document::read(&path.display().to_string(), text, read)?)
}

fn text(path: &Path) -> Result<String, ConfigError> {
    fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
        path: path.to_owned(),
        source,
    })
}
