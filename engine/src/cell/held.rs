//! What of its own holds a host that is to be patched, one thing after the other: when each lets it go, and
//! when the host may be left out for it. In between there is nothing to do for it.

use super::{Job, JobState, Link, Member, Staging, Work, candidate, unrest};
use crate::time::Timestamp;

/// The moments at which there is something to do for a host, past or not. None of one that is not to be
/// patched.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Held {
    /// When something else holds it, or nothing: it may be tried again, it came to rest, it may be asked to
    /// stage again.
    turns: [Option<Timestamp>; 3],
    /// When it may be left out: it is away or does not serve, does not come to rest, is not staged.
    ends: [Option<Timestamp>; 3],
}

impl Held {
    /// Of a host that is not to be patched.
    pub(super) const NOTHING: Self = Self {
        turns: [None; 3],
        ends: [None; 3],
    };

    /// Of a host that a warrant wants patched, where neither windows nor freezes give it more time. The order
    /// is that of [`candidate::held_by_itself`].
    pub(super) fn of(member: &Member, job: &Job, work: &Work) -> Self {
        let mut held = Self::default();
        let granted = job.granted_at.unwrap_or_default();
        let away = |since: Timestamp| since.max(granted).after(candidate::reach_patience(work));
        let connected = match member.link {
            Link::Connected { since } => since,
            Link::Silent { since } => {
                held.ends[0] = Some(away(since));
                return held;
            }
        };
        let mut begins = Timestamp::default();
        if let JobState::Again(again) = &job.state {
            begins = again.at;
            held.turns[0] = Some(again.at);
        }
        if !member.in_service && !work.assignment.repair {
            held.ends[0] = Some(away(member.changed_at).max(begins));
            return held;
        }
        let quiet_since = member.changed_at.max(connected);
        let grace_ends = quiet_since.after(work.assignment.pace.grace);
        if begins < grace_ends {
            let patience = job.restless_since.map(|since| {
                let ends = unrest::patience_ends(work, job, granted, since);
                ends.max(begins)
            });
            held.turns[1] = Some(grace_ends);
            held.ends[1] = patience.filter(|ends| *ends < grace_ends);
            begins = grace_ends;
        }
        match &job.staging {
            Staging::NotAsked | Staging::Asked { .. } => {
                let ends = granted.after(candidate::stage_patience(work));
                held.ends[2] = Some(ends.max(begins));
            }
            Staging::Again { at, .. } => held.turns[2] = Some((*at).max(begins)),
            Staging::Ready => {}
        }
        held
    }

    /// When something else holds it, or nothing.
    pub(super) fn turns(&self) -> [Option<Timestamp>; 3] {
        self.turns
    }

    /// When it may be left out.
    pub(super) fn ends(&self) -> [Option<Timestamp>; 3] {
        self.ends
    }
}
