//! The hosts that an upgrade has nothing for: they are counted and left alone, and prove nothing in
//! a canary.

use crate::{
    digest::Digest,
    inventory::{Host, PackageSet, Platform},
    patch::{LockFile, Locked, LockedPlatform},
    reach::Reach,
};
use std::collections::BTreeMap;

/// Tells which hosts an upgrade has nothing for.
#[derive(Debug)]
pub(super) struct Unaffected<'a> {
    upgrades: BTreeMap<&'a Platform, &'a LockedPlatform>,
    package_sets: &'a BTreeMap<Digest, PackageSet>,
    /// Hosts of one package set and platform are alike.
    known: BTreeMap<(Digest, &'a Platform), bool>,
    /// How many were found so far.
    pub(super) count: usize,
}

impl<'a> Unaffected<'a> {
    pub(super) fn new(lock: &'a LockFile, package_sets: &'a BTreeMap<Digest, PackageSet>) -> Self {
        let platforms: &[LockedPlatform] = match &lock.content {
            Locked::Packages { platforms } => platforms,
            Locked::Config(_) | Locked::Noop => &[],
        };
        let upgrades = platforms.iter().filter(|entry| entry.reach != Reach::Every);
        Self {
            upgrades: upgrades.map(|entry| (&entry.platform, entry)).collect(),
            package_sets,
            known: BTreeMap::new(),
            count: 0,
        }
    }

    /// Whether a host is one of them; counts so many like it if so. A host whose packages are not
    /// known may need something, unless its platform has nothing at all.
    pub(super) fn take(&mut self, host: &'a Host, count: usize) -> bool {
        let Some(locked) = self.upgrades.get(&host.facts.platform).copied() else {
            return false;
        };
        let key = (host.facts.packages, &host.facts.platform);
        let sets = self.package_sets;
        let is_one = *self.known.entry(key).or_insert_with(|| {
            let (reach, packages) = (&locked.reach, &locked.packages);
            let format = locked.platform.package_format();
            let leaves_alone = |installed| reach.leaves_alone(packages, format, installed);
            packages.is_empty() || sets.get(&host.facts.packages).is_some_and(leaves_alone)
        });
        if is_one {
            self.count += count;
        }
        is_one
    }
}
