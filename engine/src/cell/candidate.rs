//! Whether one host may be started now: each rule allows, or returns the reason that holds it.

use super::{Job, JobState, Link, Member, Staging, Work};
use crate::{
    hold::Reason,
    ledger::{Entry, Holder},
    order::Direction,
    time::Timestamp,
    warrant::Outcome,
};
use std::time::Duration;

/// Whether the job is to be started at all under a warrant of this direction.
pub(super) fn is_wanted(job: &Job, direction: Direction) -> bool {
    match (&job.state, direction) {
        (JobState::Waiting | JobState::Again(_), _) => true,
        (JobState::Over(Outcome::Passed), Direction::Rollback) => true,
        (JobState::Active(_) | JobState::Over(_), Direction::Patch | Direction::Rollback) => false,
    }
}

/// Why a wanted host may not be started now, by the rules that concern the host itself.
pub(super) fn held_by_itself(
    member: &Member,
    job: &Job,
    work: &Work,
    direction: Direction,
    now: Timestamp,
) -> Option<Reason> {
    let Link::Connected { since: connected } = member.link else {
        return Some(Reason::Unreachable);
    };
    let quiet_since = member.changed_at.max(connected);
    let grace_ends = quiet_since.after(work.assignment.pace.grace);
    if let JobState::Again(again) = &job.state
        && now < again.at
    {
        return Some(Reason::Retry {
            until: again.at,
            failure: again.failure.clone(),
        });
    }
    if direction == Direction::Rollback {
        return None;
    }
    if !member.in_service && !work.assignment.repair {
        return Some(Reason::NotInService);
    }
    if now < grace_ends {
        return Some(Reason::Grace { until: grace_ends });
    }
    match &job.staging {
        Staging::Ready => None,
        Staging::NotAsked => Some(Reason::Staging { after: None }),
        Staging::Asked { failure, .. } => Some(Reason::Staging {
            after: failure.clone(),
        }),
        Staging::Again { at, failure, .. } => Some(Reason::StagingFailed {
            failure: failure.clone(),
            until: *at,
        }),
    }
}

/// From when on those rules hold a host no more that is to be patched. Nothing: they do until it changes.
pub(super) fn ready_at(member: &Member, job: &Job, work: &Work) -> Option<Timestamp> {
    let quiet_since = member.quiet_since()?;
    let again_at = match &job.state {
        JobState::Again(again) => again.at,
        JobState::Waiting | JobState::Active(_) | JobState::Over(_) => Timestamp::default(),
    };
    let serves = member.in_service || work.assignment.repair;
    let is_ready = serves && job.staging == Staging::Ready;
    is_ready.then(|| again_at.max(quiet_since.after(work.assignment.pace.grace)))
}

/// The hold of a host that somebody has.
pub(super) fn held_by(entry: &Entry) -> Reason {
    Reason::Held {
        by: entry.holder.to_string(),
        until: entry.holder.until(),
    }
}

/// What the ledger says of a wanted host.
pub(super) enum LedgerSays {
    /// Nobody has it.
    Free,
    /// It may be taken, and costs nothing: it is out already, and is to go back or to be repaired.
    FreeAndOut,
    /// Somebody has it.
    Held(Reason),
}

impl LedgerSays {
    /// What a host's entry says.
    pub(super) fn of(entry: Option<&Entry>, work: &Work, direction: Direction) -> Self {
        match entry {
            Some(Entry {
                holder: Holder::Itself,
                ..
            }) if direction == Direction::Rollback => Self::FreeAndOut,
            Some(entry) if work.assignment.repair && entry.is_casualty() => Self::FreeAndOut,
            Some(entry) => Self::Held(held_by(entry)),
            None => Self::Free,
        }
    }
}

/// Why the rollout may start no further host in the cell just now, by its pace.
pub(super) fn held_by_pace(
    work: &Work,
    active: usize,
    last_start: Option<Timestamp>,
    now: Timestamp,
) -> Option<Reason> {
    let (of, spacing) = pace(work);
    let out = active;
    if out >= of {
        return Some(Reason::AtOnce { out, limit: of });
    }
    let limit = work.slow_down.limit(of);
    let slows_down = work.assignment.pace.slow_down;
    if out >= limit && slows_down && work.direction() != Some(Direction::Rollback) {
        return Some(Reason::SlowDown { out, limit, of });
    }
    let free_at = last_start?.after(spacing);
    (now < free_at).then_some(Reason::Spacing { until: free_at })
}

/// How many hosts may be out at once, and the time between two starts, on the way that it goes.
fn pace(work: &Work) -> (usize, Duration) {
    let (there, back) = (&work.assignment.pace, &work.assignment.rollback);
    match work.direction() {
        None | Some(Direction::Patch) => (there.at_once_per_cell, there.start_spacing),
        Some(Direction::Rollback) => {
            let at_once = back.at_once_per_cell.unwrap_or(there.at_once_per_cell);
            (at_once, back.start_spacing)
        }
    }
}

/// How long a granted host may be kept from starting by itself before the rollout leaves it out:
/// as long as an order would wait for it. Staging has as long as apply.
///
/// A rollback is a wish that stands: it waits for its hosts without end (promise 12).
pub(super) fn patience(reason: &Reason, work: &Work) -> Option<Duration> {
    if work.direction() == Some(Direction::Rollback) {
        return None;
    }
    if matches!(reason, Reason::Unreachable | Reason::NotInService) {
        return Some(reach_patience(work));
    }
    matches!(reason, Reason::Staging { .. }).then(|| stage_patience(work))
}

/// How long a host that is to be patched may be away or out of service.
pub(super) fn reach_patience(work: &Work) -> Duration {
    let deadlines = &work.assignment.deadlines;
    deadlines.start_by + deadlines.claim_wait
}

/// How long hosts wait for room that others use up who are lost: these may have rebooted by themselves, and
/// come back as a host that is away may.
pub(super) fn room_patience(work: &Work) -> Duration {
    work.assignment.deadlines.reboot + reach_patience(work)
}

/// How long it may be without the bits.
pub(super) fn stage_patience(work: &Work) -> Duration {
    let deadlines = &work.assignment.deadlines;
    deadlines.apply + deadlines.start_by
}
