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
    for (name, rollout) in fleet.rollouts().iter().filter(|(_, r)| r.is_live()) {
        if !is_held(decision, |subject| is_of(subject, name)) {
            push(all, format!("rollout {name} is live, and nothing holds it"));
        }
        let paused = Subject::Rollout {
            rollout: name.clone(),
        };
        if !is_held(decision, |subject| *subject == paused) {
            ungranted(name, rollout, decision, all);
        }
    }
    for cell in fleet.cells().values() {
        for (name, work) in cell.work() {
            granted(name, cell, work, decision, all);
        }
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

/// Hosts of the present wave that no cell may start yet.
fn ungranted(name: &RolloutId, rollout: &Rollout, decision: &FleetDecision, all: &mut Vec<Broken>) {
    if *rollout.phase() != Phase::Running || rollout.bake_since().is_some() {
        return;
    }
    let in_wave = rollout
        .plan()
        .hosts
        .iter()
        .filter(|(_, p)| p.wave == rollout.wave());
    for (host, planned) in in_wave {
        let progress = rollout.cells().get(&planned.cell);
        let granted = progress.and_then(|progress| progress.granted());
        let is_granted = granted.is_some_and(|hosts| hosts.contains(host));
        let outcome = rollout.outcomes().get(host);
        let waits = matches!(outcome, None | Some(Outcome::Waiting));
        let slice = Subject::Slice {
            rollout: name.clone(),
            cell: planned.cell.clone(),
        };
        if waits && !is_granted && !host_or(name, host, &slice, decision) {
            push(
                all,
                format!("rollout {name} neither grants nor holds host {host}"),
            );
        }
    }
}

/// Hosts that the cell may start and has not.
fn granted(
    name: &RolloutId,
    cell: &Cell,
    work: &Work,
    decision: &FleetDecision,
    all: &mut Vec<Broken>,
) {
    let Some(held) = work.warrant.as_ref().filter(|_| work.stop.is_none()) else {
        return;
    };
    let slice = Subject::Slice {
        rollout: name.clone(),
        cell: cell.id().clone(),
    };
    for host in &held.warrant.hosts {
        let waits = match work.jobs.get(host).map(|job| &job.state) {
            None | Some(JobState::Waiting | JobState::Again(_)) => true,
            Some(JobState::Over(outcome)) => {
                held.warrant.direction == Direction::Rollback && *outcome == Outcome::Passed
            }
            Some(JobState::Active(_)) => false,
        };
        if waits && !host_or(name, host, &slice, decision) {
            push(
                all,
                format!("rollout {name} may start host {host}, and nothing holds it"),
            );
        }
    }
}

fn host_or(name: &RolloutId, host: &HostId, slice: &Subject, decision: &FleetDecision) -> bool {
    let one = Subject::Host {
        rollout: name.clone(),
        host: host.clone(),
    };
    is_held(decision, |subject| *subject == one || subject == slice)
}

fn is_held(decision: &FleetDecision, is: impl Fn(&Subject) -> bool) -> bool {
    decision.holds.iter().any(|hold| is(&hold.subject))
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
