//! Starts hosts without looking at each: where nobody asks why the rest waits, it is enough to look at those
//! that something of their own holds, which may be left out for it, and at the first of each class of hosts
//! of the same groups, until the class has no room or the pace lets no more start.
//!
//! It comes to the commands that a look at every host comes to. Where a host may differ from the others of
//! its class in what holds it, or in its turn, every one is looked at.

use super::{
    Work,
    decide::Draft,
    line::Turn,
    start::SoFar,
    turn::{self, Wanted},
};
use crate::{id::HostId, order::Direction, warrant::Warrant};
use std::collections::BTreeSet;

/// Which hosts one comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    /// Those that something of their own holds.
    Unready,
    /// A class.
    Class(usize),
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

    /// Starts hosts.
    pub(super) fn skim(&mut self, work: &Work, warrant: &Warrant, so_far: &mut SoFar<'_>) {
        let agenda = self.cell.agenda(work);
        let unready = turn::unready(self.cell, work, self.now);
        let mut unready = unready.iter().map(|one| (one.turn(), &one.member.host.id));
        let classes = agenda.line().classes().map(|class| class.iter());
        let mut classes: Vec<_> = classes.collect();
        let count = classes.len();
        let mut next = |source| match source {
            Source::Unready => unready.next(),
            Source::Class(place) => {
                let class = classes.get_mut(place)?;
                class.next().map(|(turn, host)| (*turn, host))
            }
        };
        so_far.pace(work, self.now);
        let sources = (0..count).map(Source::Class).chain([Source::Unready]);
        let firsts = sources.filter_map(|source| next(source).map(|(t, host)| (t, host, source)));
        let mut firsts: BTreeSet<(Turn, &HostId, Source)> = firsts.collect();
        while let Some((_, host, source)) = firsts.pop_first() {
            if self.skim_one(work, warrant, host, source, so_far)
                && let Some((turn, host)) = next(source)
            {
                firsts.insert((turn, host, source));
            }
        }
    }

    /// Considers a host. Whether the others that it stands before are to be considered.
    fn skim_one(
        &mut self,
        work: &Work,
        warrant: &Warrant,
        host: &HostId,
        source: Source,
        so_far: &mut SoFar<'_>,
    ) -> bool {
        let is_of_class = source != Source::Unready;
        if is_of_class && so_far.paced.is_some() {
            return false;
        }
        let Some(one) = Wanted::of(self.cell, work, host) else {
            return true;
        };
        // One that is not ready stands among those, too.
        if is_of_class && !one.is_ready(work, self.now) {
            return true;
        }
        let has_room = self.consider_starting(work, warrant, one, so_far);
        so_far.pace(work, self.now);
        has_room
    }
}
