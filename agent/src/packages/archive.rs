//! What the repositories offer: update, look up, fetch.

use super::{Apt, LISTS_LOCK, conf, simulation::Simulation, stanza, whole};
use crate::host::durable::FileError;
use cofferdam_engine::{
    failure::{Failure, FailureKind},
    package::PackageFormat,
    patch::{LockedPackage, VersionWish},
};
use std::{
    collections::BTreeMap,
    fs,
    num::NonZeroU32,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::time::Instant;

/// How long an update may take (guess: apt's own time-outs are 30 s a repository and try).
const UPDATE_DEADLINE: Duration = Duration::from_secs(300);
/// How long fetching a patch's packages may take (guess: 1 GB at 2 Mbit/s).
const FETCH_DEADLINE: Duration = Duration::from_secs(4000);

/// How package files are fetched.
#[derive(Debug, Clone, Copy)]
pub struct Download<'a> {
    /// Into which folder.
    pub folder: &'a Path,
    /// Where it is written down how.
    pub transcript: &'a Path,
    /// No faster than this, in KiB a second, instead of what the host says. Absent: as that says.
    pub rate: Option<NonZeroU32>,
}

/// A package and a version of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exactly<'a> {
    /// The package's name.
    pub name: &'a str,
    /// The version.
    pub version: &'a str,
}

impl Exactly<'_> {
    fn argument(&self) -> String {
        format!("{}={}", self.name, self.version)
    }
}

impl Apt {
    /// Brings the lists of what the repositories offer up to date, unless an update that was begun
    /// after `since` has done so. One at a time: those who ask while one runs share the next.
    /// Another program that updates is waited for, as long as `lock_wait`.
    ///
    /// # Errors
    /// A [`Failure`] when any repository could not be read whole.
    pub async fn update(&self, since: Instant, lock_wait: Duration) -> Result<(), Failure> {
        // Held while apt works: being the only one is what it is for.
        let mut updated = self.updated.lock().await;
        if updated.is_some_and(|begun| begun >= since) {
            return Ok(());
        }
        self.wait_for_locks(&[LISTS_LOCK], lock_wait).await?;
        let begun = Instant::now();
        let command = self
            .online("apt-get")
            .arg("update")
            .deadline(UPDATE_DEADLINE);
        self.must(&command).await?;
        *updated = Some(begun);
        Ok(())
    }

    /// What an installation from the repositories would do, without doing it.
    ///
    /// # Errors
    /// [`FailureKind::NotFound`] names what no repository has; any other [`Failure`] says why apt
    /// cannot.
    pub async fn simulate(
        &self,
        packages: &BTreeMap<String, VersionWish>,
    ) -> Result<Simulation, Failure> {
        let wishes = packages.iter().map(|(name, wish)| match wish {
            VersionWish::Latest => name.clone(),
            VersionWish::Exactly(version) => Exactly { name, version }.argument(),
        });
        let command = self
            .online("apt-get")
            .args(["--simulate", "--allow-downgrades", "install", "--"])
            .args(wishes);
        let output = self.must(&command).await?;
        whole(&command, &output)?;
        Simulation::parse(&output.stdout.text()).ok_or_else(|| not_understood(&command.to_string()))
    }

    /// Hashes and sizes of versions of packages, as the repositories tell them, in the same order.
    /// Absent: no repository has it.
    ///
    /// # Errors
    /// A [`Failure`] when apt cannot be asked.
    pub async fn locked(
        &self,
        wanted: &[Exactly<'_>],
    ) -> Result<Vec<Option<LockedPackage>>, Failure> {
        let answer = self.show(wanted).await?;
        let locked = wanted
            .iter()
            .map(|one| stanza::locked(&answer, one.name, one.version));
        Ok(locked.collect())
    }

    /// The stanzas of versions of packages.
    pub(super) async fn show(&self, wanted: &[Exactly<'_>]) -> Result<String, Failure> {
        let command = self
            .online("apt-cache")
            .args(["show", "--"])
            .args(wanted.iter().map(Exactly::argument));
        // Its status says only that one of them is not there.
        let output = self.runner.run(&command).await?;
        whole(&command, &output)?;
        Ok(output.stdout.text())
    }

    /// Fetches package files into an empty folder, and writes down how. What was fetched before one
    /// failed stays there.
    ///
    /// # Errors
    /// A [`Failure`] when not all could be fetched; apt has checked the hashes of those that were.
    pub async fn fetch(
        &self,
        wanted: &[Exactly<'_>],
        download: Download<'_>,
    ) -> Result<(), Failure> {
        let limits = download.rate.map(conf::limits).into_iter().flatten();
        let limits = limits.flat_map(|(key, rate)| ["-o".to_owned(), format!("{key}={rate}")]);
        let command = self
            .online("apt-get")
            .args(limits)
            .args(["download", "--"])
            .args(wanted.iter().map(Exactly::argument))
            .within(download.folder)
            .deadline(FETCH_DEADLINE)
            .transcript(download.transcript.to_owned());
        self.must(&command).await.map(drop)
    }

    /// The files in apt's own cache that may be a version of a package, by their names.
    ///
    /// # Errors
    /// A [`Failure`] when the cache is there and cannot be read.
    pub fn cached(&self, wanted: Exactly<'_>) -> Result<Vec<PathBuf>, Failure> {
        let folder = self.root.join("var/cache/apt/archives");
        if !folder.exists() {
            return Ok(Vec::new());
        }
        let base = stanza::base(wanted.name);
        let start = format!("{base}_{}_", wanted.version.replace(':', "%3a"));
        let mut debs = files_in(&folder, PackageFormat::Deb)?;
        debs.retain(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with(&start)
        });
        Ok(debs)
    }
}

/// The package files in a folder, in order of names.
///
/// # Errors
/// [`FileError`] when the folder cannot be read.
pub fn files_in(folder: &Path, format: PackageFormat) -> Result<Vec<PathBuf>, FileError> {
    let reading = || -> std::io::Result<Vec<PathBuf>> {
        fs::read_dir(folder)?
            .map(|entry| Ok(entry?.path()))
            .collect()
    };
    let mut files = reading().map_err(FileError::of("reading", folder))?;
    files.retain(|path| {
        let ending = path.extension();
        ending.is_some_and(|ending| ending == format.ending())
    });
    files.sort();
    Ok(files)
}

pub(super) fn not_understood(command: &str) -> Failure {
    let detail = format!("the answer of `{command}` is not understood");
    Failure::new(FailureKind::PackageManager, detail)
}
