//! Promises 1, 2 and 10 of what people take: nobody else has what an operator takes, its groups keep
//! enough in service, a host that was taken at its keyboard is entered, and each comes to its end by itself.

use super::{
    Broken,
    floor::{is_kept, is_out, may_have_out, stand_in},
};
use crate::{
    cell::Member,
    fleet::{Fleet, FleetDecision},
    id::{HostId, OperatorId},
    ledger::Holder,
    policy::FloorRule,
    time::Timestamp,
};
use std::collections::BTreeSet;

/// Every promise that is broken by granting hosts to an operator, in a fleet as it was before.
pub fn broken_by_reserving(
    fleet: &Fleet,
    hosts: &BTreeSet<HostId>,
    by: &OperatorId,
    now: Timestamp,
) -> Vec<Broken> {
    let mut all = Vec::new();
    for host in hosts {
        let Some((cell, member)) = fleet.host(host) else {
            push(
                &mut all,
                2,
                format!("host {host} is granted to {by} and not known"),
            );
            continue;
        };
        let entry = cell.ledger().entry(host);
        match entry.map(|entry| &entry.holder) {
            None | Some(Holder::Itself) => {}
            Some(Holder::Operator { by: other, .. }) if other == by => {}
            Some(holder) => {
                push(
                    &mut all,
                    2,
                    format!("host {host} of {holder:?} is granted to {by}"),
                );
            }
        }
        if entry.is_none() && member.is_connected() {
            for rule in rules(fleet, member) {
                floor(fleet, &rule, member, hosts, now, &mut all);
            }
        }
    }
    all
}

/// At rest no reservation is past its end, and time wakes for the end of each.
pub(super) fn at_rest(
    fleet: &Fleet,
    decision: &FleetDecision,
    now: Timestamp,
    all: &mut Vec<Broken>,
) {
    let entries = fleet
        .cells()
        .values()
        .flat_map(|cell| cell.ledger().entries());
    for (host, entry) in entries {
        let Some(until) = entry.holder.until() else {
            continue;
        };
        let wakes = decision.wake.is_some_and(|wake| wake <= until);
        if now >= until || !wakes {
            let what = format!("host {host} is reserved until {until}, and nothing ends that");
            push(all, 10, what);
        }
    }
    for cell in fleet.cells().values() {
        for (host, member) in cell.members() {
            if member.window(now).is_some() && !cell.ledger().holds(host) {
                let what = format!("a person has host {host}, and it is not in the ledger");
                push(all, 2, what);
            }
        }
    }
}

/// The default rules, and those of limits that bind a host of the same group.
fn rules(fleet: &Fleet, member: &Member) -> Vec<FloorRule> {
    let works = fleet.cells().values().flat_map(|cell| cell.work().values());
    let floors = works.flat_map(|work| &work.assignment.floors);
    let binding = floors.filter(|floor| {
        let mut bound = floor.hosts.iter().filter_map(|host| fleet.host(host));
        bound.any(|(_, other)| stand_in(&floor.rule, &other.host, &member.host))
    });
    let binding = binding.map(|floor| floor.rule.clone());
    FloorRule::defaults().into_iter().chain(binding).collect()
}

/// With all the hosts out, and all out that cells which are cut off may take out meanwhile, the group
/// of one of them has enough in service.
fn floor(
    fleet: &Fleet,
    rule: &FloorRule,
    member: &Member,
    hosts: &BTreeSet<HostId>,
    now: Timestamp,
    all: &mut Vec<Broken>,
) {
    let (mut size, mut out) = (0, 0);
    for cell in fleet.cells().values() {
        let alike = |other: &&Member| stand_in(rule, &other.host, &member.host);
        let alike: Vec<&Member> = cell.members().values().filter(alike).collect();
        let gone =
            |other: &&&Member| hosts.contains(&other.host.id) || is_out(cell, other, true, now);
        let gone = alike.iter().filter(gone).count();
        let is_cut_off = fleet.silent().contains_key(cell.id());
        let may = match is_cut_off {
            true => may_have_out(cell, rule, &member.host, alike.len()),
            false => 0,
        };
        size += alike.len();
        out += gone.max(may);
    }
    if !is_kept(rule, size, out.min(size)) {
        let must_stay = rule.min_in_service.of_rounded_up(size);
        let (host, labels) = (&member.host.id, rule.group_by.join(" x "));
        let what = format!(
            "host {host} is granted to an operator: {out} of its {size} by {labels} would be out, {must_stay} must stay"
        );
        push(all, 1, what);
    }
}

fn push(all: &mut Vec<Broken>, promise: u8, what: String) {
    all.push(Broken { promise, what });
}
