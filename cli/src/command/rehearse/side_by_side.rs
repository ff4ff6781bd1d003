//! A rehearsal beside the same one in which coordination takes no time, each on a core of its own.

use cofferdam_engine::{
    plan::PlanErrors,
    rehearse::{Rehearsal, report::Report},
};
use std::{num::NonZero, panic, thread};

/// The most hosts that are rehearsed twice: each rehearsal of a million takes 4 GB (measured), so that two
/// at once do not fit into the 6 GB that one may take, and one after the other takes twice its time.
const MOST: usize = 500_000;

/// What a rehearsal comes to, with how long it takes when coordination takes no time, unless it is of more hosts
/// than are rehearsed twice: its bound says of those how much coordination can be at the most.
pub(super) fn play(rehearsal: &Rehearsal<'_>) -> Result<Report, PlanErrors> {
    if rehearsal.hosts.len() > MOST {
        return rehearsal.play();
    }
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let (report, without) = match cores > 1 {
        true => beside(rehearsal),
        false => (rehearsal.play(), rehearsal.without_coordination_ms()),
    };
    Ok(Report {
        took_without_coordination_ms: Some(without?),
        ..report?
    })
}

fn beside(rehearsal: &Rehearsal<'_>) -> (Result<Report, PlanErrors>, Result<u64, PlanErrors>) {
    thread::scope(|scope| {
        let without = scope.spawn(|| rehearsal.without_coordination_ms());
        let report = rehearsal.play();
        let without = without.join();
        (
            report,
            without.unwrap_or_else(|panic| panic::resume_unwind(panic)),
        )
    })
}
