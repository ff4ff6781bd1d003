//! Packages through dnf and rpm, by their own commands.
//!
//! dnf looks at repositories: it resolves, fetches, and knows what people asked for. rpm changes the host,
//! from files of the keep alone: it does what it is told, and never more. What a change would do is found
//! out on a copy of rpm's database, by the same commands.

pub mod complaint;
pub mod conffile;
pub mod database;
pub mod files;
pub mod holder;
pub mod label;
pub mod repositories;
pub mod same;
pub mod thought;
pub mod transaction;
pub mod verify;

pub use repositories::Repositories;

use super::{RUNNING, database::Database, stanza::Label, waiting, whole};
use crate::host::{
    command::{Command, Output, Runner},
    durable::FileError,
    root::Root,
};
use cofferdam_engine::failure::{Failure, FailureKind};
use std::{
    fs,
    num::NonZeroU32,
    path::{Path, PathBuf},
    rc::Rc,
    time::Duration,
};
use tokio::{sync::OnceCell, time::Instant};

/// dnf and rpm on one root.
pub struct Dnf {
    root: Root,
    runner: Rc<dyn Runner>,
    repositories: Repositories,
    rate: Option<NonZeroU32>,
    /// Its folder in the agent's own.
    folder: PathBuf,
    running: PathBuf,
    /// Where rpm has its database, as seen from within the root.
    database: OnceCell<PathBuf>,
    updated: tokio::sync::Mutex<Option<Instant>>,
}

impl Dnf {
    /// Where it writes down which process changes packages.
    pub(super) fn running(&self) -> &Path {
        &self.running
    }

    /// Takes dnf and rpm on a root, with a state folder. dnf fetches no more than `rate` KiB a second;
    /// absent: as fast as it can.
    ///
    /// # Errors
    /// [`FileError`] when its folders in the state folder cannot be made.
    pub fn new(
        root: Root,
        state_dir: &Path,
        runner: Rc<dyn Runner>,
        rate: Option<NonZeroU32>,
        repositories: Repositories,
    ) -> Result<Self, FileError> {
        let (folder, running) = (state_dir.join("dnf"), state_dir.join(RUNNING));
        for folder in [Some(folder.as_path()), running.parent()]
            .into_iter()
            .flatten()
        {
            fs::create_dir_all(folder).map_err(FileError::of("making", folder))?;
        }
        Ok(Self {
            root,
            runner,
            repositories,
            rate,
            folder,
            running,
            database: OnceCell::new(),
            updated: tokio::sync::Mutex::default(),
        })
    }

    /// The host's package architecture, as in `x86_64`.
    ///
    /// # Errors
    /// A [`Failure`] when rpm does not say.
    pub async fn architecture(&self) -> Result<String, Failure> {
        self.eval("%{_arch}").await
    }

    /// What is on the host, as rpm's own database says it.
    ///
    /// # Errors
    /// A [`Failure`] when the database cannot be read.
    pub async fn database(&self) -> Result<Database, Failure> {
        let command = self.rpm().args(["-qa", "--qf", database::FORMAT]);
        let architecture = self.architecture().await?;
        Ok(database::parse(
            &self.answer(&command).await?,
            &architecture,
        ))
    }

    /// The file of rpm's database, in which it writes each change.
    ///
    /// # Errors
    /// A [`Failure`] when rpm does not say where it is.
    pub async fn book(&self) -> Result<PathBuf, Failure> {
        let folder = self.database_folder().await?;
        let files = super::choice::RPM_FILES.map(|file| folder.join(file));
        let book = files.into_iter().find(|file| file.exists());
        Ok(book.unwrap_or(folder))
    }

    /// What a package file says of itself.
    ///
    /// # Errors
    /// A [`Failure`] when it is no package, or a damaged one.
    pub async fn label(&self, file: &Path) -> Result<Label, Failure> {
        let answer = self.ask_file(file, label::FORMAT).await?;
        label::parse(&answer).ok_or_else(|| {
            let what = format!("{} does not say which package it is", file.display());
            Failure::new(FailureKind::PackageManager, what)
        })
    }

    /// The name of the package that a label is of, as the database has it.
    ///
    /// # Errors
    /// A [`Failure`] when rpm does not say which architecture the host is of.
    pub async fn name_of(&self, label: &Label) -> Result<String, Failure> {
        Ok(label::name(label, &self.architecture().await?))
    }

    /// Waits until nobody else changes packages, as long as `limit`.
    ///
    /// # Errors
    /// [`FailureKind::Locked`] with the holder's name when one does for all of it.
    pub async fn wait_to_change(&self, limit: Duration) -> Result<(), Failure> {
        let book = self.database_folder().await?.join(holder::RPM_LOCK);
        let find = || holder::of_change(&self.root, &book, &self.running);
        waiting::until_free(find, limit).await
    }

    /// What a package file says, in a format of rpm's.
    pub(super) async fn ask_file(&self, file: &Path, format: &str) -> Result<String, Failure> {
        let command = Command::new("rpm").args(["-qp", "--qf", format]).arg(file);
        self.answer(&command).await
    }

    /// The folder of rpm's database on this machine.
    async fn database_folder(&self) -> Result<PathBuf, Failure> {
        let inner = self
            .database
            .get_or_try_init(|| async { self.eval("%{_dbpath}").await.map(PathBuf::from) })
            .await?;
        let place = self.root.resolve(inner);
        Ok(place.map_err(FileError::of("looking up", inner))?)
    }

    /// The value of one of rpm's macros.
    async fn eval(&self, of: &str) -> Result<String, Failure> {
        let command = Command::new("rpm").args(["--eval", of]);
        Ok(self.answer(&command).await?.trim().to_owned())
    }

    /// rpm on this root.
    fn rpm(&self) -> Command {
        let rpm = Command::new("rpm");
        match self.root.is_machine() {
            true => rpm,
            false => rpm.arg("--root").arg(self.root.path()),
        }
    }

    /// The whole answer of a program that has to end with status 0.
    async fn answer(&self, command: &Command) -> Result<String, Failure> {
        let output = self.must(command).await?;
        whole(command, &output)?;
        Ok(output.stdout.text())
    }

    async fn must(&self, command: &Command) -> Result<Output, Failure> {
        let output = self.runner.run(command).await?;
        if !output.is_success() {
            return Err(complaint::failure(command, &output));
        }
        Ok(output)
    }

    /// An empty folder for one purpose.
    fn emptied(&self, purpose: &str) -> Result<PathBuf, FileError> {
        let folder = self.folder.join(purpose);
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(FileError::of("emptying", &folder)(error));
            }
            Ok(()) | Err(_) => {}
        }
        fs::create_dir_all(&folder).map_err(FileError::of("making", &folder))?;
        Ok(folder)
    }
}

/// What rpm and dnf call a package of another architecture than the host's: `glibc.i686` for our
/// `glibc:i686`.
fn dotted(name: &str) -> String {
    name.replacen(':', ".", 1)
}

#[cfg(test)]
pub(crate) mod lab;
