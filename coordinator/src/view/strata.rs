//! What became of strata, and of hosts that nothing became of: what a rollout went on without.

use cofferdam_engine::{
    id::HostId,
    rollout::{End, Phase, Rollout},
    warrant::Outcome,
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

/// Of a rollout that is done: how many hosts it went on without, and one of them. Nothing when there is
/// none.
pub(super) fn gone_on_without(rollout: &Rollout) -> Option<String> {
    let is_done = matches!(rollout.phase(), Phase::Ended { end: End::Done });
    let is_open = |host: &&HostId| {
        let outcome = rollout.outcomes().get(*host);
        matches!(outcome, None | Some(Outcome::Waiting | Outcome::Running))
    };
    let hosts: Vec<_> = rollout.plan().hosts.keys().filter(is_open).collect();
    let first = hosts.first().filter(|_| is_done)?;
    Some(format!(
        "done without {} hosts, as {first}: their cells were unknown, or they were held with their stratum",
        hosts.len()
    ))
}
