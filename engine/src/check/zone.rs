//! Promise 1 beside other zones: nothing starts in a zone while another zone of the same service in its
//! region has more out than may be.

use super::{Broken, Disturbance, floor};
use crate::{
    cell::{Cell, Member},
    inventory::{REGION, SERVICE, ZONE},
    policy::FloorRule,
    time::Timestamp,
};
use std::collections::BTreeMap;

/// A host is disturbed while every other zone of its kind keeps its floor. What was ordered at this very
/// moment counts from the next one on.
pub(super) fn by(of: &Disturbance<'_>, now: Timestamp, all: &mut Vec<Broken>) {
    if !floor::takes_one_more_out(of) || !of.is_forward() {
        return;
    }
    for rule in floor::rules(of) {
        let names = |wanted: &str| rule.group_by.iter().any(|label| label == wanted);
        if !names(SERVICE) || !names(ZONE) {
            continue;
        }
        let mut zones: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for cell in of.fleet.cells().values() {
            for member in cell.members().values() {
                let Some(zone) = other_zone(of, &rule, member) else {
                    continue;
                };
                let is_own = of.cell.id() == cell.id();
                let is_out =
                    floor::is_out(cell, member, is_own, now) && !is_just_ordered(cell, member, now);
                let (size, out) = zones.entry(zone).or_default();
                *size += 1;
                *out += usize::from(is_out);
            }
        }
        for (zone, (size, out)) in zones {
            if !floor::is_kept(&rule, size, out) {
                let what = format!("in zone {zone} {out} of {size} are out");
                all.push(of.broken(1, &what));
            }
        }
    }
}

/// The zone of a host that is alike in all labels of the rule but the zone, and of the same region.
/// Nothing of others, and of the disturbed host's own zone.
fn other_zone<'a>(of: &Disturbance<'_>, rule: &FloorRule, member: &'a Member) -> Option<&'a str> {
    let (one, other) = (&member.host, &of.member.host);
    let mut labels = rule.group_by.iter().map(String::as_str).chain([REGION]);
    let is_kin = labels.all(|label| label == ZONE || one.value(label) == other.value(label));
    let zone = one.value(ZONE)?;
    (is_kin && other.value(ZONE) != Some(zone)).then_some(zone)
}

fn is_just_ordered(cell: &Cell, member: &Member, now: Timestamp) -> bool {
    let mut jobs = cell
        .work()
        .values()
        .filter_map(|w| w.jobs.get(&member.host.id));
    jobs.any(|job| job.active().is_some_and(|active| active.ordered_at == now))
}
