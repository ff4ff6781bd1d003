//! Packages through the host's package manager, by its own commands: apt and dpkg here, dnf and rpm in
//! [`dnf`]; [`Manager`] is either.
//!
//! Running a tool is one function, reading its output another: the readers are pure and have saved
//! samples. Nothing here decides: [`crate::step`] does.

pub mod afterwards;
pub mod archive;
pub mod at_work;
pub mod choice;
pub mod complaint;
pub mod conf;
pub mod conffile;
pub mod database;
pub mod dnf;
mod kernel;
pub mod manager;
pub mod needs;
pub mod same;
pub mod scripts;
pub mod simulation;
pub mod stanza;
pub mod transaction;
pub mod upgrade;
pub mod verify;
mod waiting;

pub use dnf::Dnf;
pub use manager::Manager;

use crate::host::{
    command::{Command, Output, Runner},
    durable::{self, FileError},
    leftover,
    locks::{self, Holder},
    root::Root,
};
use cofferdam_engine::failure::{Failure, FailureKind};
use database::Database;
use stanza::Label;
use std::{
    fs,
    num::NonZeroU32,
    path::{Path, PathBuf},
    rc::Rc,
    time::Duration,
};
use tokio::time::Instant;

/// The file that apt locks while it updates its lists, below the root.
pub const LISTS_LOCK: &str = "var/lib/apt/lists/lock";

/// The files that dpkg and apt lock while they change packages, below the root.
pub const CHANGE_LOCKS: [&str; 3] = [
    "var/lib/dpkg/lock-frontend",
    "var/lib/dpkg/lock",
    "var/cache/apt/archives/lock",
];

/// Where a package manager's process is written down while it changes the host, in the state folder:
/// whichever it is, the guard looks there.
pub(crate) const RUNNING: &str = "apt/running";

/// The wait between two looks at a lock (guess).
pub const LOCK_POLL: Duration = Duration::from_millis(250);

/// apt and dpkg on one root.
pub struct Apt {
    root: Root,
    runner: Rc<dyn Runner>,
    online: PathBuf,
    offline: PathBuf,
    no_lists: PathBuf,
    running: PathBuf,
    updated: tokio::sync::Mutex<Option<Instant>>,
}

impl Apt {
    /// Takes apt and dpkg on a root; writes their configuration into a state folder. apt fetches no
    /// more than `rate` KiB a second; absent: as fast as it can.
    ///
    /// # Errors
    /// [`FileError`] when the configuration cannot be written, or another root's folders for apt
    /// cannot be made.
    pub fn new(
        root: Root,
        state_dir: &Path,
        runner: Rc<dyn Runner>,
        rate: Option<NonZeroU32>,
    ) -> Result<Self, FileError> {
        let folder = state_dir.join("apt");
        let no_lists = folder.join("no-lists");
        let mut folders = vec![no_lists.join("partial")];
        if !root.is_machine() {
            let needed = [
                "var/lib/apt/lists/partial",
                "var/cache/apt/archives/partial",
                "var/log/apt",
            ];
            folders.extend(needed.map(|inner| root.join(inner)));
        }
        for folder in folders {
            fs::create_dir_all(&folder).map_err(FileError::of("making", &folder))?;
        }
        let (online, offline) = (folder.join("online.conf"), folder.join("offline.conf"));
        durable::write(&online, conf::online(&root, rate).as_bytes())?;
        durable::write(&offline, conf::offline(&root, &no_lists).as_bytes())?;
        Ok(Self {
            root,
            runner,
            online,
            offline,
            no_lists,
            running: state_dir.join(RUNNING),
            updated: tokio::sync::Mutex::default(),
        })
    }

    /// The host's package architecture, as in `amd64`.
    ///
    /// # Errors
    /// A [`Failure`] when dpkg does not say.
    pub async fn architecture(&self) -> Result<String, Failure> {
        let output = self
            .must(&Command::new("dpkg").arg("--print-architecture"))
            .await?;
        Ok(output.stdout.text().trim().to_owned())
    }

    /// What is on the host, as dpkg's own database says it.
    ///
    /// # Errors
    /// A [`Failure`] when the database cannot be read.
    pub async fn database(&self) -> Result<Database, Failure> {
        let architecture = self.architecture().await?;
        let answer = self.query(database::FORMAT).await?;
        Ok(Database::parse(&answer, &architecture))
    }

    /// What dpkg's database says of every package, in a format of dpkg-query.
    async fn query(&self, format: &str) -> Result<String, Failure> {
        self.query_of(format, &[]).await
    }

