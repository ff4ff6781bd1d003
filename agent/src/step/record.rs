//! What a rollout staged on this host, and what the host had before it: the way back.
//!
//! ```text
//! rollouts/ROLLOUT/staged.json   the bits that staging proved
//! rollouts/ROLLOUT/before.json   what the host had, written before anything is changed
//! ```
//!
//! The two are versioned JSON, replaced whole. `before.json` outlives the run, so that an operator's
//! later rollback finds it; it says no more than that there is nothing to undo once that is done or
//! a later rollout has changed the same packages or file.

use crate::{
    config_file::OldFile,
    host::durable::{self, FileError},
};
use cofferdam_engine::{
    digest::Digest,
    failure::{Failure, FailureKind},
    id::RolloutId,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

/// The version of both formats that this program reads and writes.
const FORMAT: u32 = 1;

/// What staging proved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Staged {
    /// The digest of the lock file.
    pub lock_digest: Digest,
    /// All bits, new and old.
    pub bits: BTreeSet<Digest>,
}

/// What the host had before a rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    /// The how-manieth change of this host it is: orders the records of one host.
    pub number: u64,
    /// The digest of the rollout's lock file.
    pub lock_digest: Digest,
    /// Whether there is something to undo.
    pub phase: Phase,
    /// What the host had.
    pub was: Was,
}

/// Whether there is something to undo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// The rollout changes the host, or has changed it.
    Begun,
    /// The host is back at what it had.
    Undone,
    /// A later rollout has changed the same packages or file.
    Superseded,
}

/// What a host had, by the kind of the patch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Was {
    /// The packages that the patch changes, in order of names.
    Packages {
        /// One entry a package; those that were as wanted already are left out.
        packages: Vec<PackageWas>,
    },
    /// The config file that it replaces.
    Config(ConfigWas),
    /// Nothing is changed.
    Noop,
}

/// What a host had of one package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageWas {
    /// The package's name.
    pub name: String,
    /// The version that the patch installs.
    pub new_version: String,
    /// What was installed. Absent: nothing, so the way back is to remove it.
    pub old: Option<OldPackage>,
}

/// A package as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OldPackage {
    /// Its version.
    pub version: String,
    /// Its file in the keep. Absent: not to be had, and the rollout was `one_way`.
    pub sha256: Option<Digest>,
    /// Whether it was installed only because others need it.
    pub automatic: bool,
    /// Whether the host's people had it on hold.
    pub on_hold: bool,
}

/// What a host had of a config file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigWas {
    /// The file's path on the root.
    pub path: PathBuf,
    /// The content that the patch writes.
    pub new: Digest,
    /// What was there. Absent: nothing.
    pub old: Option<OldFile>,
    /// The unit to reload. Absent: none.
    pub reload: Option<String>,
}

impl Was {
    /// The bits that the way back needs.
    fn bits(&self) -> Vec<Digest> {
        match self {
            Self::Packages { packages } => packages
                .iter()
                .filter_map(|package| package.old.as_ref()?.sha256)
                .collect(),
            Self::Config(config) => config.old.iter().map(|old| old.sha256).collect(),
            Self::Noop => Vec::new(),
        }
    }

    /// Whether a later rollout that did this changed something that this one did.
    fn is_changed_by(&self, later: &Self) -> bool {
        match (self, later) {
            (Self::Packages { packages }, Self::Packages { packages: others }) => packages
                .iter()
                .any(|one| others.iter().any(|other| one.name == other.name)),
            (Self::Config(one), Self::Config(other)) => one.path == other.path,
            (Self::Packages { .. } | Self::Config(_) | Self::Noop, _) => false,
        }
    }
}

/// The records of all rollouts on this host.
#[derive(Debug)]
pub struct Records {
    folder: PathBuf,
}

/// A record could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Its file could not be.
    #[error(transparent)]
    File(#[from] FileError),
    /// It is not what this program writes.
    #[error("the record {path} is damaged")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where.
        #[source]
        source: serde_json::Error,
    },
    /// Another version of the agent wrote it.
    #[error("the record {path} has format {found}, {FORMAT} is expected")]
    OtherFormat {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
}

impl From<RecordError> for Failure {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::File(error) => error.into(),
            RecordError::Damaged { ref source, .. } => {
                Self::new(FailureKind::Io, format!("{error}: {source}"))
            }
            RecordError::OtherFormat { .. } => Self::new(FailureKind::Io, error.to_string()),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Versioned<T> {
    version: u32,
    #[serde(flatten)]
    record: T,
}

impl Records {
    /// The records in a state folder.
    pub fn new(state_dir: &Path) -> Self {
        let folder = state_dir.join("rollouts");
        Self { folder }
    }

    /// What staging of a rollout proved. Absent: nothing yet.
    ///
    /// # Errors
    /// [`RecordError`] when that cannot be told.
    pub fn staged(&self, rollout: &RolloutId) -> Result<Option<Staged>, RecordError> {
        load(&self.staged_path(rollout))
    }

