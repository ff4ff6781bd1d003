//! Takes every drop-in back, so that each channel is as it was, byte for byte.

use super::{
    install::{self, Changed},
    manifest::Written,
    places::Places,
    standing::Standing,
};
use crate::host::{
    durable::{self, FileError},
    root::Root,
};
use std::{fs, io, path::Path};

/// Takes the guard's drop-ins away, and the folders that it made and that are empty. A file that a person
/// changed goes too, since it would go on blocking, but is saved; without a manifest nobody can tell, and it
/// goes if its first line says that the guard wrote it. Absent: nothing was installed, and nothing was done.
///
/// # Errors
/// [`FileError`] when something cannot be read or removed; what is left can be tried again.
pub fn uninstall(root: &Root, places: &Places) -> Result<Option<Changed>, FileError> {
    if Standing::find(root, places)? == Standing::Nothing {
        return Ok(None);
    }
    let _held = install::hold(places)?;
    let Some(manifest) = Standing::find(root, places)?.manifest() else {
        return Ok(None);
    };
    let mut changed = Changed::default();
    for written in &manifest.files {
        take_back(root, places, written, &mut changed)?;
    }
    for folder in manifest.folders.iter().rev() {
        remove_if_empty(&root.join(&folder.to_string_lossy()))?;
    }
    durable::remove(&places.manifest())?;
    Ok(Some(changed))
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
    if path.extension().is_some_and(|end| end == "py") {
        remove_compiled(&path)?;
    }
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

/// Removes what Python keeps of a plugin that dnf has loaded once: it would stay, and its folder with it.
fn remove_compiled(plugin: &Path) -> Result<(), FileError> {
    let (Some(folder), Some(stem)) = (plugin.parent(), plugin.file_stem()) else {
        return Ok(());
    };
    let compiled = folder.join("__pycache__");
    let of_plugin = format!("{}.", stem.to_string_lossy());
    // Without such a folder nothing was compiled.
    for entry in fs::read_dir(&compiled).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(&of_plugin) && name.ends_with(".pyc") {
            durable::remove(&entry.path())?;
        }
    }
    remove_if_empty(&compiled)
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
