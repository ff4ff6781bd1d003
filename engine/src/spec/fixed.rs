//! Keys that people look for in a file and that none may set: what they would say is the same for every
//! rollout.

use super::Refusal;
use crate::{
    document::Table,
    policy::{CELL_SIZE, SLOW_FACTOR},
};

/// Refuses those at the top of a file, with what holds instead.
pub(super) fn refuse(top: &mut Table<'_, Refusal>) {
    for (key, holds) in [
        ("cell_size", format!("a cell has at most {CELL_SIZE} hosts")),
        (
            "on_canary_brake",
            "a rollout that its brake stops in the canary is paused".to_owned(),
        ),
        (
            "slow",
            format!("a run is slow past {SLOW_FACTOR} times the running mean of its cell"),
        ),
    ] {
        if top.has(key) {
            top.know(&[key]);
            top.refuse(key, Refusal::Fixed(holds));
        }
    }
}
