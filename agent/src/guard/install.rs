//! Puts the drop-ins in place: all that a host needs, or none that would overwrite what a person wrote.
//!
//! The manifest says first what is about to be written, so that whatever was written when the power went
//! is known to be the guard's. Doing it again changes nothing, and writes nothing. One at a time installs or
//! uninstalls, and nobody proves control meanwhile. Where the manifest is lost, drop-ins of the guard are known
//! by their first line, and are taken over.

use super::{
    channels::{self, DropIn},
    manifest::{FORMAT, Manifest, Written},
    places::{PROGRAM, Places},
    settings::GuardSettings,
    standing::Standing,
    uninstall,
};
use crate::host::{
    durable::{self, FileError},
    root::Root,
};
use cofferdam_engine::digest::Digest;
use std::{
    fs::{self, File, Permissions, TryLockError},
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// Everybody reads the configuration of a package manager.
const MODE: u32 = 0o644;

/// Why the guard was not installed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// A file cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// Hooks would call a program that is not there.
    #[error("{PROGRAM} is not there: hooks call it by this path")]
    NoProgram,
    /// A path cannot stand in a line of every package manager's configuration.
    #[error("the guard needs a state_dir of letters, digits and `/._-`, not {}", .0.display())]
    Unquotable(PathBuf),
    /// A file is there that the guard did not write, or that was changed since.
    #[error("{} is not as the guard wrote it: move it away, then try again", .0.display())]
    Foreign(PathBuf),
}

/// What an install or an uninstall changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changed {
    /// The files, below the root.
    pub files: Vec<PathBuf>,
    /// Where those were put that a person had changed.
    pub saved: Vec<PathBuf>,
}

impl Changed {
    /// Whether systemd has to read its files again.
    pub fn concerns_systemd(&self) -> bool {
        self.files.iter().any(|path| channels::is_of_systemd(path))
    }
}

/// Installs the guard, or brings what is installed up to these settings.
///
/// # Errors
/// [`InstallError`]. When a file is foreign nothing was changed.
pub fn install(
    root: &Root,
    places: &Places,
    settings: &GuardSettings,
) -> Result<Changed, InstallError> {
    let _held = hold(places)?;
    let before = Standing::find(root, places)?;
    put(root, places, settings, before)
}

/// Brings what is installed up to these settings, with a manifest if that was lost. Nothing installed: does
/// nothing.
///
/// # Errors
/// As [`install`].
pub fn refresh(
    root: &Root,
    places: &Places,
    settings: &GuardSettings,
) -> Result<Changed, InstallError> {
    if Standing::find(root, places)? == Standing::Nothing {
        return Ok(Changed::default());
    }
    let _held = hold(places)?;
    match Standing::find(root, places)? {
        // Somebody has just taken it away.
        Standing::Nothing => Ok(Changed::default()),
        before @ (Standing::Listed(_) | Standing::Orphaned(_)) => {
            put(root, places, settings, before)
        }
    }
}

/// The drop-ins that this host needs by the settings that are installed, and of which the manifest knows
/// nothing: those of a program that came later.
pub fn lacking(root: &Root, places: &Places, manifest: &Manifest) -> Vec<DropIn> {
    let mut wanted = channels::drop_ins(root, &manifest.settings, places.state_dir());
    wanted.retain(|drop_in| manifest.written(&drop_in.path).is_none());
    wanted
}

/// Writes the drop-ins that are [`lacking`]. Those that the manifest knows stay as they are: one that
/// somebody changed is a loss of control, which is told.
///
/// # Errors
/// As [`install`].
pub fn extend(root: &Root, places: &Places) -> Result<Changed, InstallError> {
    let _held = hold(places)?;
    let Standing::Listed(before) = Standing::find(root, places)? else {
        return Ok(Changed::default());
    };
    let lacking = lacking(root, places, &before);
    let stale = stale(root, Some(&before), &lacking)?;
    let added = manifest(root, places, &before.settings, Some(&before), &lacking);
    let mut after = transition(Some(&before), &added);
    after.files.sort_by(|one, other| one.path.cmp(&other.path));
    after.write(places)?;
    write_all(root, stale)
}

fn put(
    root: &Root,
    places: &Places,
    settings: &GuardSettings,
    before: Standing,
) -> Result<Changed, InstallError> {
    if !root.join(PROGRAM).is_file() {
        return Err(InstallError::NoProgram);
    }
    let quotable = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if !places.state_dir().to_string_lossy().chars().all(quotable) {
        return Err(InstallError::Unquotable(places.state_dir().to_owned()));
    }
    let is_listed = matches!(before, Standing::Listed(_));
    let before = before.manifest();
    let wanted = channels::drop_ins(root, settings, places.state_dir());
    let stale = stale(root, before.as_ref(), &wanted)?;
    let after = manifest(root, places, settings, before.as_ref(), &wanted);
    if stale.is_empty() && is_listed && before.as_ref() == Some(&after) {
        return Ok(Changed::default());
    }
    transition(before.as_ref(), &after).write(places)?;
    let mut changed = write_all(root, stale)?;
    for gone in before.iter().flat_map(|before| &before.files) {
        if after.written(&gone.path).is_none() {
            uninstall::take_back(root, places, gone, &mut changed)?;
        }
    }
    after.write(places)?;
    Ok(changed)
}

