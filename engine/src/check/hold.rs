//! Promise 10: what does not move has a hold that says why, and what time alone ends has a wake-up.

use super::Broken;
use crate::{
    cell::{Cell, JobState, Work},
    fleet::{Fleet, FleetDecision},
    hold::Subject,
    id::{HostId, RolloutId},
    order::Direction,
    rollout::{Phase, Rollout},
    time::Timestamp,
    warrant::Outcome,
};
use std::collections::BTreeSet;

/// A decision without commands holds whatever waits, and wakes when a hold ends by time.
pub(super) fn of_decision(
    fleet: &Fleet,
    decision: &FleetDecision,
    now: Timestamp,
    all: &mut Vec<Broken>,
) {
    if !decision.commands.is_empty() {
        return;
    }
    wakes(decision, now, all);
    let held = Held::by(decision);
    for (name, rollout) in fleet.rollouts().iter().filter(|(_, r)| r.is_live()) {
        if !held.0.iter().any(|subject| is_of(subject, name)) {
            push(all, format!("rollout {name} is live, and nothing holds it"));
        }
        let paused = Subject::Rollout {
            rollout: name.clone(),
        };
        if !held.0.contains(&paused) {
            ungranted(name, rollout, &held, all);
        }
    }
    for cell in fleet.cells().values() {
        for (name, work) in cell.work() {
            granted(name, cell, work, &held, all);
        }
    }
}

/// What a decision holds, to be found among as many as a large fleet has.
struct Held<'d>(BTreeSet<&'d Subject>);

impl<'d> Held<'d> {
    fn by(decision: &'d FleetDecision) -> Self {
        Self(decision.holds.iter().map(|hold| &hold.subject).collect())
    }

    /// Whether a slice is held, or the host of it.
    fn has(&self, slice: &Subject, rollout: &RolloutId, host: &HostId) -> bool {
        let one = || Subject::Host {
            rollout: rollout.clone(),
            host: host.clone(),
        };
        self.0.contains(slice) || self.0.contains(&one())
    }
}

fn wakes(decision: &FleetDecision, now: Timestamp, all: &mut Vec<Broken>) {
    if decision.wake.is_some_and(|wake| wake <= now) {
        push(
            all,
            format!("nothing to do, and a wake-up that is over at {now}"),
        );
    }
    for hold in &decision.holds {
        let Some(until) = hold.reason.until() else {
            continue;
        };
        if decision.wake.is_none_or(|wake| wake > until) {
            let (subject, rule) = (&hold.subject, hold.reason.rule());
            let what = format!("{subject} is held by {rule} until {until}, and nothing wakes then");
            push(all, what);
        }
    }
}

/// Hosts of the present wave that no cell may start yet. Most are over, or of a slice that is held: that is looked at
/// first.
fn ungranted(name: &RolloutId, rollout: &Rollout, held: &Held<'_>, all: &mut Vec<Broken>) {
    if *rollout.phase() != Phase::Running || rollout.bake_since().is_some() {
        return;
    }
    let in_wave = rollout
        .plan()
        .hosts
        .iter()
        .filter(|(_, p)| p.wave == rollout.wave());
    for (host, planned) in in_wave {
        let outcome = rollout.outcomes().get(host);
        if !matches!(outcome, None | Some(Outcome::Waiting)) {
            continue;
        }
        let slice = Subject::Slice {
            rollout: name.clone(),
            cell: planned.cell.clone(),
        };
        let is_granted = || {
            let progress = rollout.cells().get(&planned.cell);
            let granted = progress.and_then(|progress| progress.granted());
            granted.is_some_and(|hosts| hosts.contains(host))
        };
        if !held.has(&slice, name, host) && !is_granted() {
            push(
                all,
                format!("rollout {name} neither grants nor holds host {host}"),
            );
        }
    }
}

/// Hosts that the cell may start and has not.
fn granted(name: &RolloutId, cell: &Cell, work: &Work, held: &Held<'_>, all: &mut Vec<Broken>) {
    let Some(leave) = work.warrant.as_ref().filter(|_| work.stop.is_none()) else {
        return;
    };
    let slice = Subject::Slice {
        rollout: name.clone(),
        cell: cell.id().clone(),
    };
    for host in &leave.warrant.hosts {
        let waits = match work.jobs.get(host).map(|job| &job.state) {
            None | Some(JobState::Waiting | JobState::Again(_)) => true,
            Some(JobState::Over(outcome)) => {
                leave.warrant.direction == Direction::Rollback && *outcome == Outcome::Passed
            }
            Some(JobState::Active(_)) => false,
        };
        if waits && !held.has(&slice, name, host) {
            push(
                all,
                format!("rollout {name} may start host {host}, and nothing holds it"),
            );
        }
    }
}

fn is_of(subject: &Subject, name: &RolloutId) -> bool {
    match subject {
        Subject::Rollout { rollout }
        | Subject::Wave { rollout, .. }
        | Subject::Slice { rollout, .. }
        | Subject::Host { rollout, .. } => rollout == name,
    }
}

fn push(all: &mut Vec<Broken>, what: String) {
    all.push(Broken { promise: 10, what });
}
