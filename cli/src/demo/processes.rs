//! The child processes of the demo: all of them end with it, however it ends.
//!
//! Each child leads a process group of its own, so that its helpers are reached too. What a dead
//! child leaves behind becomes a child of ours, since this process is made their reaper; so nothing
//! is left running even where a program left its group.

use crate::file;
use anyhow::{Context as _, Result, bail};
use nix::{
    sys::{
        prctl::set_child_subreaper,
        signal::{Signal, kill, killpg},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::{Pid, getpid},
};
use std::{
    fs::{self, File},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// How long the kernel may take to end what was killed (guess).
const ENDS_WITHIN: Duration = Duration::from_secs(3);

/// How often an ending is looked for.
const LOOK: Duration = Duration::from_millis(10);

/// The last lines of a log that an error shows.
const TAIL: usize = 8;

/// Children that run. Dropping ends them all.
#[derive(Default)]
pub struct Processes {
    children: Vec<Running>,
}

struct Running {
    name: String,
    log: PathBuf,
    child: Child,
}

impl Processes {
    /// Starts a program; what it prints goes to `log`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(&mut self, name: &str, log: &Path, mut command: Command) -> Result<()> {
        let output = File::create(log)
            .and_then(|out| Ok((out.try_clone()?, out)))
            .with_context(|| format!("cannot write {}", log.display()))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(output.0)
            .stderr(output.1)
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        self.children.push(Running {
            name: name.to_owned(),
            log: log.to_owned(),
            child,
        });
        Ok(())
    }

    /// Checks that all of them still run.
    ///
    /// # Errors
    /// When one ended, with the last lines of its log.
    pub fn check(&mut self) -> Result<()> {
        for running in &mut self.children {
            let status = running.child.try_wait();
            let status = status.with_context(|| format!("cannot look at {}", running.name))?;
            if let Some(status) = status {
                bail!(
                    "{} ended ({status}); it said last:\n{}",
                    running.name,
                    tail(&running.log)
                );
            }
        }
        Ok(())
    }
}

impl Drop for Processes {
    /// Kills them all: what they would still tidy up goes away with the demo's folder.
    fn drop(&mut self) {
        for running in &self.children {
            kill_group(&running.child);
        }
        for running in &mut self.children {
            // A child that was killed is waited for only until the kernel is done with it.
            let _status = running.child.wait();
        }
    }
}

/// A group that is gone already is what is wanted, so a failure says nothing.
fn kill_group(child: &Child) {
    if let Ok(id) = i32::try_from(child.id()) {
        let _gone = killpg(Pid::from_raw(id), Signal::SIGKILL);
    }
}

fn tail(log: &Path) -> String {
    let text = file::read(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL)..].join("\n")
}

/// Makes orphans of our children ours, for [`end_orphans`] to find.
///
/// # Errors
/// When the kernel refuses.
pub fn adopt_orphans() -> Result<()> {
    set_child_subreaper(true).context("cannot become the reaper of the demo's processes")
}

/// Kills and reaps every child that is left. Call it when nothing of this process waits for a child
/// any more.
pub fn end_orphans() {
    let deadline = Instant::now() + ENDS_WITHIN;
    while Instant::now() < deadline {
        for orphan in orphans() {
            let _gone = kill(orphan, Signal::SIGKILL);
        }
        if reap() == Left::None {
            return;
        }
        thread::sleep(LOOK);
    }
}

#[derive(PartialEq, Eq)]
enum Left {
    Some,
    None,
}

/// Takes note of every child that ended, and says whether others are left.
fn reap() -> Left {
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) => return Left::Some,
            Ok(_) => {}
            Err(_) => return Left::None,
        }
    }
}

/// The children of this process, as `/proc` lists them.
fn orphans() -> Vec<Pid> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let parent = getpid();
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|id| parent_of(*id) == Some(parent))
        .map(Pid::from_raw)
        .collect()
}

fn parent_of(id: i32) -> Option<Pid> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    parent_in(&stat).map(Pid::from_raw)
}

/// The parent in a line of `/proc/ID/stat`: `ID (NAME) STATE PARENT ...`, where the name may hold
/// anything, parentheses too.
fn parent_in(stat: &str) -> Option<i32> {
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
    }

    fn is_running(id: i32) -> bool {
        kill(Pid::from_raw(id), None).is_ok()
    }

    #[test]
    fn children_and_their_helpers_end_when_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let mut processes = Processes::default();
        let script = "sleep 600 & echo $!; wait";
        processes.start("shell", &log, shell(script)).unwrap();
        let deadline = Instant::now() + ENDS_WITHIN;
        while !file::read(&log).unwrap().ends_with('\n') {
            assert!(Instant::now() < deadline, "the shell did not start");
            thread::sleep(LOOK);
        }
        let helper: i32 = file::read(&log).unwrap().trim().parse().unwrap();
        processes.check().unwrap();
        drop(processes);
        while is_running(helper) {
            assert!(Instant::now() < deadline, "the helper still runs");
            thread::sleep(LOOK);
        }
    }

    #[test]
    fn a_child_that_ended_is_named_with_its_last_words() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let mut processes = Processes::default();
        let script = "echo address in use; exit 1";
        processes.start("coordinator", &log, shell(script)).unwrap();
        let deadline = Instant::now() + ENDS_WITHIN;
        let error = loop {
            assert!(Instant::now() < deadline, "the child did not end");
            if let Err(error) = processes.check() {
                break error.to_string();
            }
            thread::sleep(LOOK);
        };
        assert!(error.contains("coordinator ended"), "{error}");
        assert!(error.contains("address in use"), "{error}");
    }

    #[test]
    fn a_parent_is_read_behind_any_name() {
        assert_eq!(parent_in("7 (a) b) (c) S 42 7 7"), Some(42));
        assert_eq!(parent_in(""), None);
    }
}
