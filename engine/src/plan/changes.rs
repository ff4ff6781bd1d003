//! What becomes of the packages of the selected hosts, as a plan shows it.

use super::PlanInput;
use crate::{
    digest::Digest,
    inventory::{PackageSet, Platform},
    patch::{Fixes, LockFile, Locked, LockedPackage, LockedPlatform},
    reach::Reach,
    spec::Spec,
};
use std::collections::{BTreeMap, BTreeSet};

/// What becomes of the packages of one platform's selected hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlatformChange {
    /// The platform.
    pub platform: Platform,
    /// The advisory that asks for it. Absent: none does.
    pub advisory: Option<String>,
    /// How many selected hosts are of the platform.
    pub hosts: usize,
    /// How many of them an upgrade has nothing for. 0 where packages are named.
    pub unaffected: usize,
    /// Each locked package, in order of names.
    pub packages: Vec<PackageChange>,
}

/// What becomes of one package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageChange {
    /// Its name.
    pub name: String,
    /// The versions that it replaces, as far as the hosts' packages are known.
    pub from: BTreeSet<String>,
    /// The version that it gets.
    pub to: String,
    /// On how many hosts it replaces one of those.
    pub replaced: usize,
    /// On how many hosts it is new.
    pub added: usize,
}

/// What becomes of the packages of the selected hosts, platform by platform. Nothing for patches of
/// other kinds.
pub fn changes(spec: &Spec, lock: &LockFile, input: &PlanInput<'_>) -> Vec<PlatformChange> {
    let Locked::Packages { platforms } = &lock.content else {
        return Vec::new();
    };
    let mut sets: BTreeMap<&Platform, BTreeMap<Digest, usize>> = BTreeMap::new();
    for host in input.hosts.values() {
        if spec.selection().matches(host) {
            let sets = sets.entry(&host.facts.platform).or_default();
            *sets.entry(host.facts.packages).or_default() += 1;
        }
    }
    let change = |entry: &LockedPlatform| {
        let sets = sets.remove(&entry.platform).unwrap_or_default();
        of_platform(entry, &sets, input.package_sets)
    };
    platforms.iter().map(change).collect()
}

fn of_platform(
    entry: &LockedPlatform,
    sets: &BTreeMap<Digest, usize>,
    known: &BTreeMap<Digest, PackageSet>,
) -> PlatformChange {
    let fixes = entry.fixes.as_ref();
    let mut change = PlatformChange {
        platform: entry.platform.clone(),
        advisory: fixes.map(|Fixes { advisory, .. }| advisory.clone()),
        hosts: sets.values().sum(),
        unaffected: 0,
        packages: entry.packages.iter().map(unchanged).collect(),
    };
    let is_upgrade = entry.reach != Reach::Every;
    for (digest, hosts) in sets {
        let installed = known.get(digest);
        let version = |name: &str| installed?.0.get(name).map(String::as_str);
        let needs_nothing = entry.packages.is_empty()
            || (installed.is_some() && entry.reach.is_met(&entry.packages, version));
        if is_upgrade && needs_nothing {
            change.unaffected += hosts;
        } else if installed.is_some() {
            change.count(&entry.reach.of(&entry.packages, version), version, *hosts);
        }
    }
    change
}

fn unchanged(package: &LockedPackage) -> PackageChange {
    PackageChange {
        name: package.name.clone(),
        from: BTreeSet::new(),
        to: package.version.clone(),
        replaced: 0,
        added: 0,
    }
}

impl PlatformChange {
    /// Counts what goes on some hosts that are alike.
    fn count<'i>(
        &mut self,
        goes: &[&LockedPackage],
        installed: impl Fn(&str) -> Option<&'i str>,
        hosts: usize,
    ) {
        for package in goes {
            let change = self.packages.iter_mut().find(|c| c.name == package.name);
            let Some(change) = change else {
                continue;
            };
            match installed(&package.name) {
                None => change.added += hosts,
                Some(version) if version == package.version => {}
                Some(version) => {
                    change.replaced += hosts;
                    change.from.insert(version.to_owned());
                }
            }
        }
    }
}
