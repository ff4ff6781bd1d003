//! Promise 4: while the cord is pulled nothing of any rollout begins, forward or back.

use super::{Broken, Disturbance, Step};
use crate::{
    cell::CellCommand,
    fleet::Fleet,
    rollout::{Rollout, RolloutCommand},
};

const PULLED: &str = "the cord is pulled";

/// No order, and no yes before drain.
pub(super) fn by(of: &Disturbance<'_>, all: &mut Vec<Broken>) {
    if of.fleet.cord().is_some() && of.step != Step::Again {
        all.push(of.broken(4, PULLED));
    }
}

/// No host is asked to stage.
pub(super) fn by_staging(fleet: &Fleet, command: &CellCommand, all: &mut Vec<Broken>) {
    if let (Some(_), CellCommand::Stage { rollout, host, .. }) = (fleet.cord(), command) {
        let what = format!("rollout {rollout}: host {host} is asked to stage: {PULLED}");
        all.push(Broken { promise: 4, what });
    }
}

/// No leave, no part for a cell, no step on to another wave.
pub(super) fn by_rollout(
    fleet: &Fleet,
    rollout: &Rollout,
    command: &RolloutCommand,
    all: &mut Vec<Broken>,
) {
    let what = match command {
        RolloutCommand::Warrant { .. } => "leave is given",
        RolloutCommand::Assign(_) => "a cell gets its part",
        RolloutCommand::BeginBake { .. } | RolloutCommand::PassWave { .. } => "a wave goes on",
        RolloutCommand::Except(_)
        | RolloutCommand::Stop(_)
        | RolloutCommand::Brake { .. }
        | RolloutCommand::End { .. } => return,
    };
    if fleet.cord().is_some() {
        let name = &rollout.plan().rollout;
        let what = format!("rollout {name}: {what}: {PULLED}");
        all.push(Broken { promise: 4, what });
    }
}
