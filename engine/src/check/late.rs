//! Promise 9 for hosts that come, go and are relabelled: a rollout takes those that match, and no other.

use super::{Broken, Disturbance, Step};

/// A host that is ordered forward matches what the rollout was made for, as it is labelled now.
pub(super) fn by(of: &Disturbance<'_>, all: &mut Vec<Broken>) {
    if of.step != Step::Order || !of.is_forward() {
        return;
    }
    let rules = of.rollout.plan().late.as_ref();
    if rules.is_some_and(|rules| !rules.selection.matches(&of.member.host)) {
        all.push(of.broken(9, "it does not match the rollout"));
    }
    if of.rollout.left_alone().contains(of.host()) {
        all.push(of.broken(9, "it was there at the start, and the plan is not for it"));
    }
}
