//! Promise 4: after a brake, a pause or an end nothing passes the point of disruption where it was
//! heard, and what has not begun to change its host is undone.

use super::{Broken, Disturbance, Step, silence};
use crate::rollout::Phase;

/// No order and no yes after a stop.
pub(super) fn by(of: &Disturbance<'_>, all: &mut Vec<Broken>) {
    if let Some(stop) = &of.work.stop {
        all.push(of.broken(4, &format!("the cell was stopped: {}", stop.reason)));
    }
    if let Some(finding) = of.work.braked.as_ref().filter(|_| of.is_forward()) {
        all.push(of.broken(4, &format!("the cell's brake stopped it: {finding}")));
    }
    let phase = of.rollout.phase();
    let goes_on = match phase {
        Phase::Running => of.is_forward(),
        Phase::RollingBack => !of.is_forward(),
        Phase::Paused { .. } | Phase::Aborting | Phase::Ended { .. } => false,
    };
    if !goes_on && of.step != Step::Again && silence::has_heard_wish(of) {
        let what = format!("the rollout is {}", phase.name());
        all.push(of.broken(4, &what));
    }
}
