//! How the members of each group are counted, one by one as they change.

use super::{Groups, Presence};
use crate::cell::zone_trouble::ZoneOf;
use crate::{
    allotment::{Allotment, Rights},
    floor::Group,
    id::HostId,
    inventory::Host,
    policy::FloorRule,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A group with its counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counted {
    /// The place of its rule.
    pub(super) rule: usize,
    pub(super) group: Group,
    pub(super) members: usize,
    /// Members that are out or may be, as far as the owner heard.
    pub(super) out: usize,
    /// How many of those do not come back by themselves.
    #[serde(default)]
    pub(super) lost: usize,
    /// Members that this owner has not heard of yet.
    pub(super) unheard: usize,
    /// What the newest allotment says of it.
    #[serde(default)]
    pub(super) rights: Rights,
    /// At which revision of all groups it last changed.
    #[serde(default)]
    pub(super) changed_at: u64,
    /// Where it is among the zones of its service. Absent: its rule does not tell services and zones
    /// apart.
    #[serde(default)]
    pub(super) zone: Option<ZoneOf>,
}

impl Counted {
    /// One more is a member.
    fn come(&mut self, presence: Presence) {
        self.members += 1;
        match presence {
            Presence::Serving => {}
            Presence::Out => self.out += 1,
            Presence::Lost => {
                self.out += 1;
                self.lost += 1;
            }
            Presence::Unheard => self.unheard += 1,
        }
    }

    /// One is no member any more.
    fn leave(&mut self, presence: Presence) {
        self.members -= 1;
        match presence {
            Presence::Serving => {}
            Presence::Out => self.out -= 1,
            Presence::Lost => {
                self.out -= 1;
                self.lost -= 1;
            }
            Presence::Unheard => self.unheard -= 1,
        }
    }
}

/// How a member is counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Seat {
    pub(super) presence: Presence,
    /// Its group by each rule.
    pub(super) places: Vec<usize>,
}

impl Groups {
    /// The counts of the groups that have members, in no order of time.
    pub(super) fn counts(&self) -> BTreeMap<(&FloorRule, &Group), Counted> {
        let there = self.groups.iter().filter(|counted| counted.members > 0);
        let timeless = there.map(|counted| {
            let of = (&self.rules[counted.rule], &counted.group);
            let changed_at = 0;
            (
                of,
                Counted {
                    changed_at,
                    ..counted.clone()
                },
            )
        });
        timeless.collect()
    }

    /// How many members a group has.
    pub(super) fn members(&self, rule: usize, group: &Group) -> usize {
        let mut groups = self.groups.iter();
        let found = groups.find(|counted| counted.rule == rule && counted.group == *group);
        found.map_or(0, |counted| counted.members)
    }

    pub(super) fn take_rights(&mut self, allotment: &Allotment) {
        for place in 0..self.groups.len() {
            let counted = &self.groups[place];
            let rights = allotment.rights_of(&self.rules[counted.rule], &counted.group);
            if counted.rights != rights {
                self.change(place).rights = rights;
            }
        }
    }

    /// A group that changes.
    fn change(&mut self, place: usize) -> &mut Counted {
        self.revision += 1;
        let counted = &mut self.groups[place];
        counted.changed_at = self.revision;
        counted
    }

    /// How a member is counted. Nothing: it is not.
    pub(super) fn presence(&self, host: &HostId) -> Option<Presence> {
        self.seats.get(host).map(|seat| seat.presence)
    }

    /// Counts a member otherwise that is in the same groups as before. Whether it was counted.
    pub(super) fn count_as(&mut self, host: &HostId, presence: Presence) -> bool {
        let Some(seat) = self.seats.get_mut(host) else {
            return false;
        };
        let before = std::mem::replace(&mut seat.presence, presence);
        for &place in &seat.places {
            self.revision += 1;
            let counted = &mut self.groups[place];
            counted.changed_at = self.revision;
            counted.leave(before);
            counted.come(presence);
        }
        true
    }

    /// Counts a host that is not counted.
    pub(super) fn seat(&mut self, host: &Host, presence: Presence, allotment: &Allotment) {
        let places = self.find_places(host, allotment);
        for &place in &places {
            self.change(place).come(presence);
        }
        self.seats
            .insert(host.id.clone(), Seat { presence, places });
    }

    /// Counts a host no more.
    pub(super) fn unseat(&mut self, host: &HostId) {
        let Some(seat) = self.seats.remove(host) else {
            return;
        };
        for &place in &seat.places {
            self.change(place).leave(seat.presence);
        }
    }

    fn find_places(&mut self, host: &Host, allotment: &Allotment) -> Vec<usize> {
        let mut places = Vec::with_capacity(self.rules.len());
        for rule in 0..self.rules.len() {
            let place = self.place(rule, host, allotment, &places);
            places.push(place);
        }
        places
    }

    /// The place of a host's group by a rule: where it was counted before, or that of a group which has
    /// no members any more, but for those `taken`, or a new one.
    fn place(&mut self, rule: usize, host: &Host, allotment: &Allotment, taken: &[usize]) -> usize {
        let group = Group::of(&self.rules[rule], host);
        let is_it = |counted: &Counted| counted.rule == rule && counted.group == group;
        if let Some(known) = self.groups.iter().position(is_it) {
            return known;
        }
        self.layout += 1;
        let counted = Counted {
            rule,
            members: 0,
            out: 0,
            lost: 0,
            unheard: 0,
            rights: allotment.rights_of(&self.rules[rule], &group),
            changed_at: self.revision,
            zone: ZoneOf::of(&self.rules[rule], host),
            group,
        };
        let mut places = 0..self.groups.len();
        let unused =
            places.find(|place| self.groups[*place].members == 0 && !taken.contains(place));
        match unused {
            Some(place) => {
                self.groups[place] = counted;
                place
            }
            None => {
                self.groups.push(counted);
                self.groups.len() - 1
            }
        }
    }
}
