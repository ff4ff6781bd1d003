//! Promise 7: an order is known by its key, and keys to one host rise.

use super::{Broken, Disturbance, Step};
use crate::{cell::Cell, fleet::FleetCommand, id::HostId};

/// No order that is out is newer than what the owner remembers of its host.
pub(super) fn in_cell(cell: &Cell, all: &mut Vec<Broken>) {
    for (host, member) in cell.members() {
        let jobs = cell.work().values().filter_map(|work| work.jobs.get(host));
        for active in jobs.filter_map(|job| job.active()) {
            let key = active.order.key;
            let epoch = cell.epoch().max(member.last_epoch);
            if key.sequence > member.last_sequence || key.epoch > epoch {
                all.push(Broken {
                    promise: 7,
                    what: format!("order {key} to host {host} is newer than its owner remembers"),
                });
            }
        }
    }
}

/// A new order's key is above all before it, under the present epoch or the one that the host saw.
pub(super) fn by(of: &Disturbance<'_>, before: &[FleetCommand], all: &mut Vec<Broken>) {
    if of.step != Step::Order {
        return;
    }
    let (key, last) = (of.order.key, of.member.last_sequence);
    let epoch = of.cell.epoch().max(of.member.last_epoch);
    if key.sequence <= last || key.epoch != epoch {
        let what = format!("its key {key} does not follow {epoch}.{last}");
        all.push(of.broken(7, &what));
    }
    if before.iter().any(|command| orders(command, of.host())) {
        all.push(of.broken(7, "it is the second of one decision"));
    }
}

fn orders(command: &FleetCommand, host: &HostId) -> bool {
    command
        .order()
        .is_some_and(|(_, order)| order.host == *host)
}
