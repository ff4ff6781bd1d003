//! Orders of several cells at one moment.
//!
//! A rule binds the rollouts whose limits name it; their cells start hosts of its groups by tokens,
//! and count what is out elsewhere by their allotments. A rollout that the rule does not bind takes
//! hosts of the same groups without a token, and of what it takes at this very moment no allotment
//! says anything yet. So an order that the rule binds is put off until that is counted: the next
//! decision follows at once, and corrects the allotments first.
//!
//! The first order of a decision is always kept, so orders that put each other off cannot stall.

use super::{Fleet, FleetCommand, census::Census};
use crate::{
    cell::{Cell, CellCommand},
    floor::Group,
    id::CellId,
    inventory::Host,
    order::Order,
    policy::FloorRule,
};
use std::collections::{BTreeMap, BTreeSet};

impl Fleet {
    /// Takes orders out that have to wait for what other cells start at this moment.
    pub(super) fn put_off(&self, census: &Census<'_>, commands: &mut Vec<FleetCommand>) {
        let mut taken: BTreeMap<(&FloorRule, Group), BTreeSet<CellId>> = BTreeMap::new();
        // A cell numbers its orders: those after one that waits would be out of order.
        let mut waiting: BTreeSet<CellId> = BTreeSet::new();
        commands.retain(|command| {
            let FleetCommand::Cell {
                cell: name,
                command: CellCommand::Order(order),
            } = command
            else {
                return true;
            };
            let Some((cell, host)) = self.cells.get(name).and_then(|cell| {
                let member = cell.members().get(&order.host)?;
                Some((cell, &member.host))
            }) else {
                return true;
            };
            let (bound, free): (Vec<_>, Vec<_>) = census
                .terms
                .rules
                .iter()
                .copied()
                .partition(|rule| binds(census, cell, order, rule));
            if waiting.contains(name) || is_taken_elsewhere(&taken, name, host, &bound) {
                waiting.insert(name.clone());
                return false;
            }
            for rule in free {
                let cells = taken.entry((rule, Group::of(rule, host))).or_default();
                cells.insert(name.clone());
            }
            true
        });
    }
}

/// Whether another cell starts a host of one of the groups that bind this one.
fn is_taken_elsewhere(
    taken: &BTreeMap<(&FloorRule, Group), BTreeSet<CellId>>,
    name: &CellId,
    host: &Host,
    bound: &[&FloorRule],
) -> bool {
    let is_other = |cells: &BTreeSet<CellId>| cells.iter().any(|cell| cell != name);
    !taken.is_empty()
        && bound.iter().any(|rule| {
            let cells = taken.get(&(*rule, Group::of(rule, host)));
            cells.is_some_and(is_other)
        })
}

/// Whether a rule binds an order: it is in a limit of its rollout that names the host, or no limit
/// names the host and it is a default one.
fn binds(census: &Census<'_>, cell: &Cell, order: &Order, rule: &FloorRule) -> bool {
    let work = cell.work().get(&order.grant.rollout);
    let floors = work.map_or(&[][..], |work| &work.assignment.floors);
    let mut named = floors
        .iter()
        .filter(|floor| floor.hosts.contains(&order.host));
    match named.clone().next() {
        Some(_) => named.any(|floor| floor.rule == *rule),
        None => census.is_default(rule),
    }
}
