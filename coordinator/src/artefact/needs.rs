//! Which files rollouts need.

use super::index::Entry;
use cofferdam_engine::{
    digest::Digest,
    fleet::Fleet,
    patch::{LockFile, Locked},
    rollout::Rollout,
    time::Timestamp,
};
use std::{collections::BTreeSet, time::Duration};

/// What rollouts need that are not over, that are being taken back, or that may be.
#[derive(Debug, Default)]
pub(crate) struct Needs {
    digests: BTreeSet<Digest>,
    /// Packages of which any version may be somebody's way back.
    names: BTreeSet<String>,
}

impl Needs {
    /// What a fleet's rollouts need: those that go on, those that are over for less than `retention`.
    pub(crate) fn of(fleet: &Fleet, retention: Duration, now: Timestamp) -> Self {
        let mut needs = Self::default();
        let is_needed = |rollout: &&Rollout| {
            let ended = rollout.ended_at();
            let is_over = ended.is_some_and(|ended| ended.after(retention) <= now);
            rollout.is_live() || rollout.goes_back() || !is_over
        };
        for rollout in fleet.rollouts().values().filter(is_needed) {
            // Every cell is told the same.
            if let Some(told) = rollout.plan().assignments.values().next() {
                needs.add(&told.lock);
            }
        }
        needs
    }

    /// Adds what a lock file names.
    pub(super) fn add(&mut self, lock: &LockFile) {
        for package in lock.packages() {
            self.digests.insert(package.sha256);
            self.names.insert(package.name.clone());
        }
        match &lock.content {
            Locked::Config(files) => {
                let digests = files.iter().map(|one| one.file.sha256);
                self.digests.extend(digests);
            }
            Locked::Packages { .. } | Locked::Noop => {}
        }
    }

    /// Whether a file is needed: it is locked, or a version of a package that is.
    pub(crate) fn need(&self, digest: &Digest, package: Option<&str>) -> bool {
        self.digests.contains(digest) || package.is_some_and(|name| self.names.contains(name))
    }

    pub(super) fn need_entry(&self, digest: &Digest, entry: &Entry) -> bool {
        let name = entry.package.as_ref().map(|package| package.name.as_str());
        self.need(digest, name)
    }
}
