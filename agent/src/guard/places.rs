//! Where the guard keeps its files.

use crate::packages::RUNNING;
use std::path::{Path, PathBuf};

/// The agent's program, where its packages put it: hooks call it.
pub const PROGRAM: &str = "/usr/bin/cofferdam-agent";

/// The guard's files below the agent's own two folders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    state_dir: PathBuf,
    run_dir: PathBuf,
}

impl Places {
    /// The places below the agent's state folder and its run folder.
    pub fn new(state_dir: &Path, run_dir: &Path) -> Self {
        Self {
            state_dir: state_dir.to_owned(),
            run_dir: run_dir.to_owned(),
        }
    }

    /// The agent's folder for what must last.
    pub fn state_dir(&self) -> &Path {
        &self.state_dir
    }

    /// The agent's folder for what ends with a reboot.
    pub fn run_dir(&self) -> &Path {
        &self.run_dir
    }

    /// What was written where. Absent: the guard is not installed.
    pub fn manifest(&self) -> PathBuf {
        self.state_dir.join("guard/manifest.json")
    }

    /// Locked by whoever installs or uninstalls, while drop-ins are not as the manifest says.
    pub fn installing(&self) -> PathBuf {
        self.state_dir.join("guard/installing")
    }

    /// What happened.
    pub fn events(&self) -> PathBuf {
        self.state_dir.join("guard/events.json")
    }

    /// Drop-ins that a person had changed when the guard went.
    pub fn saved(&self) -> PathBuf {
        self.state_dir.join("guard/saved")
    }

    /// The agent's clock, to tell the time as it does.
    pub fn clock(&self) -> PathBuf {
        self.state_dir.join("clock")
    }

    /// The change of packages that the agent itself makes, while it does.
    pub fn own_change(&self) -> PathBuf {
        self.state_dir.join(RUNNING)
    }

    /// The window that a person opened.
    pub fn window(&self) -> PathBuf {
        self.run_dir.join("guard/window.json")
    }

    /// The reservation that an operator has of this host.
    pub fn reserved(&self) -> PathBuf {
        self.run_dir.join("guard/reserved.json")
    }

    /// The apt that was last let pass, so that its dpkg passes too.
    pub fn let_pass(&self) -> PathBuf {
        self.run_dir.join("guard/let-pass")
    }

    /// Whoever was last let pass, by whatever channel: what it changed is looked at once it has ended.
    pub fn passed(&self) -> PathBuf {
        self.run_dir.join("guard/passed")
    }

    /// The process of the agent. Absent: it has not run in this boot.
    pub fn agent(&self) -> PathBuf {
        self.run_dir.join("guard/agent")
    }

    /// The agent's last sign of life.
    pub fn alive(&self) -> PathBuf {
        self.run_dir.join("guard/alive")
    }
}
