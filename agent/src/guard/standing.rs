//! What of the guard stands on a host: by its manifest or, where that is lost, by the drop-ins themselves.
//!
//! A manifest is lost with the state folder, as in an image that was built without it, or when a disk was
//! full. Each drop-in says in its first line whose it is, so the guard knows them again.

use super::{
    channels::{self, DropIn},
    manifest::{FORMAT, Manifest, ManifestError, Written},
    places::Places,
    settings::{GuardSettings, Mode},
};
use crate::host::{
    durable::{self, FileError},
    root::Root,
};
use cofferdam_engine::digest::Digest;
use std::path::{Path, PathBuf};

/// What of the guard stands on a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Nothing.
    Nothing,
    /// What this manifest lists.
    Listed(Manifest),
    /// Drop-ins without a manifest, or with one that is damaged. What is made up for it lists them as they
    /// are; its settings are not those that were.
    Orphaned(Manifest),
}

impl Standing {
    /// Finds it.
    ///
    /// # Errors
    /// [`FileError`] when a file cannot be read.
    pub fn find(root: &Root, places: &Places) -> Result<Self, FileError> {
        match Manifest::find(places) {
            Ok(Some(manifest)) => Ok(Self::Listed(manifest)),
            Err(ManifestError::File(error)) => Err(error),
            Ok(None) | Err(ManifestError::Missing(_)) => {
                let orphaned = made_up(root, places)?;
                Ok(match orphaned.files.is_empty() {
                    true => Self::Nothing,
                    false => Self::Orphaned(orphaned),
                })
            }
            Err(ManifestError::Garbled(_)) => Ok(Self::Orphaned(made_up(root, places)?)),
        }
    }

    /// The manifest, for whoever needs what it says. Absent: there is no guard.
    ///
    /// # Errors
    /// [`ManifestError`] when it is lost or cannot be read.
    pub fn listed(root: &Root, places: &Places) -> Result<Option<Manifest>, ManifestError> {
        let found = Manifest::find(places)?;
        if found.is_none() && !made_up(root, places)?.files.is_empty() {
            return Err(ManifestError::Missing(places.manifest()));
        }
        Ok(found)
    }

    /// Its manifest, as it was or made up. Absent: nothing stands.
    pub fn manifest(self) -> Option<Manifest> {
        match self {
            Self::Nothing => None,
            Self::Listed(manifest) | Self::Orphaned(manifest) => Some(manifest),
        }
    }
}

/// A manifest of the drop-ins that are there.
fn made_up(root: &Root, places: &Places) -> Result<Manifest, FileError> {
    // A guard that enforces has every drop-in that one that observes has.
    let settings = GuardSettings {
        mode: Mode::Enforce,
        ..GuardSettings::default()
    };
    let wanted = channels::drop_ins(root, &settings, places.state_dir());
    let mut files = Vec::new();
    for drop_in in &wanted {
        if let Some(content) = own_content(root, &drop_in.path)? {
            files.push(Written {
                channel: drop_in.channel.to_owned(),
                path: drop_in.path.clone(),
                sha256: vec![Digest::of(content)],
            });
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    let mut folders: Vec<PathBuf> = wanted
        .iter()
        .flat_map(|drop_in| made_for(root, drop_in))
        .collect();
    folders.sort();
    folders.dedup();
    Ok(Manifest {
        format: FORMAT,
        settings,
        run_dir: places.run_dir().to_owned(),
        files,
        folders,
    })
}

/// What a plain file holds that the guard wrote. Absent: there is none.
fn own_content(root: &Root, path: &Path) -> Result<Option<Vec<u8>>, FileError> {
    let path = root.join(&path.to_string_lossy());
    if !path.symlink_metadata().is_ok_and(|meta| meta.is_file()) {
        return Ok(None);
    }
    let content = durable::read(&path)?;
    Ok(content.filter(|content| channels::is_written_by_guard(content)))
}

/// The folders that the guard made for a drop-in, as far as that can be told: those of a program that the
/// host has are the program's.
fn made_for<'a>(root: &Root, drop_in: &'a DropIn) -> impl Iterator<Item = PathBuf> + use<'a> {
    let has = |program: &str| root.join(program).exists();
    let made = match drop_in.channel {
        "apt" if has("/usr/bin/apt-get") => 0,
        "dpkg" if has("/usr/bin/dpkg") => 0,
        "needrestart" | "cloud-init" => 0,
        // The program's folder in `/etc`, and the one of drop-ins in it.
        "apt" | "dpkg" => 2,
        // The one of drop-ins of a unit or of dnf.
        _ => 1,
    };
    let above = drop_in.path.ancestors().skip(1);
    above.take(made).map(Path::to_owned)
}
