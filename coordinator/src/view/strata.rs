//! What became of strata, and which hosts a rollout was done without.

use cofferdam_engine::{
    id::HostId,
    rollout::Rollout,
    warrant::{LeftOutCause, Outcome},
};

/// The strata that are held for good, those that nobody is left to prove, and those that the first wave passed
/// without, one line each.
pub(super) fn judged(rollout: &Rollout) -> Vec<String> {
    let convicted = rollout
        .convicted_strata()
        .into_iter()
        .map(|stratum| format!("held with {stratum}: two of its hosts failed and none has passed"));
    let closed = rollout.closed_suspects().into_iter().map(|stratum| {
        format!("{stratum} stays unproved: its hosts failed, and it has no other to ask")
    });
    let missed = rollout.strata_the_first_wave_passed_without().into_iter();
    let missed = missed.map(|stratum| {
        format!(
            "the first wave passed without a host of {stratum}: a later one tries one of them alone first"
        )
    });
    convicted.chain(closed).chain(missed).collect()
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
    let (first, count) = counted(rollout, is_left)?;
    Some(format!(
        "done without {count} hosts in cells that were unknown, as {first}: what became of them is not known"
    ))
}

/// How many hosts of a rollout are in no inventory any more, and one of them. Nothing when there is none.
pub(super) fn gone(rollout: &Rollout) -> Option<String> {
    let (first, count) = counted(rollout, |outcome| *outcome == Outcome::Gone)?;
    Some(match count {
        1 => format!("{first} is gone: it was deleted from the inventory, and counts as left out"),
        many => format!(
            "{many} hosts are gone, as {first}: they were deleted from the inventory, and count as left out"
        ),
    })
}

/// The first host whose outcome is so, and how many there are. Nothing when there is none.
fn counted(rollout: &Rollout, is_so: impl Fn(&Outcome) -> bool) -> Option<(&HostId, usize)> {
    let mut hosts = rollout.outcomes().iter().filter(|(_, o)| is_so(o));
    let (first, _) = hosts.next()?;
    Some((first, 1 + hosts.count()))
}
