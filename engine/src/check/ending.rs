//! Promise 5: a run that began ends; the owner waits for none in silence, and no host is forgotten.

use super::Broken;
use crate::{
    cell::{Active, Cell},
    fleet::Fleet,
    id::HostId,
    policy::{Deadlines, MARGIN},
    rollout::{End, Phase, Rollout},
    time::Timestamp,
    warrant::Outcome,
};
use std::time::Duration;

/// Nobody is waited for longer than every part of a run may take together, once for the run and
/// once for the way back.
pub(super) fn at_rest(fleet: &Fleet, now: Timestamp, all: &mut Vec<Broken>) {
    for cell in fleet.cells().values() {
        for (rollout, work) in cell.work() {
            for (host, job) in &work.jobs {
                let Some(active) = job.active() else { continue };
                let wait = now.since(began(cell, active));
                if wait > longest(&work.assignment.deadlines) {
                    all.push(Broken {
                        promise: 5,
                        what: format!(
                            "rollout {rollout} has waited {} s for host {host}, which is {:?}",
                            wait.as_secs(),
                            active.state
                        ),
                    });
                }
            }
        }
    }
}

/// Of a rollout that is done every host has an outcome.
pub(super) fn in_rollout(rollout: &Rollout, all: &mut Vec<Broken>) {
    if !matches!(rollout.phase(), Phase::Ended { end: End::Done }) {
        return;
    }
    let is_open = |host: &&HostId| {
        let outcome = rollout.outcomes().get(host);
        matches!(outcome, None | Some(Outcome::Waiting))
    };
    let name = &rollout.plan().rollout;
    let open = rollout.plan().hosts.keys().filter(is_open);
    all.extend(open.map(|host| Broken {
        promise: 5,
        what: format!("rollout {name} is done, and nothing says what became of host {host}"),
    }));
}

fn began(cell: &Cell, active: &Active) -> Timestamp {
    let owned = cell.owner_since();
    active.entered_at.max(active.ordered_at).max(owned)
}

fn longest(deadlines: &Deadlines) -> Duration {
    let once = deadlines.start_by
        + deadlines.claim_wait * 2
        + deadlines.drain * 2
        + deadlines.apply
        + deadlines.reboot
        + deadlines.verify;
    once * 2 + deadlines.settle + MARGIN * 10
}
