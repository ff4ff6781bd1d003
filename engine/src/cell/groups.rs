//! The capacity groups of a cell: who is in them, how many are out, how many may be.
//!
//! Counted once for the whole cell and kept up to date as each host changes, so that a decision asks
//! and never counts.

mod count;
mod room;

pub use room::Lacking;
pub(super) use room::{Binding, OutCounts};

use self::count::{Counted, Seat};
use super::{Cell, CellEvent, zone_trouble::ZoneOf};
use crate::{
    allotment::{Rights, Standing},
    by_name::ByHost,
    floor::Group,
    id::HostId,
    policy::FloorRule,
};
use serde::{Deserialize, Serialize};

/// How many default rules there are.
const DEFAULT_RULES: usize = 2;

/// The place of the default rule by which groups are packed: service x zone.
const BY_ZONE: usize = 0;

/// The groups that the members of a cell are counted in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Groups {
    /// Those of a cell: the default rules first, then those of rollouts, each once.
    rules: Vec<FloorRule>,
    groups: Vec<Counted>,
    seats: ByHost<Seat>,
    /// How often a group has changed.
    #[serde(default)]
    revision: u64,
    /// How often groups have got other places.
    #[serde(default)]
    layout: u64,
}

/// Whether a member is out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Presence {
    Serving,
    /// In the ledger, and somebody is at work on it.
    Out,
    /// Out, and it does not come back by itself: a casualty, or silent.
    Lost,
    /// Silent, and this owner has not heard of it since it became the owner.
    Unheard,
}

impl Presence {
    fn of(cell: &Cell, host: &HostId) -> Option<Self> {
        let member = cell.members.get(host)?;
        Some(match (cell.ledger.entry(host), member.is_connected()) {
            (Some(entry), _) if entry.is_casualty() => Self::Lost,
            (Some(_), _) => Self::Out,
            (None, true) => Self::Serving,
            (None, false) if member.heard => Self::Lost,
            (None, false) => Self::Unheard,
        })
    }
}

impl Default for Groups {
    fn default() -> Self {
        Self {
            rules: FloorRule::defaults().into(),
            groups: Vec::new(),
            seats: ByHost::default(),
            revision: 0,
            layout: 0,
        }
    }
}

impl Groups {
    /// Those that have members.
    pub(crate) fn views(&self) -> impl Iterator<Item = GroupView<'_>> {
        let all = self.groups.iter().enumerate();
        let there = all.filter(|(_, counted)| counted.members > 0);
        there.map(|(place, counted)| self.view(place, counted))
    }

    /// Those that changed since a revision, members or not.
    pub(crate) fn changed_since(&self, revision: u64) -> impl Iterator<Item = GroupView<'_>> {
        let all = self.groups.iter().enumerate();
        let changed = all.filter(move |(_, counted)| counted.changed_at > revision);
        changed.map(|(place, counted)| self.view(place, counted))
    }

    fn view<'a>(&'a self, place: usize, counted: &'a Counted) -> GroupView<'a> {
        GroupView {
            rule: &self.rules[counted.rule],
            group: &counted.group,
            place,
            members: counted.members,
            out: counted.out,
            lost: counted.lost,
            unheard: counted.unheard,
            rights: counted.rights,
            zone: counted.zone.as_ref(),
        }
    }

    /// How often a group has changed.
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    /// How often groups have got other places.
    pub(crate) fn layout(&self) -> u64 {
        self.layout
    }

    /// The places of a host's groups, by the places of their rules.
    pub(super) fn places_of(&self, host: &HostId) -> &[usize] {
        self.seats.get(host).map_or(&[], |seat| &seat.places)
    }
}

/// A group of a cell, as the whole fleet looks at it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GroupView<'a> {
    pub(crate) rule: &'a FloorRule,
    pub(crate) group: &'a Group,
    /// Its place among the groups of the cell.
    pub(crate) place: usize,
    pub(crate) members: usize,
    pub(crate) out: usize,
    pub(crate) lost: usize,
    pub(crate) unheard: usize,
    /// What the cell was told of it.
    pub(crate) rights: Rights,
    pub(in crate::cell) zone: Option<&'a ZoneOf>,
}

impl Cell {
    /// The groups of its members, by every rule that it counts by.
    pub(crate) fn groups(&self) -> &Groups {
        &self.groups
    }

    /// Whether it keeps counts by a rule.
    pub(crate) fn counts_by(&self, rule: &FloorRule) -> bool {
        self.groups.rules.contains(rule)
    }

    /// How the cell stands in a group. Members that its owner has not heard of yet count as out once
    /// it `has_settled`.
    pub(crate) fn standing(&self, view: &GroupView<'_>, has_settled: bool) -> Standing {
        Standing {
            members: view.members,
            out: view.out + if has_settled { view.unheard } else { 0 },
            lost: view.lost,
        }
    }

