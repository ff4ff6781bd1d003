//! The strata of the selected hosts, each known by a number while a plan is made.

use crate::{
    digest::Digest,
    inventory::{Host, PackageSet, Platform},
    patch::LockFile,
    stratum::{self, Stratum},
};
use std::collections::BTreeMap;

/// Every stratum seen so far, with how many hosts are of it.
#[derive(Debug)]
pub(super) struct Strata<'a> {
    lock: &'a LockFile,
    package_sets: &'a BTreeMap<Digest, PackageSet>,
    numbers: BTreeMap<Stratum, u32>,
    sizes: Vec<usize>,
    /// Hosts of one package set and platform have one delta.
    deltas: BTreeMap<(Digest, &'a Platform), Option<u32>>,
}

impl<'a> Strata<'a> {
    pub(super) fn new(lock: &'a LockFile, package_sets: &'a BTreeMap<Digest, PackageSet>) -> Self {
        Self {
            lock,
            package_sets,
            numbers: BTreeMap::new(),
            sizes: Vec::new(),
            deltas: BTreeMap::new(),
        }
    }

    /// Counts a host, and gives the numbers of its strata.
    pub(super) fn add(&mut self, host: &'a Host) -> Vec<u32> {
        let mut numbers: Vec<u32> = stratum::of(host)
            .into_iter()
            .map(|stratum| self.number(stratum))
            .collect();
        numbers.extend(self.delta(host));
        for number in &numbers {
            self.sizes[place(*number)] += 1;
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

    /// The strata among `kept`, in order, and the place of each in that order by its number.
    pub(super) fn ranked(&self, kept: impl Fn(u32) -> bool) -> (Vec<Stratum>, BTreeMap<u32, u32>) {
        self.numbers
            .iter()
            .filter(|(_, number)| kept(**number))
            .zip(0_u32..)
            .map(|((stratum, number), rank)| (stratum.clone(), (*number, rank)))
            .unzip()
    }

    fn delta(&mut self, host: &'a Host) -> Option<u32> {
        let key = (host.facts.packages, &host.facts.platform);
        if let Some(known) = self.deltas.get(&key) {
            return *known;
        }
        let installed = self.package_sets.get(&host.facts.packages);
        let delta = stratum::delta(host, installed, self.lock).map(|delta| self.number(delta));
        self.deltas.insert(key, delta);
        delta
    }

    fn number(&mut self, stratum: Stratum) -> u32 {
        if let Some(number) = self.numbers.get(&stratum) {
            return *number;
        }
        let number = u32::try_from(self.sizes.len()).expect("hosts have fewer strata than 2^32");
        self.numbers.insert(stratum, number);
        self.sizes.push(0);
        number
    }
}

/// Where a number stands in a list by numbers.
pub(super) fn place(number: u32) -> usize {
    usize::try_from(number).expect("a usize holds 32 bits")
}
