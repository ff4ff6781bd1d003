//! What the store holds: each file's size and age, and which package it is.

use super::{locked, objects::Version};
use cofferdam_engine::{digest::Digest, patch::LockedFile, time::Timestamp};
use cofferdam_proto::artefact::{MAX_BUILDS, PackageFile, WantedArtefact};
use std::collections::{BTreeMap, BTreeSet};

/// What the store holds, and what is coming in.
#[derive(Debug, Default)]
pub(super) struct Index {
    entries: BTreeMap<Digest, Entry>,
    /// Who builds a package anew may leave its version as it was. None of the sets is empty.
    packages: BTreeMap<PackageFile, BTreeSet<Digest>>,
    bytes: u64,
    /// The bytes that came in so far of what is not stored yet.
    incoming: u64,
}

/// One file of the store.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) size: u64,
    pub(super) stored_at: Timestamp,
    pub(super) package: Option<PackageFile>,
    /// The object that was proved. Nothing: none was yet.
    pub(super) proved: Option<Version>,
    /// How many read it now.
    pub(super) readers: usize,
}

impl Index {
    pub(super) fn get(&self, digest: &Digest) -> Option<&Entry> {
        self.entries.get(digest)
    }

    pub(super) fn get_mut(&mut self, digest: &Digest) -> Option<&mut Entry> {
        self.entries.get_mut(digest)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Digest, &Entry)> {
        self.entries.iter()
    }

    pub(super) fn files(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The stored file that is asked for.
    pub(super) fn find(&self, wanted: &WantedArtefact) -> Option<LockedFile> {
        let digest = match &wanted.locked {
            Some(file) => file.sha256,
            None => *self
                .builds(&wanted.package)
                .find(|digest| !wanted.refused.contains(digest))?,
        };
        let entry = self.entries.get(&digest)?;
        Some(locked(digest, entry.size))
    }

    /// Whether it holds as many files of a package as any host may bring of one that nobody locked.
    pub(super) fn has_enough_for(&self, wanted: &WantedArtefact) -> bool {
        let is_locked = wanted.locked.is_some() && !wanted.has_it;
        !is_locked && self.builds(&wanted.package).count() >= MAX_BUILDS
    }

    fn builds(&self, package: &PackageFile) -> impl Iterator<Item = &Digest> {
        self.packages.get(package).into_iter().flatten()
    }

    /// Notes that a file is stored. One that was stored before keeps its readers, and its package
    /// unless it is another's now.
    pub(super) fn insert(&mut self, digest: Digest, entry: Entry) {
        let before = self.remove(&digest);
        let readers = before.as_ref().map_or(0, |before| before.readers);
        let package = entry
            .package
            .or_else(|| before.and_then(|before| before.package));
        if let Some(package) = &package {
            let builds = self.packages.entry(package.clone()).or_default();
            builds.insert(digest);
        }
        self.bytes = self.bytes.saturating_add(entry.size);
        let entry = Entry {
            package,
            readers,
            ..entry
        };
        self.entries.insert(digest, entry);
    }

    /// Notes that a file is gone.
    pub(super) fn remove(&mut self, digest: &Digest) -> Option<Entry> {
        let entry = self.entries.remove(digest)?;
        self.bytes = self.bytes.saturating_sub(entry.size);
        if let Some(package) = &entry.package
            && let Some(builds) = self.packages.get_mut(package)
        {
            builds.remove(digest);
            if builds.is_empty() {
                self.packages.remove(package);
            }
        }
        Some(entry)
    }

    /// Whether so many bytes more fit a quota.
    pub(super) fn fits(&self, bytes: u64, quota: u64) -> bool {
        let sum = self.bytes.saturating_add(self.incoming);
        sum.saturating_add(bytes) <= quota
    }

    /// Takes in that bytes came of what is not stored yet.
    pub(super) fn coming(&mut self, bytes: u64) {
        self.incoming = self.incoming.saturating_add(bytes);
    }

    /// Takes in that bytes that came are stored, or gone.
    pub(super) fn came(&mut self, bytes: u64) {
        self.incoming = self.incoming.saturating_sub(bytes);
    }
}
