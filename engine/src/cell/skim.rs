//! Starts hosts without looking at each: where nobody asks why the rest waits, it is enough to look at those
//! that something of their own holds, once they may be left out for it, and at the first of each class of hosts
//! of the same groups, until the class has no room or the pace lets no more start.
//!
//! It comes to the commands that a look at every host comes to. Where a host may differ from the others of
//! its class in what holds it, or in its turn, every one is looked at.

use super::{
    Work,
    decide::Draft,
    line::{Class, Turn},
    so_far::SoFar,
    turn::{self, Wanted},
};
use crate::{id::HostId, order::Direction, time::Timestamp, warrant::Warrant};
use std::{
    cmp::Reverse,
    collections::{BinaryHeap, btree_map},
};

/// Which hosts one comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    /// Those that something of their own holds.
    Unready,
    /// A class.
    Class(usize),
}

/// Hosts of the same groups that were not looked at yet.
struct Rest<'a> {
    places: &'a [usize],
    hosts: btree_map::Iter<'a, (Turn, HostId), Timestamp>,
}

/// A host that is looked at next of those that it comes from, with when it is ready.
type First<'a> = (Turn, &'a HostId, Source, Timestamp);

impl<'a> Rest<'a> {
    fn of((places, class): (&'a [usize], &'a Class)) -> Self {
        let hosts = class.iter();
        Self { places, hosts }
    }

    fn next(&mut self, source: Source) -> Option<First<'a>> {
        let ((turn, host), ready_at) = self.hosts.next()?;
        Some((*turn, host, source, *ready_at))
    }
}

impl Draft<'_> {
    /// Whether a class of hosts stands for each of its hosts.
    pub(super) fn may_skim(&self, work: &Work, direction: Direction, so_far: &SoFar<'_>) -> bool {
        let groups = &self.cell.groups;
        !self.ask.explains
            && direction == Direction::Patch
            && !work.assignment.repair
            && self.cell.denials.is_empty()
            && self.at_work.is_nothing()
            && !groups.has_closed()
            && so_far.binding.binds_all_alike()
            && self.cell.agenda(work).line().is_of_one_zone()
    }

    /// Whether no window and no freeze decides what becomes of a host, or when.
    fn is_timeless(&self, work: &Work) -> bool {
        work.assignment.windows.is_empty() && self.cell.calendar.freezes.is_empty()
    }

    /// Starts hosts.
    pub(super) fn skim(&mut self, work: &Work, warrant: &Warrant, so_far: &mut SoFar<'_>) {
        let agenda = self.cell.agenda(work);
        let unready = match self.is_timeless(work) {
            true => agenda.impatient(self.now),
            false => agenda.unready(self.now),
        };
        self.decision.wake_at(agenda.next_turn(self.now));
        so_far.pace(work, self.now, self.now);
        let unready = turn::in_turn(self.cell, work, unready);
        let mut unready = unready.iter().map(|one| {
            let host = &one.member.host.id;
            (one.turn(), host, Source::Unready, Timestamp::default())
        });
        let classes = agenda.line().classes().map(Rest::of);
        // Where the pace lets none start, nothing is to be done for those that are ready.
        let mut classes: Vec<Rest<'_>> = match so_far.paced {
            Some(_) => Vec::new(),
            None => classes.collect(),
        };
        let firsts = classes.iter_mut().enumerate();
        let firsts = firsts.filter_map(|(place, rest)| rest.next(Source::Class(place)));
        let firsts = firsts.chain(unready.next()).map(Reverse);
        let mut firsts: BinaryHeap<Reverse<First<'_>>> = firsts.collect();
        while let Some(Reverse(first)) = firsts.pop() {
            let next = match first.2 {
                Source::Unready => {
                    self.skim_unready(work, warrant, first.1, so_far);
                    unready.next()
                }
                Source::Class(place) => {
                    let rest = classes.get_mut(place);
                    let rest = rest
                        .filter(|rest| self.skim_one(work, warrant, first, rest.places, so_far));
                    rest.and_then(|rest| rest.next(first.2))
                }
            };
            firsts.extend(next.map(Reverse));
        }
    }

    /// Considers a host that something of its own holds.
    fn skim_unready(
        &mut self,
        work: &Work,
        warrant: &Warrant,
        host: &HostId,
        so_far: &mut SoFar<'_>,
    ) {
        if let Some(one) = Wanted::of(self.cell, work, host) {
            self.consider_starting(work, warrant, one, so_far);
            so_far.pace(work, self.now, self.now);
        }
    }

    /// Considers a host of a class. Whether the others that it stands before are to be considered.
    fn skim_one(
        &mut self,
        work: &Work,
        warrant: &Warrant,
        (_, host, _, ready_at): First<'_>,
        places: &[usize],
        so_far: &mut SoFar<'_>,
    ) -> bool {
        if so_far.paced.is_some() {
            return false;
        }
        // What holds one that is not ready is looked at by itself.
        if ready_at > self.now {
            return true;
        }
        let is_full = so_far.full(self.cell, host, places).next().is_some();
        if is_full && self.is_held_by_groups_alone(work, host) {
            // Who does not ask why needs no reason, only the tokens that are lacking.
            if self.decision.lacking.is_empty()
                && let Some(member) = self.cell.members.get(host)
            {
                let full: Vec<usize> = so_far.full(self.cell, host, places).collect();
                self.floored(work, (member, ready_at), &full, warrant.direction, so_far);
            }
            return false;
        }
        let Some(one) = Wanted::of(self.cell, work, host) else {
            return true;
        };
        let has_room = self.consider_starting(work, warrant, one, so_far);
        so_far.pace(work, self.now, self.now);
        has_room
    }

    /// Whether nothing but its groups can hold a host that is ready.
    fn is_held_by_groups_alone(&self, work: &Work, host: &HostId) -> bool {
        self.is_timeless(work)
            && self.ask.troubled.is_nowhere()
            && !self.cell.ledger.holds(host)
            && !self.taken.contains(host)
    }
}
