//! How many inotify instances this machine's root may have. All hosts of all fleets share that number, and
//! systemd comes to a standstill where it gets none: a host then says `initializing` until it is given up.
//!
//! The kernel's own number is enough for fourteen hosts at once, so the first fleet raises it and the last one
//! puts it back. Whoever is killed in between leaves that to the next, as all else.

use super::{
    ground::KEPT,
    trouble::{FleetError, file},
};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A host has nine (measured: systemd five, the agent two, D-Bus and logind), and a fleet 254 hosts at most.
const WANTED: u32 = 4096;

/// Where fleets are, it is written down what the number was.
const BEFORE: &str = "inotify-instances-before";

/// The number, by the file that the kernel reads and writes it in.
#[derive(Debug)]
pub struct Limit(PathBuf);

impl Limit {
    /// The kernel's.
    pub fn of_inotify_instances() -> Self {
        Self("/proc/sys/fs/inotify/max_user_instances".into())
    }

    /// Raises it for the fleets in a folder. Where the machine forbids that it stays, and is enough for few.
    ///
    /// # Errors
    /// When it cannot be read, or it cannot be written down what it was.
    pub fn raise(&self, fleets: &Path) -> Result<(), FleetError> {
        let text = fs::read_to_string(&self.0).map_err(file("read", &self.0))?;
        if text.trim().parse::<u32>().is_ok_and(|now| now >= WANTED) {
            return Ok(());
        }
        let before = fleets.join(BEFORE);
        fs::write(&before, text).map_err(file("write", &before))?;
        if fs::write(&self.0, WANTED.to_string()).is_err() {
            fs::remove_file(&before).map_err(file("remove", &before))?;
        }
        Ok(())
    }

    /// Puts it back, once no fleet is left in the folder: what a failed test left there runs no more.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn put_back(&self, fleets: &Path) -> Result<(), FleetError> {
        let entries = fs::read_dir(fleets).into_iter().flatten().flatten();
        let is_fleet = |entry: &fs::DirEntry| {
            entry.path().is_dir() && !entry.file_name().to_string_lossy().starts_with(KEPT)
        };
        let before = fleets.join(BEFORE);
        let Ok(text) = fs::read_to_string(&before) else {
            return Ok(());
        };
        if entries.into_iter().any(|entry| is_fleet(&entry)) {
            return Ok(());
        }
        fs::write(&self.0, text).map_err(file("write", &self.0))?;
        fs::remove_file(&before).map_err(file("remove", &before))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::Folder;

    #[test]
    fn the_limit_is_raised_for_the_first_fleet_and_put_back_after_the_last() {
        let (folder, fleets) = (Folder::new(), Folder::new());
        let limit = Limit(folder.join("limit"));
        let now = || fs::read_to_string(&limit.0).unwrap();
        fs::write(&limit.0, "128\n").unwrap();
        fs::create_dir(fleets.join("kept-test-1")).unwrap();
        for fleet in ["one", "other"] {
            fs::create_dir(fleets.join(fleet)).unwrap();
            limit.raise(fleets.path()).unwrap();
            assert_eq!(now(), "4096");
        }
        fs::remove_dir(fleets.join("one")).unwrap();
        limit.put_back(fleets.path()).unwrap();
        assert_eq!(now(), "4096", "another fleet is up");
        fs::remove_dir(fleets.join("other")).unwrap();
        limit.put_back(fleets.path()).unwrap();
        assert_eq!(now(), "128\n");
        assert_eq!(fs::read_dir(fleets.path()).unwrap().count(), 1);
    }

    #[test]
    fn one_that_is_high_enough_is_left_alone() {
        let (folder, fleets) = (Folder::new(), Folder::new());
        let limit = Limit(folder.join("limit"));
        fs::write(&limit.0, "65536\n").unwrap();
        limit.raise(fleets.path()).unwrap();
        limit.put_back(fleets.path()).unwrap();
        assert_eq!(fs::read_to_string(&limit.0).unwrap(), "65536\n");
        assert_eq!(fs::read_dir(fleets.path()).unwrap().count(), 0);
    }
}
