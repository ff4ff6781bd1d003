//! Promise 1: no host is taken out if a group would then have more out than its allowance; who is
//! out by the owner's own knowledge stands in the ledger.

use super::{Broken, Disturbance, Step, approval};
use crate::{
    cell::{Cell, Link, Member},
    fleet::FleetCommand,
    floor::Group,
    id::HostId,
    inventory::{Host, REGION, ZONE},
    ledger::Occupancy,
    policy::FloorRule,
    share::Share,
    time::Timestamp,
};
use std::time::Duration;

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

/// With the host itself, and those that `before` takes, no group of its has more out in the whole
/// fleet than its allowance.
pub(super) fn by(
    of: &Disturbance<'_>,
    before: &[FleetCommand],
    now: Timestamp,
    all: &mut Vec<Broken>,
) {
    if !takes_one_more_out(of) {
        return;
    }
    for rule in rules(of) {
        if of.fleet.silent().contains_key(of.cell.id()) {
            within_its_own(of, &rule, before, now, all);
            continue;
        }
        let (mut size, mut out) = (0, 0);
        for cell in of.fleet.cells().values() {
            let alike = |member: &&Member| stand_in(&rule, &member.host, &of.member.host);
            let members: Vec<&Member> = cell.members().values().filter(alike).collect();
            let is_counted = |member: &&&Member| {
                let host = &member.host.id;
                host == of.host()
                    || is_taken(before, host)
                    || is_out(cell, member, of.cell.id() == cell.id(), now)
            };
            let out_here = members.iter().filter(is_counted).count();
            size += members.len();
            out += match of.fleet.silent().contains_key(cell.id()) {
                true => out_here.min(may_have_out(cell, &rule, &of.member.host, members.len())),
                false => out_here,
            };
        }
        let is_approved = size == 1 && approval::is_given(of.rollout, of.host());
        if !is_kept(&rule, size, out) && !is_approved {
            let must_stay = rule.min_in_service.of_rounded_up(size);
            let labels = rule.group_by.join(" x ");
            let what =
                format!("{out} of its {size} by {labels} would be out, {must_stay} must stay");
            all.push(of.broken(1, &what));
        }
    }
}

/// A cell that is cut off cannot know what fell elsewhere: it keeps to its own part of the group, and to
/// the tokens that it has.
fn within_its_own(
    of: &Disturbance<'_>,
    rule: &FloorRule,
    before: &[FleetCommand],
    now: Timestamp,
    all: &mut Vec<Broken>,
) {
    let members = of.cell.members().values();
    let alike: Vec<&Member> = members
        .filter(|member| stand_in(rule, &member.host, &of.member.host))
        .collect();
    let is_counted = |member: &&&Member| {
        let host = &member.host.id;
        host == of.host() || is_taken(before, host) || is_out(of.cell, member, true, now)
    };
    let out = alike.iter().filter(is_counted).count();
    let group = Group::of(rule, &of.member.host);
    let size = alike.len();
    let may = may_have_out(of.cell, rule, &of.member.host, size);
    let is_approved = size == 1 && approval::is_given(of.rollout, of.host());
    if out > may && !is_approved {
        let what =
            format!("it is cut off, and {out} of {size} of {group} would be out, {may} may be");
        all.push(of.broken(1, &what));
    }
}

/// How many of a cell's members of a group it may have out by what it was last told. What falls by itself in
/// a cell of which nothing is heard is not known elsewhere, so it counts there for no more.
pub(super) fn may_have_out(cell: &Cell, rule: &FloorRule, of: &Host, members: usize) -> usize {
    let right = cell.allotment().right(rule, &Group::of(rule, of));
    let (tokens, lent) = right.map_or((0, 0), |right| (right.tokens, right.lent));
    let share = members - rule.min_in_service.of_rounded_up(members);
    (share.saturating_sub(lent) + tokens).min(members)
}

/// Whether enough of a group is in service with so many out.
pub(super) fn is_kept(rule: &FloorRule, size: usize, out: usize) -> bool {
    let must_stay = rule.min_in_service.of_rounded_up(size);
    let one_may = size > 1 && must_stay_less_than_all(rule);
    size - out >= must_stay || (one_may && out == 1)
}

fn must_stay_less_than_all(rule: &FloorRule) -> bool {
    rule.min_in_service != Share::ALL
}

/// Whether two hosts are of one group: alike in every label of the rule, and in one region where the
/// rule names zones.
pub(super) fn stand_in(rule: &FloorRule, one: &Host, other: &Host) -> bool {
    let alike = |label: &str| one.value(label) == other.value(label);
    let labels = &rule.group_by;
    labels.iter().all(|label| alike(label))
        && (labels.iter().all(|label| label != ZONE) || alike(REGION))
}

pub(super) fn rules(of: &Disturbance<'_>) -> Vec<FloorRule> {
    let floors = &of.work.assignment.floors;
    let named = floors
        .iter()
        .filter(|floor| floor.hosts.contains(of.host()));
    let named: Vec<FloorRule> = named.map(|floor| floor.rule.clone()).collect();
    match named.is_empty() {
        true => FloorRule::defaults().into(),
        false => named,
    }
}

/// Whether a host is out as far as its cell's owner knows. An owner that just started gives its
/// hosts a minute to be heard before it tells others that they are silent, or less where one of its
/// rollouts does.
pub(super) fn is_out(cell: &Cell, member: &Member, is_own: bool, now: Timestamp) -> bool {
    let waits = cell.work().values();
    let waits = waits.map(|work| work.assignment.deadlines.settle);
    let wait = waits.fold(Duration::from_secs(60), Duration::min);
    let is_settled = now >= cell.owner_since().after(wait);
    let is_silent = matches!(member.link, Link::Silent { .. });
    cell.ledger().entry(&member.host.id).is_some()
        || (is_silent && (is_own || member.heard || is_settled))
}

/// Whether a step takes a host out that was not out before.
pub(super) fn takes_one_more_out(of: &Disturbance<'_>) -> bool {
    match of.step {
        Step::Order => !is_lost(of.cell, of.host()),
        Step::Drain => of.member.in_service,
        Step::Again => false,
    }
}

/// Whether a host is out already, with nobody at work on it.
fn is_lost(cell: &Cell, host: &HostId) -> bool {
    let entry = cell.ledger().entry(host);
    entry.is_some_and(|entry| matches!(entry.occupancy, Occupancy::Casualty { .. }))
}

fn is_taken(before: &[FleetCommand], host: &HostId) -> bool {
    let mut orders = before.iter().filter_map(FleetCommand::order);
    orders.any(|(_, order)| order.host == *host)
}
