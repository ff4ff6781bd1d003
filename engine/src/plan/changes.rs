//! What becomes of the packages of the planned hosts, as a plan shows it.

use super::{Plan, PlanInput};
use crate::{
    digest::Digest,
    inventory::{PackageSet, Platform},
    patch::{Fixes, LockFile, Locked, LockedPackage, LockedPlatform},
    reach::Reach,
    spec::Spec,
};
use std::collections::{BTreeMap, BTreeSet};

/// What becomes of the packages of one platform's planned hosts, and of those that need nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlatformChange {
    /// The platform.
    pub platform: Platform,
    /// The advisory that asks for it. Absent: none does.
    pub advisory: Option<String>,
    /// How many of them are of the platform.
    pub hosts: usize,
    /// How many of those an upgrade has nothing for. 0 where packages are named.
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

/// What becomes of the packages of the planned hosts, platform by platform, and how many selected ones
/// need none of it. Nothing for patches of other kinds.
pub fn changes(
    spec: &Spec,
    lock: &LockFile,
    input: &PlanInput<'_>,
    plan: &Plan,
) -> Vec<PlatformChange> {
    let Locked::Packages { platforms } = &lock.content else {
        return Vec::new();
    };
    let mut sets: BTreeMap<&Platform, BTreeMap<Digest, Alike>> = BTreeMap::new();
    for host in input.hosts.values() {
        if spec.selection().matches(host) {
            let sets = sets.entry(&host.facts.platform).or_default();
            let alike = sets.entry(host.facts.packages).or_default();
            alike.selected += 1;
            alike.planned += usize::from(plan.hosts.contains_key(&host.id));
        }
    }
    let change = |entry: &LockedPlatform| {
        let sets = sets.remove(&entry.platform).unwrap_or_default();
        of_platform(entry, &sets, input.package_sets)
    };
    platforms.iter().map(change).collect()
}

/// How many hosts have the same packages.
#[derive(Debug, Clone, Copy, Default)]
struct Alike {
    selected: usize,
    planned: usize,
}

fn of_platform(
    entry: &LockedPlatform,
    sets: &BTreeMap<Digest, Alike>,
    known: &BTreeMap<Digest, PackageSet>,
) -> PlatformChange {
    let fixes = entry.fixes.as_ref();
    let mut change = PlatformChange {
        platform: entry.platform.clone(),
        advisory: fixes.map(|Fixes { advisory, .. }| advisory.clone()),
        hosts: 0,
        unaffected: 0,
        packages: entry.packages.iter().map(unchanged).collect(),
    };
    let is_upgrade = entry.reach != Reach::Every;
    let format = entry.platform.package_format();
    for (digest, alike) in sets {
        let installed = known.get(digest);
        let version = |name: &str| installed?.0.get(name).map(String::as_str);
        let needs_nothing = entry.packages.is_empty()
            || (installed.is_some() && entry.reach.is_met(&entry.packages, format, version));
        if is_upgrade && needs_nothing {
            change.hosts += alike.selected;
            change.unaffected += alike.selected;
            continue;
        }
        change.hosts += alike.planned;
        if installed.is_some() {
            let goes = entry.reach.of(&entry.packages, format, version);
            change.count(&goes, version, alike.planned);
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
