//! Takes every drop-in back, so that each channel is as it was, byte for byte.

use super::{
    install::{self, Changed},
    manifest::{Manifest, ManifestError, Written},
    places::Places,
};
use crate::host::{
    durable::{self, FileError},
    root::Root,
};
use std::{fs, io, path::Path};

/// Takes the guard's drop-ins away, and the folders that it made and that are empty. A file that a person
/// changed goes too, since it would go on blocking, but is saved. Nothing installed: does nothing.
///
/// # Errors
/// [`ManifestError`] when something cannot be read or removed; what is left can be tried again.
pub fn uninstall(root: &Root, places: &Places) -> Result<Changed, ManifestError> {
    let mut changed = Changed::default();
    if Manifest::find(places)?.is_none() {
        return Ok(changed);
    }
    let _held = install::hold(places)?;
    let Some(manifest) = Manifest::find(places)? else {
        return Ok(changed);
    };
    for written in &manifest.files {
        take_back(root, places, written, &mut changed)?;
    }
    for folder in manifest.folders.iter().rev() {
        remove_if_empty(&root.join(&folder.to_string_lossy()))?;
    }
    durable::remove(&places.manifest())?;
    Ok(changed)
}

/// Takes one drop-in away.
pub(super) fn take_back(
    root: &Root,
    places: &Places,
    written: &Written,
    changed: &mut Changed,
) -> Result<(), FileError> {
    let path = root.join(&written.path.to_string_lossy());
    durable::remove(&durable::beside(&path))?;
    let Some(content) = durable::read(&path)? else {
        return Ok(());
    };
    if !written.is_own(&content) {
        let name = written.path.to_string_lossy().replace('/', "%");
        let saved = places.saved().join(name);
        durable::write(&saved, &content)?;
        changed.saved.push(saved);
    }
    durable::remove(&path)?;
    changed.files.push(written.path.clone());
    Ok(())
}

fn remove_if_empty(folder: &Path) -> Result<(), FileError> {
    match fs::remove_dir(folder) {
        Ok(()) => Ok(()),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::DirectoryNotEmpty
            ) =>
        {
            Ok(())
        }
        Err(error) => Err(FileError::of("removing", folder)(error)),
    }
}
