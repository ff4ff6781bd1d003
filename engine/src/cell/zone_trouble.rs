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
use std::collections::BTreeMap;

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
    rule: FloorRule,
    of: ZoneOf,
    group: Group,
    out: usize,
    allowance: usize,
}

/// How many members each zone of a service has, and how many of them are out, over all cells.
#[derive(Debug, Default)]
pub(crate) struct ZoneCounts<'a>(BTreeMap<(&'a FloorRule, &'a ZoneOf), (&'a Group, Standing)>);

impl<'a> ZoneCounts<'a> {
    /// Counts how a cell stands in a group, if that is of a zone.
    pub(crate) fn count(&mut self, view: &GroupView<'a>, standing: Standing) {
        let Some(zone) = view.zone else { return };
        let counted = self.0.entry((view.rule, zone));
        let (_, whole) = counted.or_insert((view.group, Standing::default()));
        whole.members += standing.members;
        whole.out += standing.out;
    }

    /// The zones that have more out than their allowance.
    pub(crate) fn troubled(&self) -> Troubled {
        let troubled = self.0.iter().filter_map(|((rule, of), (group, whole))| {
            let allowance = allowance(whole.members, rule.min_in_service);
            (whole.out > allowance).then(|| TroubledZone {
                rule: (*rule).clone(),
                of: (*of).clone(),
                group: (*group).clone(),
                out: whole.out,
                allowance,
            })
        });
        Troubled(troubled.collect())
    }
}

impl Troubled {
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
            let is_beside = |zone: &&TroubledZone| {
                zone.rule == *rule && zone.of.kin == of.kin && zone.of.zone != of.zone
            };
            self.0.iter().find(is_beside)
        })?;
        Some(Reason::ZoneTrouble {
            group: found.group.to_string(),
            out: found.out,
            allowance: found.allowance,
        })
    }
}
