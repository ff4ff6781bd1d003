//! Hosts that do not come to rest: a host whose session or service changes again and again, each time
//! before its grace is over, is waited for as long as [`GRACES`] graces, and then left out.
//!
//! What counts is one stretch of unrest: it begins with a change after the host was quiet for a whole
//! grace, so that a host which waits for hours for a floor and then changes once is not left out.

use super::{Cell, CellError, Job, Link, Member, Work};
use crate::{id::HostId, policy::GRACES, time::Timestamp};

impl Member {
    /// Since when it has had its session, its boot, its journal and its service. Nothing while it has
    /// no session.
    pub(super) fn quiet_since(&self) -> Option<Timestamp> {
        match self.link {
            Link::Connected { since } => Some(self.changed_at.max(since)),
            Link::Silent { .. } => None,
        }
    }
}

impl Cell {
    /// Takes note that a host is about to change: its unrest begins, or goes on.
    pub(super) fn note_unrest(&mut self, host: &HostId, now: Timestamp) {
        let quiet_since = self.members.get(host).and_then(Member::quiet_since);
        for work in self.work.values_mut() {
            let grace = work.assignment.pace.grace;
            let Some(job) = work.jobs.get_mut(host) else {
                continue;
            };
            let was_quiet = quiet_since.is_some_and(|since| since.after(grace) <= now);
            if was_quiet || job.restless_since.is_none() {
                job.restless_since = Some(now);
            }
        }
    }

    /// Takes in whether a host is in service.
    pub(super) fn set_service(
        &mut self,
        host: &HostId,
        in_service: bool,
        detail: &str,
        now: Timestamp,
    ) -> Result<(), CellError> {
        if self.member_mut(host)?.in_service != in_service {
            self.note_unrest(host, now);
        }
        self.member_mut(host)?.set_service(in_service, detail, now);
        Ok(())
    }
}

/// When a host that does not come to rest is waited for no longer, if it was granted at this moment.
pub(super) fn patience_ends(
    work: &Work,
    job: &Job,
    granted: Timestamp,
    now: Timestamp,
) -> Timestamp {
    let since = job.restless_since.unwrap_or(now).max(granted);
    since.after(work.assignment.pace.grace.saturating_mul(GRACES))
}
