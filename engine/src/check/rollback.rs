//! Promise 12: a rollback is a wish that stands until it is done.

use super::Broken;
use crate::{
    id::HostId,
    order::Direction,
    rollout::{End, Phase, Rollout, RolloutCommand},
    warrant::{Change, FailedEnd, Outcome},
};

/// While a rollout rolls back it grants no patch, and it is not over while a host has the patch or
/// may have it.
pub(super) fn by_rollout(rollout: &Rollout, command: &RolloutCommand, all: &mut Vec<Broken>) {
    if *rollout.phase() != Phase::RollingBack {
        return;
    }
    let found = match command {
        RolloutCommand::Warrant(warrant) if warrant.direction == Direction::Patch => {
            Some("it grants its patch while it rolls back".to_owned())
        }
        RolloutCommand::End { end } if *end != End::RolledBack => {
            Some("it rolls back and ends otherwise".to_owned())
        }
        RolloutCommand::End { .. } => {
            let host = may_have_it(rollout);
            host.map(|host| format!("it is called rolled back, and host {host} may have the patch"))
        }
        RolloutCommand::Warrant(_)
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

fn may_have_it(rollout: &Rollout) -> Option<&HostId> {
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
        .find(|(_, outcome)| may(outcome))
        .map(|(host, _)| host)
}