/// Writes drop-ins, and names them.
fn write_all(root: &Root, drop_ins: Vec<&DropIn>) -> Result<Changed, InstallError> {
    let mut changed = Changed::default();
    for drop_in in drop_ins {
        write(root, drop_in)?;
        changed.files.push(drop_in.path.clone());
    }
    Ok(changed)
}

/// Waits for its turn to change drop-ins, and has it until what is returned is dropped.
pub(super) fn hold(places: &Places) -> Result<File, FileError> {
    let path = places.installing();
    let folder = path.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(folder).map_err(FileError::of("making", folder))?;
    let opened = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path);
    let file = opened.map_err(FileError::of("making", &path))?;
    file.lock().map_err(FileError::of("locking", &path))?;
    Ok(file)
}

/// Whether somebody changes drop-ins just now. What cannot be told is taken for nobody.
pub(super) fn is_under_way(places: &Places) -> bool {
    let Ok(file) = File::open(places.installing()) else {
        return false;
    };
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

/// The drop-ins that are not there as they should be.
fn stale<'a>(
    root: &Root,
    before: Option<&Manifest>,
    wanted: &'a [DropIn],
) -> Result<Vec<&'a DropIn>, InstallError> {
    let mut stale = Vec::new();
    for drop_in in wanted {
        let path = root.join(&drop_in.path.to_string_lossy());
        let Some(content) = durable::read(&path)? else {
            stale.push(drop_in);
            continue;
        };
        if content == drop_in.content.as_bytes() {
            continue;
        }
        let written = before.and_then(|before| before.written(&drop_in.path));
        if path.is_symlink() || !written.is_some_and(|written| written.is_own(&content)) {
            return Err(InstallError::Foreign(drop_in.path.clone()));
        }
        stale.push(drop_in);
    }
    Ok(stale)
}

fn manifest(
    root: &Root,
    places: &Places,
    settings: &GuardSettings,
    before: Option<&Manifest>,
    wanted: &[DropIn],
) -> Manifest {
    let mut folders = before.map_or_else(Vec::new, |before| before.folders.clone());
    for drop_in in wanted {
        let above: Vec<&Path> = drop_in.path.ancestors().skip(1).collect();
        for folder in above.into_iter().rev() {
            let is_there = root.join(&folder.to_string_lossy()).is_dir();
            if !is_there && !folders.iter().any(|known| known == folder) {
                folders.push(folder.to_owned());
            }
        }
    }
    let mut files: Vec<Written> = wanted
        .iter()
        .map(|drop_in| Written {
            channel: drop_in.channel.to_owned(),
            path: drop_in.path.clone(),
            sha256: vec![Digest::of(&drop_in.content)],
        })
        .collect();
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Manifest {
        format: FORMAT,
        settings: settings.clone(),
        run_dir: places.run_dir().to_owned(),
        files,
        folders,
    }
}

/// The manifest that is true before, while and after files are replaced.
fn transition(before: Option<&Manifest>, after: &Manifest) -> Manifest {
    let mut both = after.clone();
    for old in before.iter().flat_map(|before| &before.files) {
        match both.files.iter_mut().find(|file| file.path == old.path) {
            Some(file) => file.sha256.extend(old.sha256.iter().copied()),
            None => both.files.push(old.clone()),
        }
    }
    both
}

fn write(root: &Root, drop_in: &DropIn) -> Result<(), FileError> {
    let path = root.join(&drop_in.path.to_string_lossy());
    if let Some(folder) = path.parent() {
        make_folder(folder)?;
    }
    let beside = durable::beside(&path);
    let written = durable::create_anew(&beside, MODE).and_then(|mut file| {
        file.write_all(drop_in.content.as_bytes())?;
        // Whatever the umask of the person who installs.
        file.set_permissions(Permissions::from_mode(MODE))?;
        file.sync_all()
    });
    written.map_err(FileError::of("writing", &beside))?;
    durable::rename(&beside, &path)
}

fn make_folder(folder: &Path) -> Result<(), FileError> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(above) = folder.parent() {
        make_folder(above)?;
    }
    fs::create_dir(folder)
        .and_then(|()| fs::set_permissions(folder, Permissions::from_mode(0o755)))
        .map_err(FileError::of("making", folder))
}

#[cfg(test)]
mod tests;
