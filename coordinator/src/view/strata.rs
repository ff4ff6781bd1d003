//! What became of strata, and which hosts a rollout was done without.

use cofferdam_engine::{
    id::HostId,
    rollout::Rollout,
    warrant::{LeftOutCause, Outcome},
};

/// The strata that are held for good, and those that nobody is left to prove, one line each.
pub(super) fn judged(rollout: &Rollout) -> Vec<String> {
    let convicted = rollout
        .convicted_strata()
        .into_iter()
        .map(|stratum| format!("held with {stratum}: two of its hosts failed and none has passed"));
    let closed = rollout.closed_suspects().into_iter().map(|stratum| {
        format!("{stratum} stays unproved: its hosts failed, and it has no other to ask")
    });
    convicted.chain(closed).collect()
}

/// How many hosts in unknown cells a rollout was done without, and one of them. Nothing when there is
/// none.
pub(super) fn gone_on_without(rollout: &Rollout) -> Option<String> {
    let is_left = |outcome: &Outcome| {
        matches!(
            outcome,
            Outcome::LeftOut {
                cause: LeftOutCause::CellUnknown,
                ..
            }
        )
    };
    let left = rollout.outcomes().iter().filter(|(_, o)| is_left(o));
    let hosts: Vec<&HostId> = left.map(|(host, _)| host).collect();
    let first = hosts.first()?;
    Some(format!(
        "done without {} hosts in cells that were unknown, as {first}: what became of them is not known",
        hosts.len()
    ))
}
