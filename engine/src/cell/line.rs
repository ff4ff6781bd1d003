//! The hosts that a warrant wants started, in their order, and apart by the groups that they are in: where a
//! group has no room for one host, it has none for the others.

use super::{Cell, Job, JobState, Member};
use crate::{id::HostId, inventory::ZONE, time::Timestamp};
use std::collections::BTreeMap;

/// When a host has its turn: those that are tried again last, among each other those with fewer failed runs
/// first, and then as the warrant names them.
pub(super) type Turn = (bool, u32, Option<u32>);

/// The turn of a host.
pub(super) fn turn(member: &Member, job: &Job) -> Turn {
    let is_again = matches!(job.state, JobState::Again(_)) || job.is_asked_again();
    (is_again, member.failed_runs, job.turn)
}

/// Where a host stands in the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct InLine {
    turn: Turn,
    /// The places of its groups.
    places: Vec<usize>,
    zone: Option<String>,
}

impl InLine {
    pub(super) fn of(cell: &Cell, member: &Member, job: &Job) -> Self {
        Self {
            turn: turn(member, job),
            places: cell.groups.places_of(&member.host.id).to_vec(),
            zone: member.host.value(ZONE).map(ToOwned::to_owned),
        }
    }
}

/// Hosts of the same groups, each in its turn, with when nothing of its own holds it any more.
pub(super) type Class = BTreeMap<(Turn, HostId), Timestamp>;

/// The line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Line {
    /// The hosts of the same groups that nothing of their own holds for longer than a known time, by the
    /// places of those.
    classes: BTreeMap<Vec<usize>, Class>,
    /// How many hosts each zone has in it.
    zones: BTreeMap<Option<String>, usize>,
}

impl Line {
    pub(super) fn add(&mut self, host: &HostId, at: &InLine, ready_at: Option<Timestamp>) {
        if let Some(ready_at) = ready_at {
            change(&mut self.classes, &at.places, |class| {
                class.insert((at.turn, host.clone()), ready_at);
            });
        }
        change(&mut self.zones, &at.zone, |count| *count += 1);
    }

    pub(super) fn remove(&mut self, host: &HostId, at: &InLine) {
        if let Some(class) = self.classes.get_mut(&at.places) {
            class.remove(&(at.turn, host.clone()));
            if class.is_empty() {
                self.classes.remove(&at.places);
            }
        }
        if let Some(count) = self.zones.get_mut(&at.zone) {
            *count -= 1;
            if *count == 0 {
                self.zones.remove(&at.zone);
            }
        }
    }

    /// Whether all are of one zone, so that turns go round no others.
    pub(super) fn is_of_one_zone(&self) -> bool {
        self.zones.len() <= 1
    }

    /// The hosts of the same groups, with the places of those.
    pub(super) fn classes(&self) -> impl Iterator<Item = (&[usize], &Class)> {
        let classes = self.classes.iter();
        classes.map(|(places, class)| (places.as_slice(), class))
    }
}

/// Changes what a map has for a key. Most keys are known: only a new one is copied.
fn change<K: Ord + Clone, V: Default>(map: &mut BTreeMap<K, V>, key: &K, by: impl FnOnce(&mut V)) {
    if let Some(known) = map.get_mut(key) {
        return by(known);
    }
    by(map.entry(key.clone()).or_default());
}
