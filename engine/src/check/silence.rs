//! Promises 3, 8 and 12 where a cell is not heard of: it is told nothing, it goes by what it has heard,
//! it is never a pass in the first wave, later waves go on without no more of it than their plan allows,
//! and what it missed is told before it starts anything.

use super::{Broken, Disturbance, Step};
use crate::{
    fleet::Fleet,
    id::{CellId, WaveIndex},
    rollout::{CellProgress, End, Rollout, RolloutCommand},
    time::Timestamp,
};

/// Nothing is told to a cell that would not hear it, and a rollback is not over while such a cell may
/// be at work.
pub(super) fn by_rollout(rollout: &Rollout, command: &RolloutCommand, all: &mut Vec<Broken>) {
    let name = &rollout.plan().rollout;
    let cell = match command {
        RolloutCommand::Assign(assignment) => &assignment.cell,
        RolloutCommand::Except(exceptions) => &exceptions.cell,
        RolloutCommand::Warrant { warrant, .. } => &warrant.cell,
        RolloutCommand::Stop(stop) => &stop.cell,
        RolloutCommand::End {
            end: End::RolledBack,
        } => {
            let at_work = |p: &CellProgress| p.silent_since.is_some() && p.generation.0 > 0;
            let cells = rollout.cells().iter();
            let cut = cells.filter(|(_, progress)| at_work(progress));
            all.extend(cut.map(|(cell, _)| Broken {
                promise: 12,
                what: format!("rollout {name} is called rolled back, and cell {cell} is silent"),
            }));
            return;
        }
        RolloutCommand::End { .. }
        | RolloutCommand::Brake { .. }
        | RolloutCommand::BeginBake { .. }
        | RolloutCommand::PassWave { .. } => return,
    };
    let progress = rollout.cells().get(cell);
    if progress.is_some_and(|progress| progress.silent_since.is_some()) {
        let what = format!("rollout {name} tells cell {cell} something, and it is not heard of");
        all.push(Broken { promise: 8, what });
    }
}

/// What is allotted to a cell stays as it is while the cell is not heard of: it may use all of it.
pub(super) fn by_allotting(fleet: &Fleet, cell: &CellId, all: &mut Vec<Broken>) {
    if fleet.silent().contains_key(cell) {
        all.push(Broken {
            promise: 1,
            what: format!("cell {cell} is allotted something else, and it is not heard of"),
        });
    }
}

/// Nothing is started in a cell that was not told again what may be lost.
pub(super) fn by(of: &Disturbance<'_>, all: &mut Vec<Broken>) {
    let progress = of.rollout.cells().get(of.cell.id());
    let is_owed = |p: &CellProgress| p.silent_since.is_none() && p.untold;
    if of.step != Step::Again && progress.is_some_and(is_owed) {
        all.push(of.broken(12, "its cell was not told again what it may have missed"));
    }
}

/// Whether the cell has heard the newest wish of the rollout. Where it has not, it goes by its warrant.
pub(super) fn has_heard_wish(of: &Disturbance<'_>) -> bool {
    let progress = of.rollout.cells().get(of.cell.id());
    progress.is_some_and(|progress| {
        progress.silent_since.is_none() && of.work.generation() >= progress.generation
    })
}

/// Whether the cell has heard what operators said of its hosts, or it has not been said to it.
pub(super) fn has_heard_exceptions(of: &Disturbance<'_>) -> bool {
    let progress = of.rollout.cells().get(of.cell.id());
    progress.is_some_and(|progress| {
        let is_lost = of.work.exceptions_taken() < progress.exceptions_told;
        progress.silent_since.is_none() && !is_lost
    })
}

/// Whether a cell was silent for so long that it is unknown.
pub(super) fn is_unknown(rollout: &Rollout, cell: &CellId, now: Timestamp) -> bool {
    let progress = rollout.cells().get(cell);
    let since = progress.and_then(|progress| progress.silent_since);
    since.is_some_and(|since| now.since(since) >= rollout.plan().unknown_after)
}

/// Whether a wave may go on without so many of its hosts in unknown cells. Hosts that an earlier wave
/// went on without are not among them.
pub(super) fn may_be_left(rollout: &Rollout, wave: WaveIndex, left: usize) -> bool {
    let Some(planned) = rollout.plan().wave(wave) else {
        return false;
    };
    let hosts = planned.slices.values().flatten();
    let hosts = hosts.filter(|host| !rollout.missed().contains(*host));
    let hosts = hosts.count();
    let is_within = || !planned.unknown_share.is_exceeded(left, hosts);
    left == 0 || (wave != WaveIndex(0) && is_within())
}
