//! What a round of starts has come to, and why the rest of a slice may not start just now: each reason
//! once, with since when it holds the first of its hosts.

use super::{
    Cell, Member, Work, candidate,
    groups::{Binding, OutCounts},
    window::Windows,
};
use crate::{hold::Reason, id::HostId, inventory::SERVICE, time::Timestamp};
use std::collections::BTreeMap;

/// What a round of starts has come to so far.
pub(super) struct SoFar<'a> {
    pub(super) counts: &'a mut OutCounts,
    /// Which groups bind which hosts.
    pub(super) binding: Binding<'a>,
    pub(super) windows: Windows<'a>,
    /// Why hosts may not start at this time, each reason once, with since when it holds the first.
    pub(super) closed: Vec<(Reason, Timestamp)>,
    pub(super) active: usize,
    pub(super) last_start: Option<Timestamp>,
    /// Why nothing more may start just now. Nothing: it may.
    pub(super) paced: Option<Reason>,
    /// Since when the first host could start that it holds.
    pub(super) paced_since: Timestamp,
    /// Groups that may have no more out, with since when the first host could start that they hold.
    pub(super) floored: BTreeMap<usize, Timestamp>,
    /// Why no more of a service may start just now, by its name, with the same moment.
    pub(super) apart: BTreeMap<String, (Reason, Timestamp)>,
}

impl SoFar<'_> {
    /// The groups of a host at these places that have no room for one more.
    pub(super) fn full<'b>(
        &'b self,
        cell: &'b Cell,
        host: &'b HostId,
        places: &'b [usize],
    ) -> impl Iterator<Item = usize> + 'b {
        let groups = cell.groups();
        groups.forbid_taking(self.counts, &self.binding, host, places)
    }

    /// Looks whether the pace lets one more start, which could since a moment.
    pub(super) fn pace(&mut self, work: &Work, since: Timestamp, now: Timestamp) {
        let (active, last_start) = (self.active, self.last_start);
        let paced = || candidate::held_by_pace(work, active, last_start, now);
        self.paced = self.paced.take().or_else(paced);
        if self.paced.is_some() {
            self.paced_since = since.min(self.paced_since);
        }
    }

    pub(super) fn close(&mut self, reason: Reason, since: Timestamp) {
        match self.closed.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, first)) => *first = since.min(*first),
            None => self.closed.push((reason, since)),
        }
    }

    pub(super) fn keep_apart(&mut self, member: &Member, reason: Reason, since: Timestamp) {
        let service = member.host.value(SERVICE).unwrap_or_default();
        let known = self.apart.entry(service.to_owned());
        let (known, first) = known.or_insert_with(|| (reason.clone(), since));
        (*known, *first) = (reason, since.min(*first));
    }
}
