//! Hosts that a plan cannot tell apart.
//!
//! A fleet has many hosts and few kinds of them, and reading and comparing labels is most of what a
//! plan costs. So hosts are put into classes first: those of one cell that have the same value of
//! every label that the plan asks for, the same packages, and match the same selections. Whatever
//! depends on these alone is found out once a class.

use super::{PlanInput, selected::Place};
use crate::{
    id::CellId,
    inventory::{ARCHITECTURE, Host, OS_RELEASE, PATCHER, REGION, SERVICE, VALIDATOR, ZONE},
    select::Selection,
    spec::Spec,
};
use std::collections::{BTreeMap, BTreeSet};

/// All hosts of an inventory.
#[derive(Debug)]
pub(super) struct Known<'a> {
    /// The hosts in order of their names, each with the place of its class.
    pub(super) hosts: Vec<(&'a Host, usize)>,
    /// Their classes, in order of their first hosts.
    pub(super) classes: Vec<Class<'a>>,
}

/// Hosts that a plan cannot tell apart.
#[derive(Debug)]
pub(super) struct Class<'a> {
    /// The first of them, which shows what all are like.
    pub(super) host: &'a Host,
    /// Where they are. Nothing: they lack a label, or no cell holds them.
    pub(super) home: Option<(&'a CellId, Place<'a>)>,
    /// Whether the rollout's selection matches them.
    pub(super) is_matched: bool,
    /// How many there are. At least 1.
    pub(super) members: usize,
}

impl<'a> Known<'a> {
    /// Puts all hosts of an inventory into classes.
    pub(super) fn of(spec: &Spec, input: &PlanInput<'a>) -> Self {
        let asked = Asked::of(spec);
        let (mut places, mut classes) = (BTreeMap::<Key<'_>, usize>::new(), Vec::new());
        // One key is written over and over.
        let mut key = Vec::new();
        let hosts = input.hosts.iter().map(|(id, host)| {
            let cell = input.cells.get(id);
            asked.write(&mut key, host, cell);
            let class = places.get(key.as_slice()).copied();
            let class = class.unwrap_or_else(|| {
                places.insert(key.clone(), classes.len());
                classes.push(Class {
                    host,
                    home: cell.zip(Place::of(host)),
                    is_matched: spec.selection().matches(host),
                    members: 0,
                });
                classes.len() - 1
            });
            classes[class].members += 1;
            (host, class)
        });
        let hosts = hosts.collect();
        Self { hosts, classes }
    }

    /// The hosts that the rollout's selection matches.
    pub(super) fn matched(&self) -> impl Iterator<Item = (&'a Host, &Class<'a>)> {
        let hosts = self.hosts.iter();
        let hosts = hosts.map(|(host, class)| (*host, &self.classes[*class]));
        hosts.filter(|(_, class)| class.is_matched)
    }
}

/// What there is to know of a host, answer after answer.
type Key<'a> = Vec<Option<&'a [u8]>>;

/// What a plan asks for of a host.
struct Asked<'s> {
    labels: BTreeSet<&'s str>,
    selections: Vec<&'s Selection>,
}

impl<'s> Asked<'s> {
    fn of(spec: &'s Spec) -> Self {
        let coverage = spec.coverage();
        let floors = spec.limits().iter().flat_map(|limit| &limit.floors);
        let of_file = coverage.labels.iter();
        let of_file = of_file.chain(coverage.pairs.iter().flatten());
        let of_file = of_file.chain(floors.flat_map(|floor| &floor.group_by));
        let fixed = [
            REGION,
            ZONE,
            SERVICE,
            PATCHER,
            VALIDATOR,
            OS_RELEASE,
            ARCHITECTURE,
        ];
        let waves = spec.waves().iter().map(|wave| &wave.selection);
        let limits = spec.limits().iter().map(|limit| &limit.selection);
        let parts = waves.chain(limits).flatten();
        Self {
            labels: of_file.map(String::as_str).chain(fixed).collect(),
            selections: [spec.selection()].into_iter().chain(parts).collect(),
        }
    }

    /// Writes what there is to ask for of a host: hosts with the same answers are of one class.
    fn write<'a>(&self, key: &mut Key<'a>, host: &'a Host, cell: Option<&'a CellId>) {
        key.clear();
        key.push(cell.map(|cell| cell.as_str().as_bytes()));
        key.push(Some(host.facts.packages.as_bytes()));
        let values = self.labels.iter().map(|label| host.value(label));
        key.extend(values.map(|value| value.map(str::as_bytes)));
        let matched = self.selections.iter().map(|s| s.matches(host));
        key.extend(matched.map(|is_matched| is_matched.then_some(&[][..])));
    }
}
