//! Control groups: every process of a fleet is in one, so that all of them can be found and ended
//! whoever started them and whoever is dead by now.

use super::trouble::{FleetError, file};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::{
    fs, io,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

/// Where hierarchies are that systemd looks at: version 1 with systemd's own, beside version 2 ...
const HYBRID: [&str; 2] = ["/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified"];

/// ... or version 2 alone.
const UNIFIED: &str = "/sys/fs/cgroup";

/// The file that lists a group's processes, and that one is put in by.
const PROCESSES: &str = "cgroup.procs";

/// How long processes may take to be gone after a SIGKILL: a busy machine's disk (guess).
const GONE_WITHIN: Duration = Duration::from_secs(20);

/// How often a look is taken at what is left.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// One control group, in every hierarchy that systemd looks at. The first one counts.
#[derive(Debug, Clone)]
pub struct Cgroup {
    paths: Vec<PathBuf>,
}

impl Cgroup {
    /// The group of a fleet, made or not.
    pub fn of_fleet(id: &str) -> Self {
        let name = format!("cofferdam-fleet-{id}");
        let own = |root: PathBuf| root.join(&name);
        Self {
            paths: hierarchies().into_iter().map(own).collect(),
        }
    }

    /// A group within this one, made or not.
    pub fn within(&self, name: &str) -> Self {
        let paths = self.paths.iter().map(|path| path.join(name));
        Self {
            paths: paths.collect(),
        }
    }

    /// Makes it, where it is not there yet.
    ///
    /// # Errors
    /// When the system refuses, which is said of the first folder refused.
    pub fn create(&self) -> Result<(), FleetError> {
        for path in &self.paths {
            fs::create_dir_all(path).map_err(file("make", path))?;
        }
        Ok(())
    }

    /// Its folders, one a hierarchy.
    pub fn folders(&self) -> &[PathBuf] {
        &self.paths
    }

    /// The processes in it and in groups within it, in no order. None when it was never made.
    pub fn processes(&self) -> Vec<Pid> {
        let mut found = Vec::new();
        if let Some(path) = self.paths.first() {
            collect(path, &mut found);
        }
        found
    }

    /// Kills every process in it, and waits until none is left.
    ///
    /// # Errors
    /// When some are still there after 20 s.
    pub fn kill(&self) -> Result<(), FleetError> {
        let deadline = Instant::now() + GONE_WITHIN;
        loop {
            let left = self.processes();
            if left.is_empty() {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(FleetError::Late {
                    what: "killed processes to be gone".to_owned(),
                    within: GONE_WITHIN,
                    obstacle: format!("{left:?} are there"),
                });
            }
            for process in left {
                // It may have ended since it was listed.
                kill(process, Signal::SIGKILL).ok();
            }
            thread::sleep(LOOK_EVERY);
        }
    }

    /// Removes it and the groups within it. No process may be in it.
    ///
    /// # Errors
    /// When one cannot be removed.
    pub fn remove(&self) -> Result<(), FleetError> {
        self.paths.iter().try_for_each(|path| remove(path))
    }
}

/// The hierarchies of this machine. None where there are no control groups.
pub fn hierarchies() -> Vec<PathBuf> {
    let is_one = |path: &PathBuf| path.join(PROCESSES).is_file();
    let hybrid: Vec<PathBuf> = HYBRID
        .map(PathBuf::from)
        .into_iter()
        .filter(is_one)
        .collect();
    if hybrid.is_empty() {
        return Some(PathBuf::from(UNIFIED))
            .filter(is_one)
            .into_iter()
            .collect();
    }
    hybrid
}

fn groups_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let is_folder = |entry: &fs::DirEntry| entry.file_type().is_ok_and(|kind| kind.is_dir());
    entries
        .filter(is_folder)
        .map(|entry| entry.path())
        .collect()
}

fn collect(folder: &Path, found: &mut Vec<Pid>) {
    let listed = fs::read_to_string(folder.join(PROCESSES)).unwrap_or_default();
    let pids = listed.lines().filter_map(|line| line.parse().ok());
    found.extend(pids.map(Pid::from_raw));
    for group in groups_in(folder) {
        collect(&group, found);
    }
}

fn remove(folder: &Path) -> Result<(), FleetError> {
    for group in groups_in(folder) {
        remove(&group)?;
    }
    match fs::remove_dir(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(file("remove", folder)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}
