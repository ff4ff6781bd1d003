//! Promises 4 and 9 for hosts that an operator set aside: nothing of theirs passes the point of
//! disruption any more, and who is given away is one that cannot have the patch.

use super::{Broken, Disturbance, Step, silence};
use crate::{
    exception::Word,
    id::HostId,
    rollout::Rollout,
    warrant::{Change, FailedEnd, Outcome},
};

/// No order and no first yes to a host that was set aside.
pub(super) fn by(of: &Disturbance<'_>, all: &mut Vec<Broken>) {
    if of.step == Step::Again || !of.is_forward() || !silence::has_heard_exceptions(of) {
        return;
    }
    let Some(exception) = of.rollout.exceptions().get(of.host()) else {
        return;
    };
    match exception.word {
        Word::Exclude | Word::Skip => all.push(of.broken(4, &format!("it was {exception}"))),
        Word::Retry => {}
    }
}

/// Whether a rollout has given a host away: it is excluded, and nothing of the patch is on it or may
/// be.
pub(super) fn is_given_away(rollout: &Rollout, host: &HostId) -> bool {
    let exception = rollout.exceptions().get(host);
    let may_have_it = matches!(
        rollout.outcomes().get(host),
        Some(
            Outcome::Running
                | Outcome::Passed
                | Outcome::Failed {
                    end: FailedEnd::Silent,
                    ..
                }
                | Outcome::Skipped {
                    change: Change::Unknown,
                    ..
                }
        )
    );
    exception.is_some_and(|exception| exception.word == Word::Exclude) && !may_have_it
}
