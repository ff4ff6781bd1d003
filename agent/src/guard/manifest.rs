//! What the guard wrote where: what a hook goes by, a proof compares with, and an uninstall takes back.

use super::{places::Places, settings::GuardSettings};
use crate::host::durable::{self, FileError};
use cofferdam_engine::digest::Digest;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The format that this program reads and writes.
pub const FORMAT: u32 = 1;

/// What the guard wrote where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The format: [`FORMAT`]. A reader refuses any other.
    pub format: u32,
    /// The settings that hooks go by.
    pub settings: GuardSettings,
    /// The agent's run folder, for hooks.
    pub run_dir: PathBuf,
    /// The files, in order of their paths. None of them was there before.
    pub files: Vec<Written>,
    /// The folders that were made for them, outer ones first.
    pub folders: Vec<PathBuf>,
}

/// A file that the guard wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// The channel that it is for.
    pub channel: String,
    /// Its path, below the root.
    pub path: PathBuf,
    /// What it may hold: what it is to hold first, then what it held before, while it is replaced.
    pub sha256: Vec<Digest>,
}

/// There is no manifest to go by.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// It cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// There is none, and somebody needs it.
    #[error(
        "the guard's list of its files is missing: `cofferdam-agent guard install` repairs it ({})",
        .0.display()
    )]
    Missing(PathBuf),
    /// It is not what a guard writes.
    #[error(
        "the guard's list of its files is damaged: `cofferdam-agent guard install` repairs it ({})",
        .0.display()
    )]
    Garbled(PathBuf),
}

impl Manifest {
    /// Reads it. Absent: the guard is not installed.
    ///
    /// # Errors
    /// [`ManifestError`] when there is one that cannot be read.
    pub fn find(places: &Places) -> Result<Option<Self>, ManifestError> {
        let path = places.manifest();
        let Some(bytes) = durable::read(&path)? else {
            return Ok(None);
        };
        let manifest = serde_json::from_slice(&bytes).ok();
        let manifest = manifest.filter(|manifest: &Self| manifest.format == FORMAT);
        manifest.map(Some).ok_or(ManifestError::Garbled(path))
    }

    /// Reads it for a hook, which knows only the state folder.
    ///
    /// # Errors
    /// [`ManifestError`] when it cannot be read or there is none.
    pub fn require(state_dir: &Path) -> Result<Self, ManifestError> {
        let places = Places::new(state_dir, Path::new(""));
        Self::find(&places)?.ok_or_else(|| ManifestError::Missing(places.manifest()))
    }

    /// Writes it.
    ///
    /// # Errors
    /// [`FileError`] when it cannot be written.
    pub fn write(&self, places: &Places) -> Result<(), FileError> {
        let json = serde_json::to_vec_pretty(self).expect("plain data becomes JSON");
        durable::write(&places.manifest(), &json)
    }

    /// What the guard wrote at a path. Absent: nothing.
    pub fn written(&self, path: &Path) -> Option<&Written> {
        self.files.iter().find(|file| file.path == path)
    }
}

impl Written {
    /// Whether a content is the guard's own.
    pub fn is_own(&self, content: &[u8]) -> bool {
        self.sha256.contains(&Digest::of(content))
    }
}
