//! Promise 2: no host is disrupted without a live reservation, and each has at most one holder.

use super::{Broken, Disturbance, Step};
use crate::{
    cell::{Active, Cell},
    id::{HostId, RolloutId},
    ledger::{Entry, Holder, Occupancy},
};

/// Orders that are out and reservations of rollouts belong to each other, one to one; a host that a
/// person has has no order.
pub(super) fn in_cell(cell: &Cell, all: &mut Vec<Broken>) {
    for (rollout, host, active) in active(cell) {
        let entry = cell.ledger().entry(host);
        if !entry.is_some_and(|entry| is_of(entry, rollout, active)) {
            all.push(Broken {
                promise: 2,
                what: format!(
                    "rollout {rollout} has an order out to host {host} under token {}, and the ledger says {entry:?}",
                    active.order.token
                ),
            });
        }
    }
    let at_work = |entry: &Entry| !matches!(entry.occupancy, Occupancy::Casualty { .. });
    for (host, entry) in cell.ledger().entries() {
        let orders = active(cell).filter(|(_, other, _)| *other == host).count();
        let is_persons = entry.holder.is_person();
        if is_persons && (orders > 0 || !at_work(entry)) {
            all.push(Broken {
                promise: 2,
                what: format!("host {host} has {orders} orders out and is a person's: {entry:?}"),
            });
        }
        if at_work(entry) && orders == 0 && !is_persons {
            all.push(Broken {
                promise: 2,
                what: format!("host {host} is reserved and has no order: {entry:?}"),
            });
        }
        if orders > 1 {
            all.push(Broken {
                promise: 2,
                what: format!("host {host} has {orders} orders out"),
            });
        }
    }
}

/// An order takes a host that nobody has; a yes goes to the holder alone.
pub(super) fn by(of: &Disturbance<'_>, all: &mut Vec<Broken>) {
    let entry = of.cell.ledger().entry(of.host());
    let fits = match (of.step, entry) {
        (Step::Order, None) => true,
        // Nobody is at work on a casualty; who may patch one is another rule.
        (Step::Order, Some(entry)) => matches!(entry.occupancy, Occupancy::Casualty { .. }),
        (Step::Drain | Step::Again, None) => false,
        (Step::Drain | Step::Again, Some(entry)) => entry.token == of.order.token,
    };
    if !fits {
        all.push(of.broken(2, &format!("the ledger says {entry:?}")));
    }
}

fn active(cell: &Cell) -> impl Iterator<Item = (&RolloutId, &HostId, &Active)> {
    cell.work().iter().flat_map(|(rollout, work)| {
        let jobs = work.jobs.iter();
        jobs.filter_map(move |(host, job)| Some((rollout, host, job.active()?)))
    })
}

fn is_of(entry: &Entry, rollout: &RolloutId, active: &Active) -> bool {
    let occupancy = match active.disrupted {
        true => Occupancy::Disrupted,
        false => Occupancy::Reserved,
    };
    let holder = Holder::Rollout {
        rollout: rollout.clone(),
    };
    entry.token == active.order.token && entry.occupancy == occupancy && entry.holder == holder
}
