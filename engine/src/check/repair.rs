//! Promise 2 for casualties: nobody but a repair patches a host that is out of service.

use super::{Broken, Disturbance, Step};
use crate::ledger::Occupancy;

/// No patch is ordered or drained on a host that is lost, fell, or says that it does not serve, unless
/// the rollout's file says that it is a repair.
pub(super) fn by(of: &Disturbance<'_>, all: &mut Vec<Broken>) {
    if of.step == Step::Again || !of.is_forward() {
        return;
    }
    let entry = of.cell.ledger().entry(of.host());
    let is_lost = entry.is_some_and(|e| matches!(e.occupancy, Occupancy::Casualty { .. }));
    if (is_lost || !of.member.in_service) && !of.work.assignment.repair {
        all.push(of.broken(2, "it is out of service, and the rollout is no repair"));
    }
}
