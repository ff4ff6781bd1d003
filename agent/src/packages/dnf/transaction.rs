//! Changing packages by rpm, from files on this host, never from a repository.

use super::{Dnf, complaint, dotted, thought::Thought};
use crate::{
    host::command::Command,
    packages::{
        scripts,
        transaction::{Change, Conditions},
    },
};
use cofferdam_engine::failure::{Failure, FailureKind};
use std::collections::BTreeSet;

/// Installs files whatever version is there, the same one included.
const INSTALL: [&str; 4] = ["-U", "-v", "--oldpackage", "--replacepkgs"];

/// Removes packages by name.
const REMOVE: [&str; 2] = ["-e", "-v"];

/// Leaves out the scripts of what goes.
const NO_LEAVING_SCRIPTS: [&str; 2] = ["--nopreun", "--nopostun"];

/// Has dnf look at nothing but this host.
const NO_REPOSITORY: &str = "--disablerepo=*";

/// What rpm changes.
#[derive(Clone, Copy)]
enum On<'a> {
    /// The host; with the scripts of what goes, or without.
    Host(Conditions<'a>, LeavingScripts),
    /// A copy of its database.
    Thought(Thought<'a>),
}

/// Whether the scripts of packages that go are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LeavingScripts {
    Run,
    LeftOut,
}

impl Dnf {
    /// Makes a change, up or down. Removes nothing but what it names, and what a package says that it takes
    /// the place of. Files whose version is installed already are installed again.
    ///
    /// # Errors
    /// A [`Failure`] by what rpm said; the change may be made in part.
    pub async fn change(&self, change: &Change, on: Conditions<'_>) -> Result<(), Failure> {
        self.make(change, On::Host(on, LeavingScripts::Run)).await
    }

    /// Makes a change without the scripts of packages that go, for when those are what is broken.
    ///
    /// # Errors
    /// A [`Failure`] by what rpm said; the change may be made in part.
    pub async fn force(&self, change: &Change, on: Conditions<'_>) -> Result<(), Failure> {
        self.make(change, On::Host(on, LeavingScripts::LeftOut))
            .await
    }

    /// Makes a change on a copy of the database.
    pub(super) async fn change_in_thought(
        &self,
        change: &Change,
        thought: Thought<'_>,
    ) -> Result<(), Failure> {
        self.make(change, On::Thought(thought)).await
    }

    /// Installs, then removes. Where what goes needs what is replaced, it is the other way round: one run
    /// of rpm does not do both.
    async fn make(&self, change: &Change, on: On<'_>) -> Result<(), Failure> {
        match self.install(change, on).await {
            Err(failure)
                if failure.kind == FailureKind::Dependency && !change.remove.is_empty() =>
            {
                let unmet = self.unmet(on).await?;
                self.remove(change, &["--nodeps"], on).await?;
                self.install(change, on).await?;
                match self.unmet(on).await?.difference(&unmet).next() {
                    None => Ok(()),
                    Some(lack) => Err(Failure::new(FailureKind::Dependency, lack.trim())),
                }
            }
            Err(failure) => Err(failure),
            Ok(()) => self.remove(change, &[], on).await,
        }
    }

    /// What packages lack. Of the host it is not asked: it was found out in thought.
    async fn unmet(&self, on: On<'_>) -> Result<BTreeSet<String>, Failure> {
        match on {
            On::Host(..) => Ok(BTreeSet::new()),
            On::Thought(thought) => self.unmet_in(thought).await,
        }
    }

    async fn install(&self, change: &Change, on: On<'_>) -> Result<(), Failure> {
        if change.install.is_empty() {
            return Ok(());
        }
        let command = self.changing(on).args(INSTALL);
        let command = match on {
            On::Host(..) => command,
            On::Thought(_) => command.arg("--ignoresize"),
        };
        self.must_change(command.arg("--").args(&change.install), on)
            .await
    }

    async fn remove(&self, change: &Change, options: &[&str], on: On<'_>) -> Result<(), Failure> {
        if change.remove.is_empty() {
            return Ok(());
        }
        let names = change.remove.iter().map(|name| dotted(name));
        let command = self.changing(on).args(REMOVE).args(options).arg("--");
        self.must_change(command.args(names), on).await
    }

    fn changing(&self, on: On<'_>) -> Command {
        match on {
            On::Thought(thought) => thought.changing(),
            On::Host(_, scripts) => {
                let rpm = self.rpm();
                let rpm = match scripts {
                    LeavingScripts::Run => rpm,
                    LeavingScripts::LeftOut => rpm.args(NO_LEAVING_SCRIPTS),
                };
                match self.root.is_machine() {
                    true => rpm.low(),
                    false => rpm,
                }
            }
        }
    }

    /// Runs an rpm that changes packages, with a watch over its scripts. One of them that fails after the
    /// files are there is no failure to rpm, and is one here.
    async fn must_change(&self, command: Command, on: On<'_>) -> Result<(), Failure> {
        let On::Host(on, _) = on else {
            return self.must(&command).await.map(drop);
        };
        let command = command
            .deadline(on.deadline)
            .transcript(on.transcript.to_owned())
            .running(&self.running);
        let change = async {
            let output = self.must(&command).await?;
            match complaint::failed_script(&output.text()) {
                None => Ok(()),
                Some(line) => Err(Failure::new(FailureKind::MaintainerScript, line)),
            }
        };
        scripts::watched(change, &self.running, on.script_deadline).await
    }

    /// The names of packages that were installed only because others need them.
    ///
    /// # Errors
    /// A [`Failure`] when dnf cannot be asked.
    pub async fn automatic(&self) -> Result<BTreeSet<String>, Failure> {
        let Ok(dnf) = self.dnf() else {
            // Whoever else installs packages here, dnf knows nothing of what people asked for.
            return Ok(BTreeSet::new());
        };
        let asked = ["repoquery", "--userinstalled", "--qf", "%{name}|%{arch}"];
        let answer = self.answer(&dnf.arg(NO_REPOSITORY).args(asked)).await?;
        let architecture = self.architecture().await?;
        let wanted = super::repositories::names(&answer, &architecture);
        let database = self.database().await?;
        let others = database.0.into_keys().filter(|name| !wanted.contains(name));
        Ok(others.collect())
    }

    /// Marks packages as installed only because others need them, where they are not yet. None: does
    /// nothing.
    ///
    /// # Errors
    /// A [`Failure`] by what dnf said.
    pub async fn mark_automatic(&self, names: &[&str], on: Conditions<'_>) -> Result<(), Failure> {
        if names.is_empty() {
            return Ok(());
        }
        let automatic = self.automatic().await?;
        let is_other = |name: &&&str| !automatic.contains(**name);
        let others: Vec<String> = names.iter().filter(is_other).map(|n| dotted(n)).collect();
        if others.is_empty() {
            return Ok(());
        }
        let command = self
            .dnf()?
            .args([NO_REPOSITORY, "mark", "remove"])
            .args(others);
        self.must_change(command, On::Host(on, LeavingScripts::Run))
            .await
    }
}
