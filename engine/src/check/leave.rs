//! Promise 8: a coordinator starts what its warrant grants and nothing else.

use super::{Broken, Disturbance, Step};
use crate::time::Timestamp;

/// A start is named by the newest warrant, goes its way, and comes before its end.
pub(super) fn by(of: &Disturbance<'_>, now: Timestamp, all: &mut Vec<Broken>) {
    if of.step == Step::Again {
        return;
    }
    let Some(held) = &of.work.warrant else {
        all.push(of.broken(8, "there is no warrant"));
        return;
    };
    if now >= held.ends_at() {
        let ended = held.ends_at();
        all.push(of.broken(8, &format!("the warrant ended at {ended}, it is {now}")));
    }
    if !held.warrant.hosts.contains(of.host()) {
        all.push(of.broken(8, "the warrant does not name it"));
    }
    if held.warrant.direction != of.order.direction {
        all.push(of.broken(8, "the warrant goes the other way"));
    }
    if of.step == Step::Order && held.warrant.generation != of.order.grant.generation {
        all.push(of.broken(8, "it is under an older warrant"));
    }
}
