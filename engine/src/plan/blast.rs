//! How much of the fleet a rollout touches, by capacity group.

use super::{
    choice::Choice,
    floors::Floors,
    impact::{Impact, Touched},
    planned::Planned,
    selected::Place,
};
use crate::share::Share;
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
    /// The groups of its floors that have members in several cells, in order of their names.
    #[serde(default)]
    pub wide: Vec<WideGroup>,
    /// The declared services that may feel it: the patched ones, their dependants, and theirs.
    #[serde(default)]
    pub impacts: Vec<Impact>,
}

/// A capacity group with members in several cells, which share its allowance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WideGroup {
    /// The group, as in `service=web region=r1`.
    pub group: String,
    /// Its region, where the name does not say it. Absent: it does, or the group spans regions.
    pub region: Option<String>,
    /// The share of it that stays in service.
    pub min_in_service: Share,
    /// How many cells have members of it. At least 2.
    pub cells: usize,
    /// How many members it has.
    pub members: usize,
    /// How many of them may be out at once, in all cells.
    pub allowance: usize,
    /// How many of the allowance are no cell's own share: tokens, each with one cell at a time.
    pub tokens: usize,
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
    /// How many of them may be out at once, by the strictest floor that binds one of the planned; of
    /// a group that reaches further, with all its tokens.
    pub allowance: usize,
}

impl GroupBlast {
    /// How many of it may be out at once: its allowance. The one host of a group that the plan takes goes
    /// out too, once somebody approved it.
    pub fn may_be_out(&self) -> usize {
        let is_lone = self.members == 1 && self.planned == 1;
        self.allowance.max(usize::from(is_lone))
    }

    /// How much more each of the rest carries while all are out that may be, in thousandths, rounded up:
    /// of 20 with one out it is 53, as 5 % out is 5.3 % more. Nothing: nobody is left.
    pub fn more_load_permille(&self) -> Option<usize> {
        more_load_permille(self.members, self.may_be_out())
    }
}

impl WideGroup {
    /// How much more each of the rest carries while the whole allowance is out, as of
    /// [`GroupBlast::more_load_permille`].
    pub fn more_load_permille(&self) -> Option<usize> {
        more_load_permille(self.members, self.allowance)
    }
}

fn more_load_permille(members: usize, out: usize) -> Option<usize> {
    let left = members.checked_sub(out).filter(|left| *left > 0)?;
    Some(out.saturating_mul(1000).div_ceil(left))
}

impl Blast {
    /// Counts what a plan touches.
    pub(super) fn of(
        choice: &Choice<'_>,
        planned: &Planned<'_, '_>,
        floors: &Floors<'_>,
        touched: &Touched<'_>,
    ) -> Self {
        let mut counts: BTreeMap<Place<'_>, (usize, usize)> = BTreeMap::new();
        for (class, count) in &planned.classes {
            counts.entry(class.home).or_default().1 += count;
        }
        for class in &choice.known.classes {
            let home = class.home.and_then(|(_, home)| counts.get_mut(&home));
            if let Some((members, _)) = home {
                *members += class.members;
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
            hosts: planned.hosts.len(),
            selected: choice.selected.hosts.len(),
            known: choice.known.hosts.len(),
            groups: groups.collect(),
            impacts: touched.impacts(),
            wide: floors.wide(),
        }
    }
}
