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
    let declared = &of.work.assignment.dependencies;
    if of.step != Step::Order || !of.is_forward() || declared.is_empty() {
        return;
    }
    let Some(mine) = service_of(of.fleet, of.host()) else {
        return;
    };
    for host in ordered(of.fleet).chain(before.iter().filter_map(order_in)) {
        let Some(theirs) = service_of(of.fleet, host) else {
            continue;
        };
        let is_neighbour = declared.iter().any(|(dependant, needed)| {
            let pair = |one: &str, other: &str| dependant.as_str() == one && needed.contains(other);
            pair(mine, theirs) || pair(theirs, mine)
        });
        if is_neighbour {
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
