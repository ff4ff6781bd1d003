//! Groups whose room is used up by hosts that nobody is at work on: casualties, and those that are not heard
//! of. Neither comes back by itself, so whoever waits for room there may wait for ever. Of a group that reaches
//! beyond the cell the fleet says whether it is used up so elsewhere: then no token comes.
//!
//! After a while the rollout goes on without the hosts that wait: each is left out, with who is in its way,
//! and counts against `hosts_left_out`. Once there is room again it has its turn after all. A rollback, whose
//! wish stands, waits; so does a repair, whose hosts are out already.

use super::{
    Cell, GivenUp, Link, Work, candidate,
    decide::Draft,
    groups::OutCounts,
    so_far::SoFar,
    turn::{self, Wanted},
};
use crate::{
    id::{HostId, RolloutId},
    ledger::Occupancy,
    order::Direction,
    time::Timestamp,
};
use std::collections::BTreeSet;

/// Who uses the room of a group up, where none of them comes back by itself.
struct Lost {
    /// The first of them, in order of names, and what is the matter with it.
    first: String,
    count: usize,
    /// When the last of them was lost.
    since: Timestamp,
}

impl Lost {
    fn and(lost: Option<Self>, host: &HostId, why: &str, since: Timestamp) -> Self {
        let one = |first, count, before: Timestamp| Self {
            first,
            count: count + 1,
            since: since.max(before),
        };
        match lost {
            None => one(format!("{host} ({why})"), 0, since),
            Some(lost) => one(lost.first, lost.count, lost.since),
        }
    }

    /// Hosts of other cells, of which none is out here.
    fn elsewhere(since: Timestamp) -> Self {
        Self {
            first: "hosts of other cells".to_owned(),
            count: 0,
            since,
        }
    }

    fn in_words(&self) -> String {
        match self.count {
            0 => format!(
                "{} use its room up, and none comes back by itself",
                self.first
            ),
            1 => format!("{} uses its room up", self.first),
            count => format!("{} and {} more use its room up", self.first, count - 1),
        }
    }
}

impl Cell {
    /// Who is out of the group at a place. Nothing where nobody is, or somebody who comes to an end: a run, a
    /// person, or a host that this owner has yet to hear of.
    fn lost_of(&self, place: usize) -> Option<Lost> {
        let is_in = |host: &HostId| self.groups.places_of(host).contains(&place);
        let mut lost = None;
        for (host, entry) in self.ledger.entries().iter().filter(|(host, _)| is_in(host)) {
            let Occupancy::Casualty { why, since } = &entry.occupancy else {
                return None;
            };
            lost = Some(Lost::and(lost, host, why, entry.since.max(*since)));
        }
        for (host, member) in &self.members {
            let Link::Silent { since } = member.link else {
                continue;
            };
            if self.ledger.holds(host) || !is_in(host) {
                continue;
            }
            if !member.heard {
                return None;
            }
            lost = Some(Lost::and(lost, host, "not heard of", since));
        }
        lost
    }

    /// Who uses the room of the group at a place up, of those that are out here or of all.
    fn lost_room(&self, counts: &OutCounts, place: usize) -> Option<Lost> {
        if counts.is_any_out(place) {
            return self.lost_of(place);
        }
        let since = self.groups.stranded_since(place)?;
        Some(Lost::elsewhere(since))
    }

    /// Gives the hosts their turn again that were left out for room which there is now, or which is used up elsewhere
    /// by hosts that come back.
    pub(super) fn let_in(&mut self) {
        let is_any = |work: &Work| !work.without_room.is_empty();
        if !self.work.values().any(is_any) {
            return;
        }
        let counts = self.groups.count_out();
        let with_room = |work: &Work| {
            let binding = self.groups.binding(&work.assignment);
            let hosts = work.without_room.iter();
            let hosts = hosts.filter(|host| {
                let places = self.groups.places_of(host);
                let mut full = self.groups.forbid_taking(&counts, &binding, host, places);
                let is_used_up = |place: usize| {
                    counts.is_any_out(place) || self.groups.stranded_since(place).is_some()
                };
                !self.ledger.holds(host) && !full.any(is_used_up)
            });
            hosts.cloned().collect::<Vec<_>>()
        };
        let works = self.work.iter();
        let hosts: Vec<(RolloutId, Vec<HostId>)> = works
            .map(|(rollout, work)| (rollout.clone(), with_room(work)))
            .collect();
        for (rollout, hosts) in hosts {
            if let Some(work) = self.work.get_mut(&rollout) {
                work.let_in(&hosts);
            }
        }
    }
}

impl Work {
    fn let_in(&mut self, hosts: &[HostId]) {
        for host in hosts {
            self.without_room.remove(host);
            self.wait_after_all(host);
        }
        if !hosts.is_empty() {
            self.forget_agenda();
        }
    }
}

impl Draft<'_> {
    /// Leaves out the hosts that wait for room in a group whose room is lost.
    pub(super) fn go_on_without(&mut self, work: &Work, so_far: &SoFar<'_>) {
        let is_forward = work.direction() == Some(Direction::Patch);
        if !is_forward || work.assignment.repair {
            return;
        }
        let (mut left, mut wanted) = (BTreeSet::new(), None);
        for place in self.cell.groups.may_be_lost() {
            let is_in = |host: &HostId| self.cell.groups.places_of(host).contains(&place);
            // Who is started in this very decision comes back.
            if self.taken.iter().any(is_in) {
                continue;
            }
            let Some(lost) = self.cell.lost_room(so_far.counts, place) else {
                continue;
            };
            let ends = lost.since.after(candidate::room_patience(work));
            if self.now < ends {
                self.wake_at(ends);
                continue;
            }
            let group = self.cell.groups.reason(so_far.counts, place);
            let reason = format!("{group}: {}", lost.in_words());
            let wanted = wanted.get_or_insert_with(|| turn::wanted(self.cell, work));
            for one in wanted.iter() {
                let host = &one.member.host.id;
                if self.waits_for_room(work, one, place, so_far) && left.insert(host.clone()) {
                    let reason = reason.clone();
                    self.give_up(work, host, GivenUp::NoRoom { reason });
                }
            }
        }
    }

    /// Whether nothing but the group at a place, and others, keeps a host from being started.
    fn waits_for_room<'w>(
        &self,
        work: &'w Work,
        one: &Wanted<'w>,
        place: usize,
        so_far: &SoFar<'_>,
    ) -> bool {
        let (host, direction) = (&one.member.host.id, Direction::Patch);
        let held = || candidate::held_by_itself(one.member, one.job, work, direction, self.now);
        let taken = one.taken(work, direction);
        one.entry.is_none()
            && one.places.contains(&place)
            && !self.taken.contains(host)
            && held().is_none()
            && self.in_its_time(taken, &so_far.windows).is_ok()
            && so_far
                .full(self.cell, host, one.places)
                .any(|full| full == place)
    }
}
