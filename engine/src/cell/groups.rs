//! The capacity groups of a cell under one rollout's floors: who is in them, how many may be out.

use super::{Cell, Member};
use crate::{
    floor::{Membership, allowance, group_name},
    hold::Reason,
    id::HostId,
    policy::FloorRule,
    warrant::Assignment,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The groups that bind the hosts of one rollout in one cell.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Groups {
    groups: Vec<Group>,
    /// Which groups bind a host that the rollout may take.
    binding: BTreeMap<HostId, Vec<usize>>,
    /// Which groups a member of the cell counts in.
    counting: BTreeMap<HostId, Vec<usize>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Group {
    name: String,
    members: usize,
    allowance: usize,
}

impl Groups {
    /// Computes the groups from the members present now.
    pub(super) fn of(cell: &Cell, assignment: &Assignment) -> Self {
        let mut groups = Self::default();
        let default_rule = FloorRule::default();
        let named = |host: &HostId| assignment.floors.iter().any(|f| f.hosts.contains(host));
        let unnamed = || assignment.hosts.iter().filter(|host| !named(host));
        groups.add(cell, &default_rule, unnamed(), &|_| Membership::Whole);
        for floor in &assignment.floors {
            let membership = |group: &str| match floor.split_groups.contains(group) {
                true => Membership::Split,
                false => Membership::Whole,
            };
            groups.add(cell, &floor.rule, floor.hosts.iter(), &membership);
        }
        groups
    }

    fn add<'a>(
        &mut self,
        cell: &Cell,
        rule: &FloorRule,
        bound: impl Iterator<Item = &'a HostId>,
        membership: &dyn Fn(&str) -> Membership,
    ) {
        let mut indices: BTreeMap<String, usize> = BTreeMap::new();
        for host in bound {
            let Some(member) = cell.members.get(host) else {
                continue;
            };
            let name = group_name(rule, &member.host);
            let index = *indices.entry(name.clone()).or_insert_with(|| {
                self.groups.push(Group {
                    name,
                    members: 0,
                    allowance: 0,
                });
                self.groups.len() - 1
            });
            self.binding.entry(host.clone()).or_default().push(index);
        }
        for (host, member) in &cell.members {
            let Some(&index) = indices.get(&group_name(rule, &member.host)) else {
                continue;
            };
            self.groups[index].members += 1;
            self.counting.entry(host.clone()).or_default().push(index);
        }
        for &index in indices.values() {
            let group = &mut self.groups[index];
            let membership = membership(&group.name);
            group.allowance = allowance(group.members, rule.min_in_service, membership);
        }
    }

    /// How many members of each group are out, as far as the owner knows.
    pub(super) fn count_out(&self, cell: &Cell) -> OutCounts {
        let mut counts = OutCounts(vec![0; self.groups.len()]);
        let is_silent = |member: &Member| !member.is_connected();
        let silent = cell.members.iter().filter(|(_, member)| is_silent(member));
        let silent = silent
            .map(|(host, _)| host)
            .filter(|host| !cell.ledger.holds(host));
        for host in cell.ledger.entries().keys().chain(silent) {
            self.note_out(&mut counts, host);
        }
        counts
    }

    /// Counts one more host as out.
    pub(super) fn note_out(&self, counts: &mut OutCounts, host: &HostId) {
        for &index in self.counting.get(host).into_iter().flatten() {
            counts.0[index] += 1;
        }
    }

    /// The group that forbids taking a host which is not out yet, if one does.
    pub(super) fn forbid_taking(&self, counts: &OutCounts, host: &HostId) -> Option<usize> {
        self.first_past(counts, host, 1)
    }

    /// The group that has more out than its allowance, the host itself counted, if one has.
    pub(super) fn forbid_disrupting(&self, counts: &OutCounts, host: &HostId) -> Option<usize> {
        self.first_past(counts, host, 0)
    }

    /// Whether no member of the group may ever be out.
    pub(super) fn may_have_none_out(&self, group: usize) -> bool {
        self.groups[group].allowance == 0
    }

    /// Says how a group stands.
    pub(super) fn reason(&self, counts: &OutCounts, group: usize) -> Reason {
        Reason::Floor {
            group: self.groups[group].name.clone(),
            out: counts.0[group],
            allowance: self.groups[group].allowance,
        }
    }

    fn first_past(&self, counts: &OutCounts, host: &HostId, more: usize) -> Option<usize> {
        let mut binding = self.binding.get(host).into_iter().flatten().copied();
        binding.find(|&group| counts.0[group] + more > self.groups[group].allowance)
    }
}

/// How many members of each group are out.
pub(super) struct OutCounts(Vec<usize>);
