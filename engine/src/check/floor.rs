//! Promise 1: no host is taken out if a group would then have more out than its allowance; who is
//! out by the owner's own knowledge stands in the ledger.

use super::{Broken, Disturbance, Step};
use crate::{
    cell::{Cell, CellCommand, Link},
    fleet::FleetCommand,
    floor::{Membership, allowance, group_name},
    id::HostId,
    ledger::Holder,
    policy::FloorRule,
};

/// A host that said that it is not in service is in the ledger.
pub(super) fn in_cell(cell: &Cell, all: &mut Vec<Broken>) {
    let unlisted = cell
        .members()
        .iter()
        .filter(|(host, member)| !member.in_service && cell.ledger().entry(host).is_none());
    for (host, _) in unlisted {
        all.push(Broken {
            promise: 1,
            what: format!("host {host} said that it is not in service and is not in the ledger"),
        });
    }
}

/// With the host itself, and those that `before` takes, no group of its is past its allowance.
pub(super) fn by(of: &Disturbance<'_>, before: &[FleetCommand], all: &mut Vec<Broken>) {
    let is_new = match of.step {
        Step::Order => !fell(of.cell, of.host()),
        Step::Drain => of.member.in_service,
        Step::Again => false,
    };
    if !is_new {
        return;
    }
    for (rule, split) in rules(of) {
        let group = group_name(&rule, &of.member.host);
        let members: Vec<&HostId> = of
            .cell
            .members()
            .iter()
            .filter(|(_, member)| group_name(&rule, &member.host) == group)
            .map(|(host, _)| host)
            .collect();
        let membership = match split.contains(&group) {
            true => Membership::Split,
            false => Membership::Whole,
        };
        let allowed = allowance(members.len(), rule.min_in_service, membership);
        let is_counted = |host: &&&HostId| {
            **host == of.host() || is_out(of.cell, host) || is_taken(before, host)
        };
        let out = members.iter().filter(is_counted).count();
        if out > allowed {
            let size = members.len();
            let what = format!("{out} of {size} hosts of {group} would be out, {allowed} may be");
            all.push(of.broken(1, &what));
        }
    }
}

fn rules(of: &Disturbance<'_>) -> Vec<(FloorRule, Vec<String>)> {
    let named: Vec<(FloorRule, Vec<String>)> = of
        .work
        .assignment
        .floors
        .iter()
        .filter(|floor| floor.hosts.contains(of.host()))
        .map(|floor| {
            let split = floor.split_groups.iter().cloned().collect();
            (floor.rule.clone(), split)
        })
        .collect();
    match named.is_empty() {
        true => vec![(FloorRule::default(), Vec::new())],
        false => named,
    }
}

fn is_out(cell: &Cell, host: &HostId) -> bool {
    let is_silent = |link: Link| matches!(link, Link::Silent { .. });
    let silent = cell.members().get(host).is_some_and(|m| is_silent(m.link));
    silent || cell.ledger().entry(host).is_some()
}

fn fell(cell: &Cell, host: &HostId) -> bool {
    let entry = cell.ledger().entry(host);
    entry.is_some_and(|entry| entry.holder == Holder::Itself)
}

fn is_taken(before: &[FleetCommand], host: &HostId) -> bool {
    before.iter().any(|command| match command {
        FleetCommand::Cell {
            command: CellCommand::Order(order),
            ..
        } => order.host == *host,
        FleetCommand::Cell { .. } | FleetCommand::Rollout { .. } => false,
    })
}
