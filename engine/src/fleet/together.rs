//! What several cells start at one moment.
//!
//! A rule binds the rollouts whose limits name it; their cells start hosts of its groups by tokens,
//! and count what is out elsewhere by their allotments. A rollout that the rule does not bind takes
//! hosts of the same groups without a token, and of what it takes at this very moment no allotment
//! says anything yet. So an order or a leave to drain that the rule binds is put off until that is
//! counted: the next decision follows at once, and corrects the allotments first.
//!
//! The first order of a decision is always kept, so orders that put each other off cannot stall.

use super::{Fleet, FleetCommand, census::Census};
use crate::{
    cell::{Cell, CellCommand},
    floor::Group,
    id::{CellId, HostId, RolloutId},
    inventory::Host,
    order::{ClaimAnswer, ClaimPoint},
    policy::FloorRule,
};
use std::collections::{BTreeMap, BTreeSet};

/// A host that leaves service by a command.
struct Leaving<'a> {
    cell: &'a Cell,
    host: &'a Host,
    rollout: &'a RolloutId,
    /// Whether it is ordered, and counts as out from here on. Else it does already.
    is_ordered: bool,
}

impl Fleet {
    /// Takes out what has to wait for what other cells start at this moment.
    pub(super) fn put_off(&self, census: &Census, commands: &mut Vec<FleetCommand>) {
        let mut cells = commands
            .iter()
            .filter_map(|c| Some(self.leaving(c)?.cell.id()));
        let first = cells.next();
        if cells.all(|cell| Some(cell) == first) {
            return;
        }
        let mut taken: BTreeMap<(&FloorRule, Group), BTreeSet<CellId>> = BTreeMap::new();
        // A cell numbers its orders: those after one that waits would be out of order.
        let mut waiting: BTreeSet<CellId> = BTreeSet::new();
        commands.retain(|command| {
            let Some(leaving) = self.leaving(command) else {
                return true;
            };
            let (name, host) = (leaving.cell.id(), leaving.host);
            let rules = census.rules.iter();
            let (bound, free): (Vec<_>, Vec<_>) = rules.partition(|rule| binds(&leaving, rule));
            let is_after = leaving.is_ordered && waiting.contains(name);
            if is_after || is_taken_elsewhere(&taken, name, host, &bound) {
                waiting.extend(leaving.is_ordered.then(|| name.clone()));
                return false;
            }
            for rule in free.into_iter().filter(|_| leaving.is_ordered) {
                let cells = taken.entry((rule, Group::of(rule, host))).or_default();
                cells.insert(name.clone());
            }
            true
        });
    }

    /// The host that a command lets leave service. Nothing of other commands.
    fn leaving<'a>(&'a self, command: &'a FleetCommand) -> Option<Leaving<'a>> {
        let (cell, rollout, host, is_ordered): (_, _, &HostId, _) = match command.order() {
            Some((cell, order)) => (cell, &order.grant.rollout, &order.host, true),
            None => {
                let (cell, rollout, host) = drained(command)?;
                (cell, rollout, host, false)
            }
        };
        let cell = self.cells.get(cell)?;
        let member = cell.members().get(host)?;
        Some(Leaving {
            cell,
            host: &member.host,
            rollout,
            is_ordered,
        })
    }
}

/// The host that gets leave to drain.
fn drained(command: &FleetCommand) -> Option<(&CellId, &RolloutId, &HostId)> {
    let FleetCommand::Cell {
        cell,
        command:
            CellCommand::AnswerClaim {
                rollout,
                host,
                point: ClaimPoint::BeforeDrain,
                answer: ClaimAnswer::Granted,
                ..
            },
    } = command
    else {
        return None;
    };
    Some((cell, rollout, host))
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

/// Whether a rule binds what a host leaves service for: it is in a limit of the rollout that names the
/// host, or no limit names the host and it is a default one.
fn binds(leaving: &Leaving<'_>, rule: &FloorRule) -> bool {
    let work = leaving.cell.work().get(leaving.rollout);
    let floors = work.map_or(&[][..], |work| &work.assignment.floors);
    let is_named = |hosts: &BTreeSet<HostId>| hosts.contains(&leaving.host.id);
    let mut named = floors.iter().filter(|floor| is_named(&floor.hosts));
    match named.clone().next() {
        Some(_) => named.any(|floor| floor.rule == *rule),
        None => rule.is_default(),
    }
}
