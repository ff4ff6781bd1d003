//! The capacity groups that a rollout's floors make, and how many hosts they let out.

use super::{
    Cure, PlanError,
    selected::{Known, Place, Selected},
};
use crate::{
    floor::{Membership, allowance, group_name},
    id::CellId,
    inventory::Host,
    policy::FloorRule,
    spec::Spec,
    warrant::FloorAssignment,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    iter,
};

/// The floors of a rollout: one entry a rule of a limit, in order of the file.
#[derive(Debug)]
pub(super) struct Floors<'a>(Vec<Floor<'a>>);

/// One rule of a limit.
#[derive(Debug)]
struct Floor<'a> {
    rule: &'a FloorRule,
    /// The limit's place in the file.
    limit: usize,
    /// The rule's place in its limit.
    rank: usize,
    /// Each cell's parts of the groups that have hosts which the rollout takes and the rule binds.
    parts: BTreeMap<&'a CellId, Vec<Part<'a>>>,
}

/// A cell's part of a group.
#[derive(Debug)]
struct Part<'a> {
    group: String,
    place: Place<'a>,
    members: usize,
    membership: Membership,
    allowance: usize,
}

impl<'a> Floors<'a> {
    /// Finds the groups of all rules; `planned` are the hosts that some wave takes.
    pub(super) fn find(spec: &'a Spec, known: &[Known<'a>], planned: &[&Selected<'a>]) -> Self {
        let mut floors = Vec::new();
        for (limit, of) in spec.limits().iter().enumerate() {
            let bound = planned.iter().filter(|host| host.limit == limit);
            for (rank, rule) in of.floors.iter().enumerate() {
                floors.push(Floor {
                    rule,
                    limit,
                    rank,
                    parts: parts(rule, known, bound.clone().copied()),
                });
            }
        }
        Self(floors)
    }

    /// What binds the planned hosts of one cell.
    pub(super) fn assignments(
        &self,
        cell: &CellId,
        planned: &[&Selected<'a>],
    ) -> Vec<FloorAssignment> {
        let bind = self.0.iter().filter(|floor| floor.parts.contains_key(cell));
        let assignments = bind.map(|floor| FloorAssignment {
            rule: floor.rule.clone(),
            hosts: planned
                .iter()
                .filter(|host| host.limit == floor.limit)
                .map(|host| host.host.id.clone())
                .collect(),
            split_groups: floor
                .parts_of(cell)
                .filter(|part| part.membership == Membership::Split)
                .map(|part| part.group.clone())
                .collect(),
        });
        assignments.collect()
    }

    /// How many of a cell's planned hosts may be out at once, by the first rule that binds each.
    pub(super) fn width(&self, cell: &CellId) -> usize {
        let firsts = self.0.iter().filter(|floor| floor.rank == 0);
        let parts = firsts.flat_map(|floor| floor.parts_of(cell));
        parts.map(|part| part.allowance).sum()
    }

    /// How many hosts of each place may be out at once, by the strictest rule that binds one of its
    /// planned hosts.
    pub(super) fn allowances(&self) -> BTreeMap<Place<'a>, usize> {
        let mut strictest: BTreeMap<Place<'a>, usize> = BTreeMap::new();
        for floor in &self.0 {
            let mut sums: BTreeMap<Place<'a>, usize> = BTreeMap::new();
            for part in floor.parts.values().flatten() {
                *sums.entry(part.place).or_default() += part.allowance;
            }
            for (place, sum) in sums {
                let least = strictest.entry(place).or_insert(sum);
                *least = sum.min(*least);
            }
        }
        strictest
    }

    /// Refuses the groups that never let a planned host out.
    pub(super) fn refuse_stuck(&self, errors: &mut Vec<PlanError>) {
        let mut stuck: BTreeMap<Cure, BTreeSet<String>> = BTreeMap::new();
        for floor in &self.0 {
            for (cell, parts) in &floor.parts {
                for part in parts.iter().filter(|part| part.allowance == 0) {
                    let name = format!("{} in {cell}", part.group);
                    stuck.entry(part.cure()).or_default().insert(name);
                }
            }
        }
        errors.extend(stuck.into_iter().map(|(cure, groups)| PlanError::Stuck {
            groups: groups.into_iter().collect(),
            cure,
        }));
    }
}

impl<'a> Floor<'a> {
    fn parts_of(&self, cell: &CellId) -> impl Iterator<Item = &Part<'a>> {
        self.parts.get(cell).into_iter().flatten()
    }
}

impl Part<'_> {
    fn cure(&self) -> Cure {
        match self.membership {
            Membership::Split => Cure::SmallPart,
            Membership::Whole if self.members < 2 => Cure::Lone,
            Membership::Whole => Cure::AllMustStay,
        }
    }
}

/// Each cell's parts of the groups that a rule makes of the bound hosts. All hosts of the inventory
/// count as members.
fn parts<'s, 'a: 's>(
    rule: &FloorRule,
    known: &[Known<'a>],
    bound: impl Iterator<Item = &'s Selected<'a>>,
) -> BTreeMap<&'a CellId, Vec<Part<'a>>> {
    let key = |region: &'a str, host: &'a Host| -> Vec<Option<&'a str>> {
        let values = rule.group_by.iter().map(|label| host.value(label));
        iter::once(Some(region)).chain(values).collect()
    };
    let mut groups: BTreeMap<_, BTreeMap<&CellId, (&Host, Place<'_>, usize)>> = bound
        .map(|host| (key(host.place.region, host.host), BTreeMap::new()))
        .collect();
    if groups.is_empty() {
        return BTreeMap::new();
    }
    for Known { host, home } in known {
        let Some((cell, place)) = *home else {
            continue;
        };
        if let Some(cells) = groups.get_mut(&key(place.region, host)) {
            cells.entry(cell).or_insert((host, place, 0)).2 += 1;
        }
    }
    let mut parts: BTreeMap<&CellId, Vec<Part<'_>>> = BTreeMap::new();
    for cells in groups.into_values() {
        let membership = if cells.len() > 1 {
            Membership::Split
        } else {
            Membership::Whole
        };
        for (cell, (member, place, members)) in cells {
            parts.entry(cell).or_default().push(Part {
                group: group_name(rule, member),
                place,
                members,
                membership,
                allowance: allowance(members, rule.min_in_service, membership),
            });
        }
    }
    parts
}
