//! How much of the fleet a rollout touches, by capacity group.

use super::{
    floors::Floors,
    selected::{Known, Place, Selected},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a plan touches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blast {
    /// Hosts that some wave takes.
    pub hosts: usize,
    /// Hosts that the selection matches.
    pub selected: usize,
    /// Hosts in the inventory.
    pub known: usize,
    /// The capacity groups of the planned hosts, in order of region, zone and service.
    pub groups: Vec<GroupBlast>,
}

/// A capacity group of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupBlast {
    /// Its region.
    pub region: String,
    /// Its zone of that region.
    pub zone: String,
    /// Its service.
    pub service: String,
    /// How many hosts it has in cells.
    pub members: usize,
    /// How many of them the plan takes.
    pub planned: usize,
    /// How many of them may be out at once, by the strictest floor that binds one of the planned.
    pub allowance: usize,
}

impl Blast {
    /// Counts what a plan touches; `planned` are the hosts that some wave takes.
    pub(super) fn of(
        known: &[Known<'_>],
        selected: usize,
        planned: &[&Selected<'_>],
        floors: &Floors<'_>,
    ) -> Self {
        let mut counts: BTreeMap<Place<'_>, (usize, usize)> = BTreeMap::new();
        for host in planned {
            counts.entry(host.place).or_default().1 += 1;
        }
        for (_, place) in known.iter().filter_map(|known| known.home) {
            if let Some((members, _)) = counts.get_mut(&place) {
                *members += 1;
            }
        }
        let allowances = floors.allowances();
        let groups = counts
            .into_iter()
            .map(|(place, (members, planned))| GroupBlast {
                region: place.region.to_owned(),
                zone: place.zone.to_owned(),
                service: place.service.to_owned(),
                members,
                planned,
                allowance: allowances.get(&place).copied().unwrap_or(0),
            });
        Self {
            hosts: planned.len(),
            selected,
            known: known.len(),
            groups: groups.collect(),
        }
    }
}
