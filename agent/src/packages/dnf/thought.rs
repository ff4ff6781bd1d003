//! A change in thought: made by rpm itself on a copy of its database, without files and scripts.

use super::{Dnf, database};
use crate::{
    host::{command::Command, durable::FileError},
    packages::{
        database::Database,
        simulation::{Install, Simulation},
        transaction::{Again, Change},
    },
};
use cofferdam_engine::failure::{Failure, FailureKind};
use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

/// Has rpm change its database and nothing else.
const ONLY_BOOK: [&str; 3] = ["--justdb", "--noscripts", "--notriggers"];

/// A copy of rpm's database.
#[derive(Debug, Clone, Copy)]
pub(super) struct Thought<'a>(pub(super) &'a Path);

impl Thought<'_> {
    /// rpm, changing the copy alone.
    pub(super) fn changing(self) -> Command {
        self.rpm().args(ONLY_BOOK)
    }

    fn rpm(self) -> Command {
        Command::new("rpm").arg("--dbpath").arg(self.0)
    }
}

impl Dnf {
    /// What a change would do, without doing it.
    ///
    /// # Errors
    /// A [`Failure`] that says why rpm cannot do it with these files alone.
    pub async fn rehearse(&self, change: &Change, _again: Again) -> Result<Simulation, Failure> {
        let folder = self.emptied("thought")?;
        self.rehearse_after(&[], change, &folder).await
    }

    /// What a change would do on a host on which these package files were installed before, without doing
    /// either. Copies rpm's database into an empty folder.
    ///
    /// # Errors
    /// A [`Failure`] that says why rpm could not do it with its files alone.
    pub async fn rehearse_after(
        &self,
        installed: &[PathBuf],
        change: &Change,
        folder: &Path,
    ) -> Result<Simulation, Failure> {
        self.refuse_side_by_side(installed).await?;
        self.refuse_side_by_side(&change.install).await?;
        let from = self.database_folder().await?;
        copy(&from, folder).map_err(FileError::of("copying", &from))?;
        let thought = Thought(folder);
        let first = Change {
            install: installed.to_vec(),
            remove: Vec::new(),
        };
        self.change_in_thought(&first, thought).await?;
        let before = self.database_in(thought).await?;
        self.change_in_thought(change, thought).await?;
        Ok(between(&before, &self.database_in(thought).await?))
    }

    /// The packages of a copy of the database.
    async fn database_in(&self, thought: Thought<'_>) -> Result<Database, Failure> {
        let command = thought.rpm().args(["-qa", "--qf", database::FORMAT]);
        let architecture = self.architecture().await?;
        Ok(database::parse(
            &self.answer(&command).await?,
            &architecture,
        ))
    }

    /// What packages of a copy of the database need and nothing in it stands for, in rpm's words.
    pub(super) async fn unmet_in(&self, thought: Thought<'_>) -> Result<BTreeSet<String>, Failure> {
        let command = thought.rpm().args([
            "-Va",
            "--nofiles",
            "--noscripts",
            "--nodigest",
            "--nosignature",
        ]);
        // Its status says only whether there is any.
        let output = self.runner.run(&command).await?;
        Ok(output.stdout.text().lines().map(str::to_owned).collect())
    }

    /// Refuses what is installed beside its older versions: rpm would put it in their place.
    async fn refuse_side_by_side(&self, files: &[PathBuf]) -> Result<(), Failure> {
        for file in files {
            let name = self.label(file).await?.name;
            let stands_for = self.relations(file).await?.stands_for;
            let is_marked = stands_for.iter().any(|it| it.starts_with(SIDE_BY_SIDE));
            if is_marked || name == "kernel" {
                let detail = format!(
                    "{name} is installed beside its older versions, which is not done on hosts with \
                     rpm yet: leave it out of the patch, or out of what dnf takes (`excludepkgs` in \
                     dnf.conf)"
                );
                return Err(Failure::new(FailureKind::Unsupported, detail));
            }
        }
        Ok(())
    }
}

/// How packages are marked that are installed beside their older versions, in what they stand for.
const SIDE_BY_SIDE: &str = "installonlypkg(";

/// What makes one set of packages of another.
pub(super) fn between(before: &Database, after: &Database) -> Simulation {
    let is_new = |(name, _): &(&String, &_)| before.0.get(*name) != after.0.get(*name);
    let installs = after.0.iter().filter(is_new).map(|(name, entry)| Install {
        name: name.clone(),
        installed: before.0.get(name).map(|entry| entry.version.clone()),
        version: entry.version.clone(),
        origins: Vec::new(),
    });
    let is_gone = |name: &&String| !after.0.contains_key(*name);
    Simulation {
        installs: installs.collect(),
        removals: before.0.keys().filter(is_gone).cloned().collect(),
    }
}

/// Copies the files of a database. A host without one gets none.
fn copy(from: &Path, into: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(from) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), into.join(entry.file_name()))?;
        }
    }
    Ok(())
}
