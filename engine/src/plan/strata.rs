//! The strata of the selected hosts, each known by a number while a plan is made.

use crate::{
    coverage::{Coverage, Kind, Values},
    digest::Digest,
    inventory::{Host, PackageSet, Platform},
    patch::LockFile,
    stratum::{self, Delta, Stratum},
};
use std::collections::BTreeMap;

/// A label or pair of labels, and the number of each stratum that it makes.
type Known<'a> = (Kind<'a>, BTreeMap<Values<'a>, u32>);

/// Every stratum seen so far, with how many hosts are of it.
///
/// Values are borrowed from the hosts and written out at the end alone: a fleet has many hosts and
/// few strata.
#[derive(Debug)]
pub(super) struct Strata<'a> {
    lock: &'a LockFile,
    package_sets: &'a BTreeMap<Digest, PackageSet>,
    /// What makes strata, or regions that are to be covered.
    kinds: Vec<Known<'a>>,
    sizes: Vec<usize>,
    /// Hosts of one package set and platform have one delta.
    deltas: BTreeMap<(Digest, &'a Platform), Option<Delta>>,
    /// How many hosts have a delta that is not known.
    pub(super) unknown_deltas: usize,
}

impl<'a> Strata<'a> {
    pub(super) fn new(
        coverage: &'a Coverage,
        lock: &'a LockFile,
        package_sets: &'a BTreeMap<Digest, PackageSet>,
    ) -> Self {
        Self {
            lock,
            package_sets,
            kinds: coverage
                .to_cover()
                .map(|kind| (kind, BTreeMap::new()))
                .collect(),
            sizes: Vec::new(),
            deltas: BTreeMap::new(),
            unknown_deltas: 0,
        }
    }

    /// Counts so many hosts like this one, and gives the numbers of their strata.
    pub(super) fn add(&mut self, host: &'a Host, count: usize) -> Vec<u32> {
        let delta = self.delta(host);
        if matches!(delta, Some(Delta::Unknown(_))) {
            self.unknown_deltas += count;
        }
        let mut numbers = Vec::with_capacity(self.kinds.len());
        for (kind, known) in &mut self.kinds {
            let Some(values) = kind.values(host, delta) else {
                continue;
            };
            let number = *known.entry(values).or_insert_with(|| {
                self.sizes.push(0);
                u32::try_from(self.sizes.len() - 1).expect("hosts have fewer strata than 2^32")
            });
            self.sizes[place(number)] += count;
            numbers.push(number);
        }
        numbers
    }

    /// How many hosts are of a stratum.
    pub(super) fn size(&self, number: u32) -> usize {
        self.sizes[place(number)]
    }

    /// How many strata there are.
    pub(super) fn count(&self) -> usize {
        self.sizes.len()
    }

    /// The strata among `kept` in order, each with its number.
    pub(super) fn named(&self, kept: impl Fn(u32) -> bool) -> BTreeMap<Stratum, u32> {
        named(self.kinds.iter(), kept)
    }

    /// The strata among `kept` that a coverage makes, in order, and the place of each in that order by its
    /// number.
    pub(super) fn ranked(
        &self,
        coverage: &Coverage,
        kept: impl Fn(u32) -> bool,
    ) -> (Vec<Stratum>, BTreeMap<u32, u32>) {
        let is_made = |kind: &Kind<'_>| coverage.kinds().any(|made| made == *kind);
        let kinds = self.kinds.iter().filter(|(kind, _)| is_made(kind));
        let ranked = named(kinds, kept).into_iter().zip(0_u32..);
        ranked
            .map(|((stratum, number), rank)| (stratum, (number, rank)))
            .unzip()
    }

    /// What the patch changes on a host. Nothing: no packages.
    pub(super) fn delta(&mut self, host: &'a Host) -> Option<Delta> {
        let key = (host.facts.packages, &host.facts.platform);
        *self.deltas.entry(key).or_insert_with(|| {
            let installed = self.package_sets.get(&host.facts.packages);
            stratum::delta(host, installed, self.lock)
        })
    }
}

/// The strata of these kinds among `kept`, in order, each with its number.
fn named<'k, 'a: 'k>(
    kinds: impl Iterator<Item = &'k Known<'a>>,
    kept: impl Fn(u32) -> bool,
) -> BTreeMap<Stratum, u32> {
    let all = kinds.flat_map(|(kind, known)| {
        let known = known.iter();
        known.map(|(values, number)| (kind.stratum(*values), *number))
    });
    all.filter(|(_, number)| kept(*number)).collect()
}

/// Where a number stands in a list by numbers.
pub(super) fn place(number: u32) -> usize {
    usize::try_from(number).expect("a usize holds 32 bits")
}
