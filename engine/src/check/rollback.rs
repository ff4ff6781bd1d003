//! Promise 12: a rollback is a wish that stands until it is done.

use super::Broken;
use crate::{
    fleet::Fleet,
    id::HostId,
    order::Direction,
    rollout::{End, Phase, Rollout, RolloutCommand},
    warrant::{Change, FailedEnd, Outcome},
};

/// While a rollout rolls back it grants no patch, and it is not over while a host has the patch or
/// may have it.
pub(super) fn by_rollout(
    fleet: &Fleet,
    rollout: &Rollout,
    command: &RolloutCommand,
    all: &mut Vec<Broken>,
) {
    if *rollout.phase() != Phase::RollingBack {
        return;
    }
    let found = match command {
        RolloutCommand::Warrant { warrant, .. } if warrant.direction == Direction::Patch => {
            Some("it grants its patch while it rolls back".to_owned())
        }
        RolloutCommand::End { end } if *end != End::RolledBack => {
            Some("it rolls back and ends otherwise".to_owned())
        }
        RolloutCommand::End { .. } => {
            let host = may_have_it(fleet, rollout);
            host.map(|host| format!("it is called rolled back, and host {host} may have the patch"))
        }
        RolloutCommand::Warrant { .. }
        | RolloutCommand::Assign(_)
        | RolloutCommand::Except(_)
        | RolloutCommand::Stop(_)
        | RolloutCommand::Brake { .. }
        | RolloutCommand::BeginBake { .. }
        | RolloutCommand::PassWave { .. } => None,
    };
    let name = &rollout.plan().rollout;
    all.extend(found.map(|what| Broken {
        promise: 12,
        what: format!("rollout {name}: {what}"),
    }));
}

/// A host that has the patch, or may have it, and that no later rollout has changed in the same way.
fn may_have_it<'a>(fleet: &Fleet, rollout: &'a Rollout) -> Option<&'a HostId> {
    let may = |outcome: &Outcome| {
        matches!(
            outcome,
            Outcome::Passed
                | Outcome::Running
                | Outcome::Failed {
                    end: FailedEnd::Silent,
                    ..
                }
                | Outcome::Skipped {
                    change: Change::Unknown,
                    ..
                }
        )
    };
    let mut outcomes = rollout.outcomes().iter();
    outcomes
        .find(|(host, outcome)| may(outcome) && !is_changed_since(fleet, rollout, host))
        .map(|(host, _)| host)
}

fn is_changed_since(fleet: &Fleet, rollout: &Rollout, host: &HostId) -> bool {
    let ours = rollout.plan().subjects();
    fleet.rollouts().values().any(|other| {
        let is_later = other.started_at() >= rollout.started_at()
            && other.plan().rollout != rollout.plan().rollout;
        let is_same = other.plan().subjects().iter().any(|s| ours.contains(s));
        is_later && is_same && other.outcomes().get(host) == Some(&Outcome::Passed)
    })
}
