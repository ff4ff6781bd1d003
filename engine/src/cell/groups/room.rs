//! Whether a group has room for one more member that is out.

use super::{DEFAULT_RULES, Groups};
use crate::{
    floor::{Group, own_share},
    hold::Reason,
    id::HostId,
    policy::FloorRule,
    warrant::Assignment,
};

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

    /// The groups that bind a host under a rollout: those of its limit's rules, else the default.
    fn binding<'a>(
        &'a self,
        assignment: &'a Assignment,
        host: &'a HostId,
    ) -> impl Iterator<Item = usize> + 'a {
        let places = self.seats.get(host).map_or(&[][..], |seat| &seat.places);
        let named = assignment.floors.iter().filter(|f| f.hosts.contains(host));
        let place_of = |rule: &FloorRule| self.rules.iter().position(|known| known == rule);
        let is_named = named.clone().next().is_some();
        let default = if is_named { 0 } else { DEFAULT_RULES };
        named
            .filter_map(move |floor| place_of(&floor.rule))
            .chain(0..default)
            .filter_map(|rule| places.get(rule).copied())
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
        assignment: &'a Assignment,
        host: &'a HostId,
    ) -> impl Iterator<Item = usize> + 'a {
        let binding = self.binding(assignment, host);
        binding.filter(|&place| counts.0[place] + 1 > self.allowance(place))
    }

    /// The group that has more out than its allowance, the host itself counted, if one has.
    pub(in crate::cell) fn forbid_disrupting(
        &self,
        counts: &OutCounts,
        assignment: &Assignment,
        host: &HostId,
    ) -> Option<usize> {
        let mut binding = self.binding(assignment, host);
        binding.find(|&place| counts.0[place] > self.allowance(place))
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

/// How many members of each group are out.
pub(in crate::cell) struct OutCounts(Vec<usize>);