    /// Keeps what staging of a rollout proved.
    ///
    /// # Errors
    /// [`RecordError`] when it cannot be written.
    pub fn save_staged(&self, rollout: &RolloutId, staged: &Staged) -> Result<(), RecordError> {
        save(&self.staged_path(rollout), staged)
    }

    /// What the host had before a rollout. Absent: the rollout has changed nothing yet.
    ///
    /// # Errors
    /// [`RecordError`] when that cannot be told.
    pub fn before(&self, rollout: &RolloutId) -> Result<Option<Before>, RecordError> {
        load(&self.before_path(rollout))
    }

    /// Keeps what the host had before a rollout.
    ///
    /// # Errors
    /// [`RecordError`] when it cannot be written.
    pub fn save_before(&self, rollout: &RolloutId, before: &Before) -> Result<(), RecordError> {
        save(&self.before_path(rollout), before)
    }

    /// The number of the next change of this host.
    ///
    /// # Errors
    /// [`RecordError`] when a record cannot be read.
    pub fn next_number(&self) -> Result<u64, RecordError> {
        let all = self.all_before()?;
        let last = all.values().map(|before| before.number).max();
        Ok(last.unwrap_or(0) + 1)
    }

    /// Forgets what was staged for a rollout, and, where it changed the host, the ways back of
    /// earlier rollouts that it took the place of.
    ///
    /// # Errors
    /// [`RecordError`] when a record cannot be read or written.
    pub fn release(&self, rollout: &RolloutId) -> Result<(), RecordError> {
        let staged = self.staged(rollout)?;
        let Some(done) = self.before(rollout)? else {
            if let Some(staged) = staged {
                self.save_before(rollout, &self.nothing(staged.lock_digest)?)?;
            }
            return Ok(durable_remove(&self.staged_path(rollout))?);
        };
        durable_remove(&self.staged_path(rollout))?;
        if done.phase != Phase::Begun {
            return Ok(());
        }
        for (other, mut before) in self.all_before()? {
            let is_earlier = before.phase == Phase::Begun && before.number < done.number;
            if is_earlier && before.was.is_changed_by(&done.was) {
                before.phase = Phase::Superseded;
                self.save_before(&other, &before)?;
            }
        }
        Ok(())
    }

    /// The record of a rollout that was staged and changed nothing: a later rollback of it is then
    /// told from one that this host knows nothing of.
    fn nothing(&self, lock_digest: Digest) -> Result<Before, RecordError> {
        Ok(Before {
            number: self.next_number()?,
            lock_digest,
            phase: Phase::Undone,
            was: Was::Noop,
        })
    }

    /// The bits that something staged or some way back needs.
    ///
    /// # Errors
    /// [`RecordError`] when a record cannot be read: then nothing must be thrown away.
    pub fn needed_bits(&self) -> Result<BTreeSet<Digest>, RecordError> {
        let mut needed = BTreeSet::new();
        for before in self.all_before()?.into_values() {
            if before.phase == Phase::Begun {
                needed.extend(before.was.bits());
            }
        }
        for rollout in self.rollouts()? {
            if let Some(staged) = self.staged(&rollout)? {
                needed.extend(staged.bits);
            }
        }
        Ok(needed)
    }

    fn all_before(&self) -> Result<BTreeMap<RolloutId, Before>, RecordError> {
        let mut all = BTreeMap::new();
        for rollout in self.rollouts()? {
            if let Some(before) = self.before(&rollout)? {
                all.insert(rollout, before);
            }
        }
        Ok(all)
    }

    fn rollouts(&self) -> Result<Vec<RolloutId>, FileError> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.and_then(Iterator::collect::<io::Result<Vec<_>>>),
        };
        let entries = entries.map_err(FileError::of("reading", &self.folder))?;
        let names = entries
            .iter()
            .filter_map(|entry| entry.file_name().into_string().ok());
        Ok(names.filter_map(|name| RolloutId::new(name).ok()).collect())
    }

    fn staged_path(&self, rollout: &RolloutId) -> PathBuf {
        self.folder.join(rollout.as_str()).join("staged.json")
    }

    fn before_path(&self, rollout: &RolloutId) -> PathBuf {
        self.folder.join(rollout.as_str()).join("before.json")
    }
}

fn durable_remove(path: &Path) -> Result<(), FileError> {
    if !durable::exists(path)? {
        return Ok(());
    }
    durable::remove(path)
}

fn load<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, RecordError> {
    let Some(json) = durable::read(path)? else {
        return Ok(None);
    };
    let damaged = |source| RecordError::Damaged {
        path: path.to_owned(),
        source,
    };
    #[derive(Deserialize)]
    struct Format {
        version: u32,
    }
    let format: Format = serde_json::from_slice(&json).map_err(damaged)?;
    if format.version != FORMAT {
        return Err(RecordError::OtherFormat {
            path: path.to_owned(),
            found: format.version,
        });
    }
    let versioned: Versioned<T> = serde_json::from_slice(&json).map_err(damaged)?;
    Ok(Some(versioned.record))
}

