//! Whether a host may start by the other zones of its service: nothing starts in a zone while another
//! zone of the same service in its region has more out than its allowance.
//!
//! Zones stand in for each other. One that has lost more hosts than it may leaves its work to the
//! others, and they are let alone until it is well, whoever caused it. Which zones stand in for each
//! other, and how much of one may be out, is said by the floors that bind the host. A rollback is not
//! held by it: it is a wish that stands, and may be what makes the other zone well.
//!
//! The fleet tells each cell which zones are in trouble as a decision begins.

use super::{
    Cell,
    groups::{Binding, GroupView},
};
use crate::{
    allotment::Standing,
    floor::{Group, allowance},
    hold::Reason,
    id::HostId,
    inventory::{Host, REGION, SERVICE, ZONE},
    order::Direction,
    policy::FloorRule,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Where a group is among the zones of its service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct ZoneOf {
    /// What it has in common with its like in other zones: all labels of its rule but the zone, and
    /// the region.
    kin: Group,
    /// The zone.
    zone: String,
}

impl ZoneOf {
    /// Where a host is by a rule. Nothing when the rule does not tell services and zones apart.
    pub(super) fn of(rule: &FloorRule, host: &Host) -> Option<Self> {
        let has = |wanted: &str| rule.group_by.iter().any(|label| label == wanted);
        if !has(SERVICE) || !has(ZONE) {
            return None;
        }
        let kin = Group::of(&without_zone(rule), host);
        let zone = host.value(ZONE)?.to_owned();
        Some(Self { kin, zone })
    }
}

fn without_zone(rule: &FloorRule) -> FloorRule {
    let others = rule.group_by.iter().filter(|l| *l != ZONE && *l != REGION);
    let group_by = others.cloned().chain([REGION.to_owned()]).collect();
    FloorRule {
        group_by,
        min_in_service: rule.min_in_service,
    }
}

/// The zones that have more out than their allowance.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Troubled(Vec<TroubledZone>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct TroubledZone {
    /// Shared with the counts, since all cells are told of it again with each decision.
    zone: Arc<NamedZone>,
    out: usize,
    allowance: usize,
}

/// A zone of a service, by a rule.
#[derive(Debug, PartialEq, Eq)]
struct NamedZone {
    rule: FloorRule,
    of: ZoneOf,
    group: Group,
}

/// How many members each zone of a service has, and how many of them are out, over all cells.
#[derive(Debug, Clone, Default)]
pub(crate) struct ZoneCounts {
    /// In order of rule and zone.
    zones: Vec<CountedZone>,
    /// The places of those that have more out than their allowance.
    troubled: BTreeSet<usize>,
}

#[derive(Debug, Clone)]
struct CountedZone {
    zone: Arc<NamedZone>,
    whole: Standing,
}

impl CountedZone {
    fn allowance(&self) -> usize {
        allowance(self.whole.members, self.zone.rule.min_in_service)
    }
}

impl ZoneCounts {
    /// The zones of all groups, with nothing counted.
    pub(crate) fn of<'a>(views: impl Iterator<Item = GroupView<'a>>) -> Self {
        let of_zones = views.filter_map(|view| Some(((view.rule, view.zone?), view.group)));
        let zones: BTreeMap<_, _> = of_zones.collect();
        let zones = zones.into_iter().map(|((rule, of), group)| CountedZone {
            zone: Arc::new(NamedZone {
                rule: rule.clone(),
                of: of.clone(),
                group: group.clone(),
            }),
            whole: Standing::default(),
        });
        Self {
            zones: zones.collect(),
            troubled: BTreeSet::new(),
        }
    }

    /// Counts how a cell stands in a group, if that is of a zone. The place of its zone.
    pub(crate) fn add(&mut self, view: &GroupView<'_>, standing: Standing) -> Option<usize> {
        let wanted = (view.rule, view.zone?);
        let place = self
            .zones
            .binary_search_by(|known| (&known.zone.rule, &known.zone.of).cmp(&wanted));
        let place = place.ok();
        self.change(place, Standing::default(), standing);
        place
    }

    /// Takes in that a cell stands otherwise in a group of a zone.
    pub(crate) fn change(&mut self, place: Option<usize>, before: Standing, now: Standing) {
        let Some(place) = place else { return };
        let Some(zone) = self.zones.get_mut(place) else {
            return;
        };
        zone.whole.members = zone.whole.members + now.members - before.members;
        zone.whole.out = zone.whole.out + now.out - before.out;
        match zone.whole.out > zone.allowance() {
            true => self.troubled.insert(place),
            false => self.troubled.remove(&place),
        };
    }

    /// The zones that have more out than their allowance.
    pub(crate) fn troubled(&self) -> Troubled {
        let troubled = self
            .troubled
            .iter()
            .filter_map(|place| self.zones.get(*place));
        let troubled = troubled.map(|known| TroubledZone {
            zone: known.zone.clone(),
            out: known.whole.out,
            allowance: known.allowance(),
        });
        Troubled(troubled.collect())
    }
}

impl Troubled {
    /// Whether there is none.
    pub(super) fn is_nowhere(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the same zones are in trouble, however much each of them has out: what may start depends on no
    /// more.
    pub(crate) fn is_where(&self, other: &Self) -> bool {
        let zones = self.0.iter().map(|troubled| &troubled.zone);
        let others = other.0.iter().map(|troubled| &troubled.zone);
        zones.eq(others)
    }

    /// Why a host, whose groups have these places in its cell, may not start beside the other zones of its
    /// service. Nothing: it may.
    pub(super) fn held(
        &self,
        cell: &Cell,
        binding: &Binding<'_>,
        host: &HostId,
        places: &[usize],
        direction: Direction,
    ) -> Option<Reason> {
        if self.0.is_empty() || direction == Direction::Rollback {
            return None;
        }
        let mut zones = cell.groups.zones(binding, host, places);
        let found = zones.find_map(|(rule, of)| {
            let is_beside = |TroubledZone { zone, .. }: &&TroubledZone| {
                zone.rule == *rule && zone.of.kin == of.kin && zone.of.zone != of.zone
            };
            self.0.iter().find(is_beside)
        })?;
        Some(Reason::ZoneTrouble {
            group: found.zone.group.to_string(),
            out: found.out,
            allowance: found.allowance,
        })
    }
}
