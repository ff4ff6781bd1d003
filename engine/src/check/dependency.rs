//! What the architecture says of dependants: at the moment of an order no host of a service that the
//! ordered one depends on directly, or that depends on it, is out by an order of a live rollout.

use super::{Broken, Disturbance, Step};
use crate::{
    fleet::{Fleet, FleetCommand},
    id::HostId,
    inventory::SERVICE,
};

/// No patch is ordered beside a neighbour; `before` are the commands that come first.
pub(super) fn by(of: &Disturbance<'_>, before: &[FleetCommand], all: &mut Vec<Broken>) {
    let declared = of.fleet.services();
    let told = of.rollout.cells().get(of.cell.id());
    let is_told = told.is_some_and(|progress| progress.assigned);
    if of.step != Step::Order || !of.is_forward() || !is_told {
        return;
    }
    let Some(mine) = service_of(of.fleet, of.host()) else {
        return;
    };
    for host in ordered(of.fleet).chain(before.iter().filter_map(order_in)) {
        let Some(theirs) = service_of(of.fleet, host) else {
            continue;
        };
        let needs = |one: &str, other: &str| {
            let declared = declared.get(one);
            declared.is_some_and(|service| service.depends_on.contains(other))
        };
        if needs(mine, theirs) || needs(theirs, mine) {
            let what = format!("host {host} of its neighbour {theirs} is out by an order");
            all.push(of.broken(1, &what));
        }
    }
}

/// The hosts that live rollouts have under orders.
fn ordered(fleet: &Fleet) -> impl Iterator<Item = &HostId> {
    let works = fleet.cells().values().flat_map(|cell| cell.work());
    let live = works.filter(|(name, _)| {
        let rollout = fleet.rollouts().get(*name);
        rollout.is_some_and(|rollout| rollout.is_live())
    });
    let jobs = live.flat_map(|(_, work)| &work.jobs);
    jobs.filter(|(_, job)| job.active().is_some())
        .map(|(host, _)| host)
}

fn order_in(command: &FleetCommand) -> Option<&HostId> {
    command.order().map(|(_, order)| &order.host)
}

fn service_of<'a>(fleet: &'a Fleet, host: &HostId) -> Option<&'a str> {
    let (_, member) = fleet.host(host)?;
    member.host.value(SERVICE)
}