    /// How many members are of a group that is packed together: of a service in its zone.
    pub(crate) fn packed_with(&self, group: &Group) -> usize {
        self.groups.members(BY_ZONE, group)
    }

    /// How many members are of a group, whether the cell counts by its rule or not.
    pub(crate) fn members_of(&self, rule: &FloorRule, group: &Group) -> usize {
        let Some(place) = self.groups.rules.iter().position(|known| known == rule) else {
            let groups = self.members.values().map(|m| Group::of(rule, &m.host));
            return groups.filter(|of| of == group).count();
        };
        self.groups.members(place, group)
    }

    /// Counts a host as it is now.
    pub(super) fn count_host(&mut self, host: &HostId, is_greeted: bool) {
        let presence = Presence::of(self, host);
        let member = self.members.get(host).map(|member| &member.host);
        let may_move = is_greeted || member.is_none();
        if !may_move && self.groups.presence(host) == presence {
            return;
        }
        if let Some(presence) = presence.filter(|_| !may_move)
            && self.groups.count_as(host, presence)
        {
            return;
        }
        self.groups.unseat(host);
        if let (Some(presence), Some(member)) = (presence, member) {
            self.groups.seat(member, presence, &self.allotment);
        }
    }

    /// Keeps the counts in step with an event that was just applied.
    pub(super) fn keep_count(&mut self, event: &CellEvent) {
        match event {
            CellEvent::OwnerStarted { .. } => self.count_anew(),
            CellEvent::Assigned { .. } | CellEvent::Released { .. } => self.follow_rules(),
            CellEvent::Allotted { .. } => {
                self.follow_rules();
                self.groups.take_rights(&self.allotment);
            }
            CellEvent::HostConnected { hello } => self.count_host(&hello.host.id, true),
            CellEvent::HostDisconnected { host }
            | CellEvent::GuardTold { host, .. }
            | CellEvent::HostForgotten { host }
            | CellEvent::Reserved { host, .. }
            | CellEvent::Unreserved { host, .. }
            | CellEvent::Reported { host, .. }
            | CellEvent::ClaimAnswered { host, .. }
            | CellEvent::GaveUp { host, .. } => self.count_host(host, false),
            CellEvent::Ordered { order } => self.count_host(&order.host, false),
            CellEvent::Booted
            | CellEvent::Claimed { .. }
            | CellEvent::PackagesChanged { .. }
            | CellEvent::DriftTold { .. }
            | CellEvent::EffectTold { .. }
            | CellEvent::CalendarDeclared { .. }
            | CellEvent::CordTold { .. }
            | CellEvent::Excepted { .. }
            | CellEvent::DenialsTold { .. }
            | CellEvent::Warranted { .. }
            | CellEvent::Stopped { .. }
            | CellEvent::StageAsked { .. }
            | CellEvent::Resent { .. }
            | CellEvent::Withdrawn { .. }
            | CellEvent::Braked { .. }
            | CellEvent::Summarised { .. } => {}
        }
    }

    /// Counts by the rules that bind now.
    fn follow_rules(&mut self) {
        if self.rules() != self.groups.rules {
            self.count_anew();
        }
    }

    /// The default rules, those of the cell's rollouts, and those that others count on.
    fn rules(&self) -> Vec<FloorRule> {
        let mut rules = Vec::from(FloorRule::defaults());
        let of_work = self.work.values().flat_map(|work| &work.assignment.floors);
        let of_work = of_work.map(|floor| &floor.rule);
        for rule in of_work.chain(&self.allotment.rules) {
            if !rules.contains(rule) {
                rules.push(rule.clone());
            }
        }
        rules
    }

    fn count_anew(&mut self) {
        let layout = self.groups.layout + 1;
        let anew = self.counted_anew();
        self.groups = Groups { layout, ..anew };
    }

    fn counted_anew(&self) -> Groups {
        self.counted_by(self.rules())
    }

    /// Counts its members by rules. Costs a look at every one.
    pub(crate) fn counted_by(&self, rules: Vec<FloorRule>) -> Groups {
        let mut groups = Groups {
            rules,
            ..Groups::default()
        };
        for (host, member) in &self.members {
            if let Some(presence) = Presence::of(self, host) {
                groups.seat(&member.host, presence, &self.allotment);
            }
        }
        groups
    }

    /// Whether the counts that it keeps of its groups are what counting anew comes to. Costs a look at
    /// every member: for tests.
    pub fn is_counted_right(&self) -> bool {
        self.groups.counts() == self.counted_anew().counts()
    }
}
