//! Promise 8: nothing is started or drained on hosts of a freeze that the fleet was told of.

use super::{Broken, Disturbance, Step};
use crate::time::Timestamp;

/// No patch's start, and no yes before drain, in a freeze of the fleet's own calendar.
pub(super) fn by(of: &Disturbance<'_>, now: Timestamp, all: &mut Vec<Broken>) {
    if of.step == Step::Again || !of.is_forward() {
        return;
    }
    let Some(declared) = of.fleet.calendar() else {
        return;
    };
    for freeze in &declared.calendar.freezes {
        let is_meant = match &freeze.selection {
            None => true,
            Some(selection) => selection.matches(&of.member.host),
        };
        let is_spared = freeze.except_profiles.contains(&of.rollout.plan().profile);
        if is_meant && !is_spared && freeze.from.0 <= now.0 && now.0 < freeze.until.0 {
            all.push(of.broken(8, &format!("it is frozen: {}", freeze.name)));
        }
    }
}