fn save<T: Serialize>(path: &Path, record: &T) -> Result<(), RecordError> {
    let versioned = Versioned {
        version: FORMAT,
        record,
    };
    let json = serde_json::to_vec_pretty(&versioned).expect("plain data becomes JSON");
    let folder = path.parent().unwrap_or(path);
    if !durable::exists(folder)? {
        // The rollout's own folder must outlive a power cut too.
        fs::create_dir_all(folder).map_err(FileError::of("making", folder))?;
        durable::sync_folder(folder.parent().unwrap_or(folder))?;
    }
    Ok(durable::write(path, &json)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rollout(name: &str) -> RolloutId {
        RolloutId::new(name).unwrap()
    }

    fn package(number: u64, name: &str, old: &str) -> Before {
        Before {
            number,
            lock_digest: Digest::of("lock"),
            phase: Phase::Begun,
            was: Was::Packages {
                packages: vec![PackageWas {
                    name: name.to_owned(),
                    new_version: "new".to_owned(),
                    old: Some(OldPackage {
                        version: old.to_owned(),
                        sha256: Some(Digest::of(old)),
                        automatic: true,
                        on_hold: false,
                    }),
                }],
            },
        }
    }

    #[test]
    fn a_record_reads_back_what_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let records = Records::new(folder.path());
        let before = package(1, "tool", "1");
        assert_eq!(records.before(&rollout("r1")).unwrap(), None);
        records.save_before(&rollout("r1"), &before).unwrap();
        assert_eq!(records.before(&rollout("r1")).unwrap(), Some(before));
    }

    /// Written by the first version of the agent; every later one must read it.
    const FIRST: &str = r#"{"version":1,"number":1,
        "lock_digest":"0000000000000000000000000000000000000000000000000000000000000000",
        "phase":"begun","was":{"kind":"config","path":"/etc/a",
        "new":"1111111111111111111111111111111111111111111111111111111111111111",
        "old":{"sha256":"2222222222222222222222222222222222222222222222222222222222222222",
        "mode":420,"uid":0,"gid":0},"reload":"a.service"}}"#;

    #[test]
    fn records_of_the_first_format_are_read_and_others_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rollouts/r1/before.json");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let records = Records::new(folder.path());
        fs::write(&path, FIRST).unwrap();
        assert!(matches!(
            records.before(&rollout("r1")).unwrap().unwrap().was,
            Was::Config(_)
        ));
        for (text, says) in [
            (FIRST.replacen('1', "2", 1), "has format 2"),
            (FIRST.replace("begun", "x"), "is damaged"),
            ("{".to_owned(), "is damaged"),
        ] {
            fs::write(&path, text).unwrap();
            let error = records.before(&rollout("r1")).unwrap_err().to_string();
            assert!(
                error.contains("r1/before.json") && error.contains(says),
                "{error}"
            );
        }
    }

    #[test]
    fn a_way_back_is_needed_until_a_later_rollout_takes_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let records = Records::new(folder.path());
        records
            .save_before(&rollout("r1"), &package(1, "tool", "1"))
            .unwrap();
        records
            .save_before(&rollout("r2"), &package(2, "tool", "2"))
            .unwrap();
        records
            .save_before(&rollout("r3"), &package(3, "other", "3"))
            .unwrap();
        records.release(&rollout("r2")).unwrap();
        let needed = BTreeSet::from([Digest::of("2"), Digest::of("3")]);
        assert_eq!(records.needed_bits().unwrap(), needed);
        let phase = |name| records.before(&rollout(name)).unwrap().unwrap().phase;
        assert_eq!(
            (phase("r1"), phase("r2")),
            (Phase::Superseded, Phase::Begun)
        );
    }

    #[test]
    fn a_late_release_takes_no_way_back_of_a_later_rollout() {
        let folder = tempfile::tempdir().unwrap();
        let records = Records::new(folder.path());
        for (number, name) in [(1, "r1"), (2, "r2")] {
            assert_eq!(records.next_number().unwrap(), number);
            records
                .save_before(&rollout(name), &package(number, "tool", name))
                .unwrap();
        }
        records.release(&rollout("r1")).unwrap();
        let needed = BTreeSet::from([Digest::of("r1"), Digest::of("r2")]);
        assert_eq!(records.needed_bits().unwrap(), needed);
    }

    #[test]
    fn what_is_staged_is_needed_until_it_is_released() {
        let folder = tempfile::tempdir().unwrap();
        let records = Records::new(folder.path());
        let staged = Staged {
            lock_digest: Digest::of("lock"),
            bits: BTreeSet::from([Digest::of("a")]),
        };
        records.save_staged(&rollout("r1"), &staged).unwrap();
        assert_eq!(records.needed_bits().unwrap(), staged.bits);
        records.release(&rollout("r1")).unwrap();
        assert!(records.needed_bits().unwrap().is_empty());
        let nothing = records.before(&rollout("r1")).unwrap().unwrap();
        assert_eq!((nothing.phase, nothing.was), (Phase::Undone, Was::Noop));
    }
}
