//! Promise 11: silence frees nothing, and after a restart the owner hears from its hosts, or waits
//! for `settle`, before it starts more or gives one up.

use super::{Broken, Disturbance, Step};
use crate::{
    cell::{Cell, CellCommand, GivenUp, Work},
    time::Timestamp,
};

/// Nothing is started before the owner has settled.
pub(super) fn by(of: &Disturbance<'_>, now: Timestamp, all: &mut Vec<Broken>) {
    if of.step == Step::Again {
        return;
    }
    if let Some(until) = settling(of.cell, of.work, now) {
        all.push(of.broken(11, &format!("the owner settles until {until}, it is {now}")));
    }
}

/// Nobody is given up before the owner has settled.
pub(super) fn by_giving_up(
    cell: &Cell,
    command: &CellCommand,
    now: Timestamp,
    all: &mut Vec<Broken>,
) {
    let CellCommand::GiveUp {
        rollout,
        host,
        why: GivenUp::Unreachable | GivenUp::TimedOut { .. },
    } = command
    else {
        return;
    };
    let until = cell
        .work()
        .get(rollout)
        .and_then(|work| settling(cell, work, now));
    if let Some(until) = until {
        all.push(Broken {
            promise: 11,
            what: format!(
                "rollout {rollout} gives host {host} up while the owner settles until {until}"
            ),
        });
    }
}

fn settling(cell: &Cell, work: &Work, now: Timestamp) -> Option<Timestamp> {
    cell.settles_until(work.assignment.deadlines.settle, now)
}