    /// The same, of these packages, as far as it knows them.
    async fn query_of(&self, format: &str, names: &[&str]) -> Result<String, Failure> {
        let command = Command::new("dpkg-query")
            .arg(format!(
                "--admindir={}",
                self.root.join("var/lib/dpkg").display()
            ))
            .args(["--show", "--showformat", format, "--"])
            .args(names);
        let output = self.runner.run(&command).await?;
        let is_empty = output.stderr.text().contains("no packages found");
        if !output.is_success() && !is_empty {
            return Err(complaint::failure(&command, &output));
        }
        whole(&command, &output)?;
        Ok(output.stdout.text())
    }

    /// What a package file says of itself.
    ///
    /// # Errors
    /// A [`Failure`] when it is no package, or a damaged one.
    pub async fn label(&self, deb: &Path) -> Result<Label, Failure> {
        let command = Command::new("dpkg-deb").arg("--field").arg(deb).args([
            "Package",
            "Version",
            "Architecture",
            "Installed-Size",
        ]);
        let output = self.must(&command).await?;
        Label::parse(&output.stdout.text()).ok_or_else(|| {
            let what = format!("{} does not say which package it is", deb.display());
            Failure::new(FailureKind::PackageManager, what)
        })
    }

    /// The name of the package that a label is of, as the database has it.
    ///
    /// # Errors
    /// A [`Failure`] when dpkg does not say which architecture the host is of.
    pub async fn name_of(&self, label: &Label) -> Result<String, Failure> {
        let native = self.architecture().await?;
        Ok(database::full_name(
            &label.name,
            &label.architecture,
            &native,
        ))
    }

    /// Waits until nobody else holds any of these locks, and until a change that an earlier agent
    /// began and did not see the end of is over.
    ///
    /// # Errors
    /// [`FailureKind::Locked`] with the holder's name when one does for all of `limit`.
    pub async fn wait_for_locks(&self, files: &[&str], limit: Duration) -> Result<(), Failure> {
        waiting::until_free(|| self.lock_holder(files), limit).await
    }

    /// Waits until nobody else changes packages, as long as `limit`.
    ///
    /// # Errors
    /// [`FailureKind::Locked`] with the holder's name when one does for all of it.
    pub async fn wait_to_change(&self, limit: Duration) -> Result<(), Failure> {
        self.wait_for_locks(&CHANGE_LOCKS, limit).await
    }

    /// The file of dpkg's database that it writes anew with each change.
    pub fn book(&self) -> PathBuf {
        self.root.join("var/lib/dpkg/status")
    }

    /// Where it writes down which process changes packages.
    fn running(&self) -> &Path {
        &self.running
    }

    fn lock_holder(&self, files: &[&str]) -> Result<Option<Holder>, Failure> {
        if let Some(left) = leftover::find(&self.running)? {
            return Ok(Some(left));
        }
        for file in files {
            let path = self.root.join(file);
            let holder = locks::holder(&path).map_err(FileError::of("asking who locks", &path))?;
            if holder.is_some() {
                return Ok(holder);
            }
        }
        Ok(None)
    }

    /// A program of apt that may look at the repositories.
    fn online(&self, program: &str) -> Command {
        self.with(program, &self.online).args(conf::last_word())
    }

    /// A program of apt that knows only this host.
    fn offline(&self, program: &str) -> Command {
        self.with(program, &self.offline).args(conf::last_word())
    }

    /// dpkg itself, on this root.
    fn dpkg(&self) -> Command {
        self.with("dpkg", &self.offline)
            .args(conf::dpkg_options(&self.root))
    }

    /// A program with this configuration. On the machine itself it yields to the host's own work; on
    /// another root there is none.
    fn with(&self, program: &str, conf: &Path) -> Command {
        let command = with_environment(program, conf);
        match self.root.is_machine() {
            true => command.low(),
            false => command,
        }
    }

    /// Runs a program that has to end with status 0, and keeps what it said whole.
    async fn must(&self, command: &Command) -> Result<Output, Failure> {
        let output = self.runner.run(command).await?;
        if !output.is_success() {
            return Err(complaint::failure(command, &output));
        }
        Ok(output)
    }
}

/// Never a question, whoever would ask it: debconf, apt's own helpers, needrestart, which may only
/// list what it would restart.
fn with_environment(program: &str, conf: &Path) -> Command {
    Command::new(program)
        .env("APT_CONFIG", conf)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .env("DEBIAN_PRIORITY", "critical")
        .env("APT_LISTCHANGES_FRONTEND", "none")
        .env("APT_LISTBUGS_FRONTEND", "none")
        .env("NEEDRESTART_MODE", "l")
        .env("UCF_FORCE_CONFFOLD", "1")
}

/// An answer that lost its middle must not be taken for a whole one.
fn whole(command: &Command, output: &Output) -> Result<(), Failure> {
    if output.stdout.missing == 0 {
        return Ok(());
    }
    let detail = format!(
        "the answer of {} is too long to be read",
        command.program.to_string_lossy()
    );
    Err(Failure::new(FailureKind::PackageManager, detail))
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
pub(crate) mod lab;
#[cfg(test)]
mod tests;
