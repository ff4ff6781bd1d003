//! What a rollout staged on this host, and what the host had before it: the way back.

use crate::config_file::FileState;
use cofferdam_engine::{digest::Digest, patch::Files};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, path::PathBuf};

/// What staging proved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Staged {
    /// The digest of the lock file.
    pub lock_digest: Digest,
    /// All bits, new and old.
    pub bits: BTreeSet<Digest>,
}

/// What the host had before a rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    /// The how-manieth change of this host it is: orders the records of one host.
    pub number: u64,
    /// The digest of the rollout's lock file.
    pub lock_digest: Digest,
    /// Whether there is something to undo.
    pub phase: Phase,
    /// What the host had.
    pub was: Was,
    /// What is not as it was, once it is undone: one line each, at most
    /// [`MAX_EXCEPTIONS`](cofferdam_engine::run::MAX_EXCEPTIONS).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<String>,
}

/// Whether there is something to undo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// The rollout changes the host, or has changed it. That a later one changed the same is not
    /// written here, but seen in the later one's record, so that it ends with that one. The first
    /// agents wrote it, as `superseded`.
    #[serde(alias = "superseded")]
    Begun,
    /// The host is back at what it had.
    Undone,
}

/// What a host had, by the kind of the patch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Was {
    /// The packages that the patch changes, in order of names.
    Packages {
        /// One entry a package; those that were as wanted already are left out.
        packages: Vec<PackageWas>,
    },
    /// The config file that it replaces.
    Config(ConfigWas),
    /// Nothing is changed.
    Noop,
}

/// What a host had of one package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageWas {
    /// The package's name.
    pub name: String,
    /// The version that the patch installs.
    pub new_version: String,
    /// What was installed. Absent: nothing, so the way back is to remove it.
    pub old: Option<OldPackage>,
    /// The config files that it had, or that the patch brings. An older agent kept none.
    #[serde(default)]
    pub conffiles: Vec<ConffileWas>,
}

/// What a host had of a config file that came with a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConffileWas {
    /// The file's path on the root.
    pub path: PathBuf,
    /// What was there. Absent: nothing.
    pub old: Option<FileState>,
    /// The names of what dpkg had left beside it.
    pub litter: Vec<String>,
    /// What the patch left there.
    pub left: Left,
    /// The same with mode and owner. Absent: no file, or an older agent wrote the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_as: Option<FileState>,
}

/// What a patch left of a config file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Left {
    /// It did not come to its end.
    Unknown,
    /// No file.
    Nothing,
    /// This content.
    Holds(Digest),
}

/// A package as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OldPackage {
    /// Its version.
    pub version: String,
    /// Its file in the keep. Absent: not to be had, and the rollout was `one_way`.
    pub sha256: Option<Digest>,
    /// Whether it was installed only because others need it.
    pub automatic: bool,
    /// Whether the host's people had it on hold.
    pub on_hold: bool,
}

/// What a host had of the config files of a patch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigWas {
    /// The files, in the order of the patch.
    #[serde(flatten)]
    pub files: Files<FileWas>,
    /// The unit to reload. Absent: none.
    pub reload: Option<String>,
}

/// What a host had of a config file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileWas {
    /// The file's path on the root.
    pub path: PathBuf,
    /// The content that the patch writes.
    pub new: Digest,
    /// What was there. Absent: nothing.
    pub old: Option<FileState>,
}

impl Before {
    /// Whether it is the record of a later change of something that the other one changed.
    pub(super) fn is_after(&self, other: &Self) -> bool {
        self.number > other.number && other.was.is_changed_by(&self.was)
    }
}

impl PackageWas {
    fn bits(&self) -> impl Iterator<Item = Digest> {
        let package = self.old.iter().filter_map(|old| old.sha256);
        let old_files = self.conffiles.iter().filter_map(|file| file.old.as_ref());
        package.chain(old_files.map(|old| old.sha256))
    }
}

impl Was {
    /// The bits that the way back needs.
    pub(super) fn bits(&self) -> Vec<Digest> {
        match self {
            Self::Packages { packages } => packages.iter().flat_map(PackageWas::bits).collect(),
            Self::Config(config) => {
                let old = config.files.iter().filter_map(|file| file.old.as_ref());
                old.map(|old| old.sha256).collect()
            }
            Self::Noop => Vec::new(),
        }
    }

    /// Whether a later rollout that did this changed something that this one did.
    fn is_changed_by(&self, later: &Self) -> bool {
        match (self, later) {
            (Self::Packages { packages }, Self::Packages { packages: others }) => packages
                .iter()
                .any(|one| others.iter().any(|other| one.name == other.name)),
            (Self::Config(one), Self::Config(other)) => one
                .files
                .iter()
                .any(|one| other.files.iter().any(|other| one.path == other.path)),
            (Self::Packages { .. } | Self::Config(_) | Self::Noop, _) => false,
        }
    }
}
