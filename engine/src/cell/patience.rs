//! Holds a host for a reason of its own, and leaves it out once its rollout has been patient enough.

use super::{CellCommand, GivenUp, Job, Link, Member, Work, candidate, decide::Draft, unrest};
use crate::{duration, hold::Reason, id::HostId, time::Timestamp};

impl Draft<'_> {
    /// Holds a host that cannot be started for a reason of its own; past patience, which counts
    /// from when it was granted at the earliest, leaves it out.
    pub(super) fn hold_or_leave_out(
        &mut self,
        work: &Work,
        host: &HostId,
        granted: Timestamp,
        member: &Member,
        reason: Reason,
    ) {
        let began = match (&reason, member.link) {
            (Reason::Unreachable, Link::Silent { since }) => since,
            (Reason::NotInService, _) => member.changed_at,
            _ => Timestamp::default(),
        };
        let since = began.max(granted);
        if let Some(patience) = candidate::patience(&reason, work) {
            let ends = since.after(patience);
            if self.now >= ends {
                self.leave_out(work, host, reason.to_string());
                return;
            }
            self.wake_at(ends);
        }
        self.hold_host(work, host, reason);
    }

    /// Holds a host for its grace; past patience, leaves it out.
    pub(super) fn await_rest(
        &mut self,
        work: &Work,
        host: &HostId,
        job: &Job,
        granted: Timestamp,
        reason: Reason,
    ) {
        let ends = unrest::patience_ends(work, job, granted, self.now);
        if self.now >= ends {
            let grace = duration::format(work.assignment.pace.grace);
            let reason = format!(
                "it did not come to rest: its session or its service changed again and again, each time within {grace} (grace)"
            );
            self.leave_out(work, host, reason);
            return;
        }
        self.wake_at(ends);
        self.hold_host(work, host, reason);
    }

    pub(super) fn leave_out(&mut self, work: &Work, host: &HostId, reason: String) {
        self.give_up(work, host, GivenUp::NotStarted { reason });
    }

    pub(super) fn give_up(&mut self, work: &Work, host: &HostId, why: GivenUp) {
        self.push(CellCommand::GiveUp {
            rollout: work.assignment.rollout.clone(),
            host: host.clone(),
            why,
        });
    }
}
