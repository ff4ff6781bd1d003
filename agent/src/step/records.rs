//! The records of all rollouts on this host.
//!
//! ```text
//! rollouts/ROLLOUT/staged.json   the bits that staging proved
//! rollouts/ROLLOUT/before.json   what the host had, written before anything is changed
//! rollouts/ROLLOUT/baseline.json what its signals said, written before the run's drain
//! rollouts/ROLLOUT/kernel.json   what a new kernel's trial came to, where one was tried
//! ```
//!
//! All are versioned JSON, replaced whole. `before.json` outlives the run, so that an operator's
//! later rollback finds it. Rollouts that changed the same packages or file are undone newest first:
//! a record is the present one when every later one of the same things is undone, so one write both
//! ends a rollout here and makes the one before it the present one again.

use super::{
    kernel::Trial,
    record::{Before, Phase, Staged, Was},
};
use crate::{
    host::{
        durable::{self, FileError},
        versioned::{RecordError, load, save},
    },
    signals::baseline::Baseline,
};
use cofferdam_engine::{digest::Digest, id::RolloutId};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

/// How many changes of the same packages or file can be taken back, one after the other; the bits of
/// older ways back go (guess: a quarter of monthly patches; each costs the disk one package more).
pub const WAYS_BACK: usize = 3;

/// The records in one folder.
#[derive(Debug)]
pub struct Records {
    folder: PathBuf,
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

    /// What the host's signals said before the newest run of a rollout. Absent: none has begun.
    ///
    /// # Errors
    /// [`RecordError`] when that cannot be told.
    pub fn baseline(&self, rollout: &RolloutId) -> Result<Option<Baseline>, RecordError> {
        load(&self.baseline_path(rollout))
    }

    /// Keeps what the host's signals say before a run.
    ///
    /// # Errors
    /// [`RecordError`] when it cannot be written.
    pub fn save_baseline(
        &self,
        rollout: &RolloutId,
        baseline: &Baseline,
    ) -> Result<(), RecordError> {
        save(&self.baseline_path(rollout), baseline)
    }

    /// What a rollout's trial of a kernel came to. Absent: it tried none.
    ///
    /// # Errors
    /// [`RecordError`] when that cannot be told.
    pub fn kernel(&self, rollout: &RolloutId) -> Result<Option<Trial>, RecordError> {
        load(&self.kernel_path(rollout))
    }

    /// Keeps what a rollout's trial of a kernel came to.
    ///
    /// # Errors
    /// [`RecordError`] when it cannot be written.
    pub fn save_kernel(&self, rollout: &RolloutId, trial: &Trial) -> Result<(), RecordError> {
        save(&self.kernel_path(rollout), trial)
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

    /// The records of rollouts that changed the same packages or file later, in their order: those
    /// that stand and those that are undone.
    ///
    /// # Errors
    /// [`RecordError`] when a record cannot be read.
    pub fn later_than(&self, before: &Before) -> Result<Vec<(RolloutId, Before)>, RecordError> {
        let all = self.all_before()?;
        let is_later = |(_, other): &(RolloutId, Before)| other.is_after(before);
        let mut later: Vec<_> = all.into_iter().filter(is_later).collect();
        later.sort_by_key(|(_, other)| other.number);
        Ok(later)
    }

    /// Forgets what was staged for a rollout, and what its last run was held against.
    ///
    /// # Errors
    /// [`RecordError`] when a record cannot be read or written.
    pub fn release(&self, rollout: &RolloutId) -> Result<(), RecordError> {
        if let Some(staged) = self.staged(rollout)?
            && self.before(rollout)?.is_none()
        {
            self.save_before(rollout, &self.nothing(staged.lock_digest)?)?;
        }
        durable::remove(&self.baseline_path(rollout))?;
        Ok(durable::remove(&self.staged_path(rollout))?)
    }

    /// The record of a rollout that was staged and changed nothing: a later rollback of it is then
    /// told from one that this host knows nothing of.
    fn nothing(&self, lock_digest: Digest) -> Result<Before, RecordError> {
        Ok(Before {
            number: self.next_number()?,
            lock_digest,
            phase: Phase::Undone,
            was: Was::Noop,
            exceptions: Vec::new(),
        })
    }

    /// The bits that something staged needs, or one of the newest [`WAYS_BACK`] ways back.
    ///
    /// # Errors
    /// [`RecordError`] when a record cannot be read: then nothing must be thrown away.
    pub fn needed_bits(&self) -> Result<BTreeSet<Digest>, RecordError> {
        self.bits_needed_by(|_| true)
    }

    /// The same, as if a rollout had nothing staged.
    ///
    /// # Errors
    /// As of [`Self::needed_bits`].
    pub fn bits_needed_without(
        &self,
        rollout: &RolloutId,
    ) -> Result<BTreeSet<Digest>, RecordError> {
        self.bits_needed_by(|other| other != rollout)
    }

    fn bits_needed_by(
        &self,
        counts: impl Fn(&RolloutId) -> bool,
    ) -> Result<BTreeSet<Digest>, RecordError> {
        let mut needed = BTreeSet::new();
        let all = self.all_before()?;
        let standing = || all.values().filter(|before| before.phase == Phase::Begun);
        for before in standing() {
            let undone_first = standing().filter(|other| other.is_after(before));
            if undone_first.count() < WAYS_BACK {
                needed.extend(before.was.bits());
            }
        }
        for rollout in self.rollouts()?.iter().filter(|rollout| counts(rollout)) {
            if let Some(staged) = self.staged(rollout)? {
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

    fn baseline_path(&self, rollout: &RolloutId) -> PathBuf {
        self.folder.join(rollout.as_str()).join("baseline.json")
    }

    fn kernel_path(&self, rollout: &RolloutId) -> PathBuf {
        self.folder.join(rollout.as_str()).join("kernel.json")
    }

    fn before_path(&self, rollout: &RolloutId) -> PathBuf {
        self.folder.join(rollout.as_str()).join("before.json")
    }
}

#[cfg(test)]
mod tests;
