//! The config files of a patch at their places on this host: one unit.

use super::{Attributes, FileState, NEW_MODE, Place};
use crate::host::{root::Root, users};
use cofferdam_engine::{
    failure::{Failure, FailureKind},
    patch::{ConfigFile, ConfigPatch, Files, LockedFile},
};
use nix::unistd::{getegid, geteuid};
use std::collections::BTreeSet;

/// One file of a patch, and where it goes.
#[derive(Debug)]
pub struct Change<'a> {
    /// What the rollout file says of it.
    pub file: &'a ConfigFile,
    /// Its bits.
    pub locked: &'a LockedFile,
    /// Where it is on this host.
    pub place: Place,
}

impl Change<'_> {
    /// How the file is to stand, in place of what stands now.
    ///
    /// # Errors
    /// [`FailureKind::Unsupported`] when this host has no such user or group.
    pub fn wanted(&self, now: Option<&FileState>, root: &Root) -> Result<FileState, Failure> {
        let rights = &self.file.rights;
        let uid = rights.owner.as_ref().map(|name| users::user(root, name));
        let gid = rights.group.as_ref().map(|name| users::group(root, name));
        Ok(FileState {
            sha256: self.locked.sha256,
            mode: match (rights.mode, now) {
                (Some(mode), _) => mode.bits(),
                (None, now) => now.map_or(NEW_MODE, |now| now.mode),
            },
            uid: match (uid, now) {
                (Some(uid), _) => uid?,
                (None, now) => now.map_or_else(|| geteuid().as_raw(), |now| now.uid),
            },
            gid: match (gid, now) {
                (Some(gid), _) => gid?,
                (None, now) => now.map_or_else(|| getegid().as_raw(), |now| now.gid),
            },
            attributes: now.map_or_else(Attributes::new, |now| now.attributes.clone()),
        })
    }
}

/// Finds the places of all files.
///
/// # Errors
/// A [`Failure`] when one has none, or two have the same by a symlink.
pub fn changes<'a>(
    config: &'a ConfigPatch,
    locked: &'a Files<LockedFile>,
    root: &Root,
) -> Result<Vec<Change<'a>>, Failure> {
    let mut places = BTreeSet::new();
    let mut changes = Vec::new();
    for (file, locked) in config.files.iter().zip(locked.iter()) {
        let place = Place::find(root, &file.path)?;
        if !places.insert(place.path().to_owned()) {
            let path = file.path.display();
            let detail = format!("{path} is the same file as another one of the patch");
            return Err(Failure::new(FailureKind::Unsupported, detail));
        }
        changes.push(Change {
            file,
            locked,
            place,
        });
    }
    Ok(changes)
}
