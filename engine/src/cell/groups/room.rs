//! Whether a group has room for one more member that is out.

use super::{DEFAULT_RULES, Groups};
use crate::{
    floor::{Group, own_share},
    hold::Reason,
    id::HostId,
    policy::FloorRule,
    warrant::Assignment,
};
use std::collections::BTreeSet;

impl Groups {
    /// How many members of each group are out, those counted that the owner has not heard of.
    pub(in crate::cell) fn count_out(&self) -> OutCounts {
        OutCounts(self.groups.iter().map(|g| g.out + g.unheard).collect())
    }

    /// Counts one more host as out, in every group that it is in.
    pub(in crate::cell) fn note_out(&self, counts: &mut OutCounts, host: &HostId) {
        for &place in self.seats.get(host).map_or(&[][..], |seat| &seat.places) {
            counts.0[place] += 1;
        }
    }

    /// Where the rules that bind an assignment's hosts stand here.
    pub(in crate::cell) fn binding<'a>(&self, assignment: &'a Assignment) -> Binding<'a> {
        let place_of = |rule: &FloorRule| self.rules.iter().position(|known| known == rule);
        let floors = assignment.floors.iter();
        let named = floors.filter_map(|floor| {
            let binds_all = floor.hosts.len() == assignment.hosts.len();
            let hosts = (!binds_all).then_some(&floor.hosts);
            Some((place_of(&floor.rule)?, hosts))
        });
        Binding(named.collect())
    }

    /// The groups that bind a host: those of its limit's rules, else the default.
    fn bound<'a>(
        &'a self,
        binding: &'a Binding<'_>,
        host: &'a HostId,
    ) -> impl Iterator<Item = usize> + 'a {
        let places = self.seats.get(host).map_or(&[][..], |seat| &seat.places);
        let binds = |hosts: &Option<&BTreeSet<HostId>>| hosts.is_none_or(|all| all.contains(host));
        let is_named = binding.0.iter().any(|(_, hosts)| binds(hosts));
        let default = if is_named { 0 } else { DEFAULT_RULES };
        let named = binding.0.iter().filter(move |(_, hosts)| binds(hosts));
        let rules = named.map(|(rule, _)| *rule).chain(0..default);
        rules.filter_map(|rule| places.get(rule).copied())
    }

    fn allowance(&self, place: usize) -> usize {
        let counted = &self.groups[place];
        let min = self.rules[counted.rule].min_in_service;
        let share = own_share(counted.members, min).saturating_sub(counted.lent);
        (share + counted.tokens).saturating_sub(counted.overdrawn)
    }

    /// The groups that forbid taking a host which is not out yet.
    pub(in crate::cell) fn forbid_taking<'a>(
        &'a self,
        counts: &'a OutCounts,
        binding: &'a Binding<'_>,
        host: &'a HostId,
    ) -> impl Iterator<Item = usize> + 'a {
        let bound = self.bound(binding, host);
        bound.filter(|&place| counts.0[place] + 1 > self.allowance(place))
    }

    /// The group that has more out than its allowance, the host itself counted, if one has.
    pub(in crate::cell) fn forbid_disrupting(
        &self,
        counts: &OutCounts,
        assignment: &Assignment,
        host: &HostId,
    ) -> Option<usize> {
        let binding = self.binding(assignment);
        let mut bound = self.bound(&binding, host);
        bound.find(|&place| counts.0[place] > self.allowance(place))
    }

    /// Whether no member of the group may ever be out.
    pub(in crate::cell) fn may_have_none_out(&self, place: usize) -> bool {
        self.groups[place].is_closed
    }

    /// Which group it is.
    pub(in crate::cell) fn lacking(&self, place: usize) -> Lacking {
        let counted = &self.groups[place];
        Lacking {
            rule: self.rules[counted.rule].clone(),
            group: counted.group.clone(),
        }
    }

    /// Says how a group stands here.
    pub(in crate::cell) fn reason(&self, counts: &OutCounts, place: usize) -> Reason {
        Reason::Floor {
            group: self.groups[place].group.to_string(),
            out: counts.0[place],
            allowance: self.allowance(place),
        }
    }
}

/// A group that a cell has no room in, for a host that nothing else holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lacking {
    /// The rule that makes it.
    pub rule: FloorRule,
    /// The group.
    pub group: Group,
}

/// The places of the rules that bind the hosts of an assignment, each with those that it binds, where
/// these are not all.
pub(in crate::cell) struct Binding<'a>(Vec<(usize, Option<&'a BTreeSet<HostId>>)>);

/// How many members of each group are out.
pub(in crate::cell) struct OutCounts(Vec<usize>);
