//! Promise 12: what was rolled back is not installed again while that is denied.

use super::{Broken, Disturbance, Step};
use crate::denial::Place;

/// No order and no yes before drain for bits that the fleet's book denies to the host.
pub(super) fn by(of: &Disturbance<'_>, all: &mut Vec<Broken>) {
    if !of.is_forward() || of.step == Step::Again {
        return;
    }
    let carried = of.order.content.bits();
    for (bits, place, denial) in of.fleet.denials().iter() {
        let is_here = match &place {
            Place::Fleet => true,
            Place::Cell { cell } => cell == of.cell.id(),
            Place::Host { host } => host == of.host(),
        };
        if is_here && carried == Some(*bits) && denial.lifted.is_none() {
            all.push(of.broken(12, &format!("its bits are denied to {place}")));
        }
    }
}
