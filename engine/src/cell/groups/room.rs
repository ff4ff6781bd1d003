//! Whether a group has room for one more member that is out.

use super::{DEFAULT_RULES, Groups};
use crate::cell::{Cell, zone_trouble::ZoneOf};
use crate::{
    floor::own_share, hold::Reason, id::HostId, policy::FloorRule, time::Timestamp,
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
        for &place in self.places_of(host) {
            counts.0[place] += 1;
        }
    }

    /// Where the rules that bind an assignment's hosts stand here.
    pub(in crate::cell) fn binding<'a>(&self, assignment: &'a Assignment) -> Binding<'a> {
        let place_of = |rule: &FloorRule| self.rules.iter().position(|known| known == rule);
        let floors = assignment.floors.iter();
        let named = floors.filter_map(|floor| {
            let binds_all = floor.hosts.len() == assignment.hosts.len();
            Some(Named {
                rule: place_of(&floor.rule)?,
                hosts: (!binds_all).then_some(&floor.hosts),
                lone_hosts: &floor.lone_hosts,
            })
        });
        Binding(named.collect())
    }

    /// The groups that bind a host, of those that it is in: those of its limit's rules, else the default.
    fn bound<'a>(
        binding: &'a Binding<'_>,
        host: &'a HostId,
        places: &'a [usize],
    ) -> impl Iterator<Item = usize> + 'a {
        let binds = |named: &&Named<'_>| named.hosts.is_none_or(|all| all.contains(host));
        let mut named = binding.0.iter().filter(binds).peekable();
        let is_named = named.peek().is_some();
        let default = if is_named { 0 } else { DEFAULT_RULES };
        let rules = named.map(|named| named.rule).chain(0..default);
        rules.filter_map(|rule| places.get(rule).copied())
    }

    fn allowance(&self, place: usize) -> usize {
        let counted = &self.groups[place];
        let min = self.rules[counted.rule].min_in_service;
        let share = own_share(counted.members, min).saturating_sub(counted.rights.lent);
        (share + counted.rights.tokens).saturating_sub(counted.rights.overdrawn)
    }

    /// How many members of one of its groups may be out when a host is. One that is alone there may be
    /// where the assignment says so: it is granted only when somebody approved it.
    fn allowance_for(&self, place: usize, binding: &Binding<'_>, host: &HostId) -> usize {
        let counted = &self.groups[place];
        let is_alone = counted.members == 1 && counted.rights.is_closed;
        let may = |named: &Named<'_>| named.rule == counted.rule && named.lone_hosts.contains(host);
        match is_alone && binding.0.iter().any(may) {
            true => 1,
            false => self.allowance(place),
        }
    }

    /// Those of a host's groups that forbid taking it, which is not out yet.
    pub(in crate::cell) fn forbid_taking<'a>(
        &'a self,
        counts: &'a OutCounts,
        binding: &'a Binding<'_>,
        host: &'a HostId,
        places: &'a [usize],
    ) -> impl Iterator<Item = usize> + 'a {
        let bound = Self::bound(binding, host, places);
        bound.filter(move |&place| counts.0[place] + 1 > self.allowance_for(place, binding, host))
    }

    /// The group that has more out than its allowance, the host itself counted, if one has.
    pub(in crate::cell) fn forbid_disrupting(
        &self,
        counts: &OutCounts,
        assignment: &Assignment,
        host: &HostId,
    ) -> Option<usize> {
        let binding = self.binding(assignment);
        let mut bound = Self::bound(&binding, host, self.places_of(host));
        bound.find(|&place| counts.0[place] > self.allowance_for(place, &binding, host))
    }

    /// The zones that a host is in by the rules that bind it under a rollout.
    pub(in crate::cell) fn zones<'a>(
        &'a self,
        binding: &'a Binding<'_>,
        host: &'a HostId,
        places: &'a [usize],
    ) -> impl Iterator<Item = (&'a FloorRule, &'a ZoneOf)> {
        let bound = Self::bound(binding, host, places);
        bound.filter_map(|place| {
            let counted = &self.groups[place];
            Some((&self.rules[counted.rule], counted.zone.as_ref()?))
        })
    }

    /// Since when hosts in any cell use the room of the group up that do not come back by themselves. Nothing:
    /// as far as the cell was told, they do not.
    pub(in crate::cell) fn stranded_since(&self, place: usize) -> Option<Timestamp> {
        self.groups[place].rights.stranded_since
    }

    /// The places of groups whose room may be lost: to members that are out here, or as the cell was told.
    pub(in crate::cell) fn may_be_lost(&self) -> impl Iterator<Item = usize> {
        let all = self.groups.iter().enumerate();
        let lost = all.filter(|(_, of)| of.lost > 0 || of.rights.stranded_since.is_some());
        lost.map(|(place, _)| place)
    }

    /// Whether no member of the group may ever be out.
    pub(in crate::cell) fn may_have_none_out(&self, place: usize) -> bool {
        self.groups[place].rights.is_closed
    }

    /// Whether there is such a group.
    pub(in crate::cell) fn has_closed(&self) -> bool {
        self.groups.iter().any(|counted| counted.rights.is_closed)
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

/// A group that a cell has no room in, for a host that nothing else holds, by its place among the cell's groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lacking(pub(crate) usize);

/// The rules that bind the hosts of an assignment by name.
pub(in crate::cell) struct Binding<'a>(Vec<Named<'a>>);

impl Binding<'_> {
    /// Whether hosts of the same groups are all bound by the same.
    pub(in crate::cell) fn binds_all_alike(&self) -> bool {
        let is_alike = |named: &Named<'_>| named.hosts.is_none() && named.lone_hosts.is_empty();
        self.0.iter().all(is_alike)
    }
}

/// One of them.
struct Named<'a> {
    /// The rule's place.
    rule: usize,
    /// The hosts that it binds. Nothing: all.
    hosts: Option<&'a BTreeSet<HostId>>,
    /// Those that may be out although each is alone in its group.
    lone_hosts: &'a BTreeSet<HostId>,
}

/// How many members of each group are out.
pub(in crate::cell) struct OutCounts(Vec<usize>);

impl OutCounts {
    /// Whether a member of the group at a place is out.
    pub(in crate::cell) fn is_any_out(&self, place: usize) -> bool {
        self.0.get(place).is_some_and(|out| *out > 0)
    }
}

impl Cell {
    /// When the last of the members went out that are out of the group at a place, as the ledger says.
    pub(in crate::cell) fn last_out(&self, place: usize) -> Option<Timestamp> {
        let entries = self.ledger.entries().iter();
        let of_it = entries.filter(|(host, _)| self.groups.places_of(host).contains(&place));
        of_it.map(|(_, entry)| entry.since).max()
    }
}
