//! The coordinator's config file: TOML to [`Settings`], every mistake at once.

mod artefacts;
mod read;
mod role;
mod signing;

pub use self::{
    read::{Refusal, SettingsErrors},
    signing::Signing,
};

use crate::artefact::{Limits, Location};
use cofferdam_engine::{fleet::Form, id::Region};
use cofferdam_proto::dial::{Place, Ways};
use std::{
    collections::BTreeSet,
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

/// What a coordinator is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where agents and operators dial (gRPC with mutual TLS). Default `0.0.0.0:7300`.
    pub listen: SocketAddr,
    /// Where metrics and health are served (plain HTTP). Default `127.0.0.1:7301`.
    pub http: SocketAddr,
    /// Which regions it serves. Default all.
    pub regions: Regions,
    /// Which part of the fleet it has. Default all of it.
    pub role: Role,
    /// Its certificate chain, PEM.
    pub cert: PathBuf,
    /// The certificate's private key, PEM.
    pub key: PathBuf,
    /// The certificates that it trusts, PEM.
    pub ca: PathBuf,
    /// The trust domain of every SPIFFE URI, as in `example.org`.
    pub trust_domain: String,
    /// Where the store is, and artefacts unless they are elsewhere. Default `/var/lib/cofferdam-coordinator`.
    pub data_dir: PathBuf,
    /// How often both sides of a session send a sign of life. Default 10 s.
    pub heartbeat: Duration,
    /// Where artefacts are. Default `artefacts` in `data_dir`.
    pub artefacts: Location,
    /// What of them is taken and kept.
    pub limits: Limits,
    /// Whose signatures over rollouts count.
    pub signing: Signing,
}

/// Which part of a fleet a process has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Role {
    /// Control plane and region in one process.
    #[default]
    Both,
    /// The control plane. Regions dial it.
    Control,
    /// A region.
    Region {
        /// Where its control plane is: tried in this order. Not empty.
        control: Vec<Place>,
        /// By which way it is dialled.
        ways: Ways,
    },
}

impl Role {
    /// What the engine calls it.
    pub(crate) fn form(&self) -> Form {
        match self {
            Self::Both => Form::Whole,
            Self::Control => Form::Control,
            Self::Region { .. } => Form::Region,
        }
    }
}

/// The regions that a process serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Regions {
    /// Every region that a host names.
    All,
    /// These.
    Only(BTreeSet<Region>),
}

impl Regions {
    /// Whether a region is among them.
    pub fn contain(&self, region: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(regions) => regions.iter().any(|served| served.as_str() == region),
        }
    }
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
        let text = fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self::parse(&path.display().to_string(), &text)?)
    }
}

#[cfg(test)]
mod tests;
