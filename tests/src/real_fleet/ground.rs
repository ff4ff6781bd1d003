//! What a fleet has of this machine: one folder, and one control group.
//!
//! Every file and every mount of a fleet is in its folder, its network among them, and every process is
//! in its control group. So nothing has to be written down to be removed: whoever finds the folder,
//! however its maker ended, finds all of it, and nothing else.
//!
//! All fleets have one limit of the kernel in common: see [`Limit`].
//!
//! ```text
//! /var/tmp/cofferdam-fleets/ID/owner   locked by the process that the fleet must not outlive
//!                           ID/...     the fleet
//!                           kept-ID    what a failed test left to be looked at
//! ```

use super::{
    cgroup::Cgroup,
    limit::Limit,
    teardown,
    trouble::{FleetError, file},
};
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

/// The folder that is locked while a fleet is begun or removed: one that stays.
const LOCKED: &str = "/var/tmp";

/// Where fleets are: on a disk, since a host's files may be many, and at one place, so that they are
/// found again.
pub const FLEETS: &str = "/var/tmp/cofferdam-fleets";

/// The id of the one fleet that outlives the command that made it.
const PERSONS: &str = "yours";

/// How the folder of a failed test is named.
pub(super) const KEPT: &str = "kept-";

/// Whose a fleet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// This process: the fleet ends with it.
    Process,
    /// A person at the keyboard, who ends it when it is not needed any more.
    Person,
}

/// What a fleet has of this machine.
#[derive(Debug)]
pub struct Ground {
    id: String,
    folder: PathBuf,
    _owner: Option<File>,
}

impl Ground {
    /// Clears away what dead processes left, and begins a fleet.
    ///
    /// # Errors
    /// When something cannot be removed or made, or a person has a fleet and wants another.
    pub fn claim(owner: Owner) -> Result<Self, FleetError> {
        let _lock = lock()?;
        let fleets = Path::new(FLEETS);
        fs::create_dir_all(fleets).map_err(file("make", fleets))?;
        clear(Which::Dead)?;
        let (id, folder) = match owner {
            Owner::Person => (PERSONS.to_owned(), make_persons()?),
            Owner::Process => {
                let named = tempfile::Builder::new().prefix("test-").tempdir_in(fleets);
                let folder = named.map_err(file("make a folder in", fleets))?.keep();
                let id = folder.file_name().unwrap_or_default();
                (id.to_string_lossy().into_owned(), folder)
            }
        };
        let owner = match owner {
            Owner::Person => None,
            Owner::Process => Some(mark(&folder)?),
        };
        let ground = Self {
            id,
            folder,
            _owner: owner,
        };
        Limit::of_inotify_instances().raise(fleets)?;
        ground.cgroup().create()?;
        Ok(ground)
    }

    /// The fleet of the person at the keyboard.
    ///
    /// # Errors
    /// When there is none.
    pub fn persons() -> Result<Self, FleetError> {
        let folder = Path::new(FLEETS).join(PERSONS);
        if !folder.is_dir() {
            return Err(FleetError::Refused(
                "no fleet is up: make one with `make fleet HOSTS=8`".to_owned(),
            ));
        }
        Ok(Self {
            id: PERSONS.to_owned(),
            folder,
            _owner: None,
        })
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The group of all its processes.
    pub fn cgroup(&self) -> Cgroup {
        Cgroup::of_fleet(&self.id)
    }

    /// Ends and removes all of it.
    ///
    /// # Errors
    /// When something cannot be.
    pub fn remove(&self) -> Result<(), FleetError> {
        teardown::end(&self.cgroup(), &self.folder)?;
        teardown::remove(&self.folder)?;
        let _lock = lock()?;
        leave()
    }

    /// Ends all of it and leaves its files to be looked at: the path of their folder.
    ///
    /// # Errors
    /// When something cannot be ended, or moved.
    pub fn keep(&self) -> Result<PathBuf, FleetError> {
        teardown::end(&self.cgroup(), &self.folder)?;
        let kept = Path::new(FLEETS).join(format!("{KEPT}{}", self.id));
        fs::rename(&self.folder, &kept).map_err(file("move", &self.folder))?;
        let _lock = lock()?;
        leave()?;
        Ok(kept)
    }
}

/// Removes the person's fleet, those whose owner is dead, and what failed tests left: the ids of all.
///
/// # Errors
/// When something cannot be removed.
pub fn clear_all() -> Result<Vec<String>, FleetError> {
    let _lock = lock()?;
    if !Path::new(FLEETS).is_dir() {
        return Ok(Vec::new());
    }
    let cleared = clear(Which::All)?;
    leave()?;
    Ok(cleared)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    Dead,
    All,
}

fn clear(which: Which) -> Result<Vec<String>, FleetError> {
    let fleets = Path::new(FLEETS);
    let entries = fs::read_dir(fleets).map_err(file("read", fleets))?;
    let mut cleared = Vec::new();
    for entry in entries.flatten().filter(|entry| entry.path().is_dir()) {
        let (folder, id) = (entry.path(), entry.file_name());
        let id = id.to_string_lossy().into_owned();
        let goes = match which {
            Which::All => !is_owned(&folder),
            Which::Dead => id != PERSONS && !id.starts_with(KEPT) && !is_owned(&folder),
        };
        if goes {
            teardown::end(&Cgroup::of_fleet(&id), &folder)?;
            teardown::remove(&folder)?;
            cleared.push(id);
        }
    }
    Ok(cleared)
}

/// Held while fleets are begun or removed: a folder that is not marked yet looks dead.
fn lock() -> Result<File, FleetError> {
    let path = Path::new(LOCKED);
    let lock = File::open(path).map_err(file("open", path))?;
    lock.lock().map_err(file("lock", path))?;
    Ok(lock)
}

/// Gives back what fleets have in common. Others may be there: then it stays.
fn leave() -> Result<(), FleetError> {
    Limit::of_inotify_instances().put_back(Path::new(FLEETS))?;
    fs::remove_dir(FLEETS).ok();
    Ok(())
}

fn make_persons() -> Result<PathBuf, FleetError> {
    let folder = Path::new(FLEETS).join(PERSONS);
    if folder.exists() {
        return Err(FleetError::Refused(
            "a fleet is up already: take it down first with `make fleet-down`".to_owned(),
        ));
    }
    fs::create_dir(&folder).map_err(file("make", &folder))?;
    Ok(folder)
}

/// Marks a fleet as this process's, for as long as the file is open.
fn mark(folder: &Path) -> Result<File, FleetError> {
    let path = folder.join("owner");
    let owner = File::create(&path).map_err(file("make", &path))?;
    owner.lock().map_err(file("lock", &path))?;
    Ok(owner)
}

/// Whether a living process has the fleet.
fn is_owned(folder: &Path) -> bool {
    File::open(folder.join("owner")).is_ok_and(|owner| owner.try_lock().is_err())
}
