//! Changing packages from files on this host, never from a repository.

use super::{Apt, archive::not_understood, scripts, simulation::Simulation, whole};
use crate::host::{command::Command, durable::FileError};
use cofferdam_engine::failure::Failure;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// What to change, as files to install and names to remove.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Change {
    /// Package files.
    pub install: Vec<PathBuf>,
    /// Names of packages.
    pub remove: Vec<String>,
}

impl Change {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.install.is_empty() && self.remove.is_empty()
    }

    fn arguments(&self) -> Vec<String> {
        let install = self.install.iter().map(|path| path.display().to_string());
        let remove = self.remove.iter().map(|name| format!("{name}-"));
        install.chain(remove).collect()
    }
}

/// The conditions of a change: how long it may take, and where it writes what it does.
#[derive(Debug, Clone, Copy)]
pub struct Conditions<'a> {
    /// How long it may take.
    pub deadline: Duration,
    /// How long each maintainer script may take.
    pub script_deadline: Duration,
    /// The transcript.
    pub transcript: &'a Path,
}

/// Whether apt may take the version that is installed already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// It then does nothing.
    No,
    /// It installs it again.
    Yes,
}

impl Apt {
    /// What a change would do, without doing it.
    ///
    /// # Errors
    /// A [`Failure`] that says why apt cannot do it with these files alone.
    pub async fn rehearse(&self, change: &Change, again: Again) -> Result<Simulation, Failure> {
        let mut command = self
            .offline("apt-get")
            .args(["--simulate", "--allow-downgrades"]);
        if again == Again::Yes {
            command = command.arg("--reinstall");
        }
        self.simulated(command, change).await
    }

    /// What an apt that only simulates says that a change would do.
    pub(super) async fn simulated(
        &self,
        command: Command,
        change: &Change,
    ) -> Result<Simulation, Failure> {
        let command = command.args(["install", "--"]).args(change.arguments());
        let output = self.must(&command).await?;
        whole(&command, &output)?;
        Simulation::parse(&output.stdout.text()).ok_or_else(|| not_understood(&command.to_string()))
    }

    /// Makes a change, up or down. Removes nothing but what it names. Files whose version is
    /// installed already are installed again.
    ///
    /// # Errors
    /// A [`Failure`] by what apt and dpkg said; the change may be made in part.
    pub async fn change(&self, change: &Change, on: Conditions<'_>) -> Result<(), Failure> {
        let mut command =
            self.offline("apt-get")
                .args(["--yes", "--allow-downgrades", "--reinstall"]);
        if change.remove.is_empty() {
            // An apt that finds a package without what it needs, as an interrupted dpkg leaves them, changes
            // nothing without the latter, even when this change puts it right.
            command = command.args(["--no-remove", "--fix-broken"]);
        }
        let command = command.args(["install", "--"]).args(change.arguments());
        self.must_change(command, on).await
    }

    /// Makes a change with dpkg alone, for when apt itself is broken.
    ///
    /// # Errors
    /// A [`Failure`] by what dpkg said; the change may be made in part.
    pub async fn force(&self, change: &Change, on: Conditions<'_>) -> Result<(), Failure> {
        if !change.install.is_empty() {
            let install = self.dpkg().args(["--auto-deconfigure", "--install"]);
            self.must_change(install.args(&change.install), on).await?;
        }
        if !change.remove.is_empty() {
            let remove = self.dpkg().arg("--remove").args(&change.remove);
            self.must_change(remove, on).await?;
        }
        Ok(())
    }

    /// Runs a program that changes packages, with a watch over its maintainer scripts.
    async fn must_change(&self, command: Command, on: Conditions<'_>) -> Result<(), Failure> {
        let command = command
            .deadline(on.deadline)
            .transcript(on.transcript.to_owned())
            .running(&self.running);
        let done = scripts::watched(self.must(&command), &self.running, on.script_deadline);
        done.await.map(drop)
    }

    /// Ends what an interrupted dpkg left half done, but for packages that are about to be replaced: what
    /// their scripts did once they would do again. Nothing was: does nothing.
    ///
    /// # Errors
    /// A [`Failure`] by what dpkg said.
    pub async fn repair(&self, except: &[&str], on: Conditions<'_>) -> Result<(), Failure> {
        let database = self.database().await?;
        let others = database
            .unconfigured()
            .filter(|name| !except.contains(name));
        let others: Vec<&str> = others.collect();
        let command = match others.as_slice() {
            [] if self.is_interrupted()? => self.dpkg().args(["--triggers-only", "--pending"]),
            [] => return Ok(()),
            others => self.dpkg().arg("--configure").args(others),
        };
        let unfinished = others.join(", ");
        tracing::warn!(
            unfinished,
            "dpkg was interrupted before: its work is ended first"
        );
        self.must_change(command, on).await
    }

    /// Whether dpkg left updates of its database that are not merged: apt refuses to work then.
    fn is_interrupted(&self) -> Result<bool, FileError> {
        let folder = self.root.join("var/lib/dpkg/updates");
        match fs::read_dir(&folder) {
            Ok(mut entries) => Ok(entries.next().is_some()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(FileError::of("reading", &folder)(error)),
        }
    }

    /// The names of packages that were installed only because others need them.
    ///
    /// # Errors
    /// A [`Failure`] when apt cannot be asked.
    pub async fn automatic(&self) -> Result<BTreeSet<String>, Failure> {
        let output = self.must(&self.offline("apt-mark").arg("showauto")).await?;
        Ok(output.stdout.text().lines().map(str::to_owned).collect())
    }

    /// Marks packages as installed only because others need them. None: does nothing.
    ///
    /// # Errors
    /// A [`Failure`] by what apt said.
    pub async fn mark_automatic(&self, names: &[&str], on: Conditions<'_>) -> Result<(), Failure> {
        if names.is_empty() {
            return Ok(());
        }
        let command = self.offline("apt-mark").args(["auto", "--"]).args(names);
        self.must_change(command, on).await
    }
}
