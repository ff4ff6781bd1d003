//! Asks hosts to stage: spread over `stage_within`, at once where a warrant names the host.

use super::{CellCommand, Job, JobState, Link, Member, Staging, Work, decide::Draft};
use crate::{
    id::HostId,
    order::Direction,
    seed,
    time::{Timestamp, millis},
    warrant::StopKind,
};
use std::time::Duration;

impl Draft<'_> {
    pub(super) fn stage(&mut self, work: &Work) {
        let ended = work
            .stop
            .as_ref()
            .is_some_and(|stop| stop.kind == StopKind::End);
        let is_stopped = ended || self.cell.cord.is_some();
        if is_stopped || work.direction() == Some(Direction::Rollback) {
            return;
        }
        let agenda = self.cell.agenda(work);
        self.decision.wake_at(agenda.next_staging(self.now));
        for host in agenda.to_stage(self.now) {
            let Some(member) = self.cell.members.get(host) else {
                continue;
            };
            let platform = &member.host.facts.platform;
            let Some(content) = work.assignment.content_for(platform) else {
                self.leave_out(
                    work,
                    host,
                    format!("the lock file has nothing for {platform}"),
                );
                continue;
            };
            self.push(CellCommand::Stage {
                rollout: work.assignment.rollout.clone(),
                host: host.clone(),
                lock_digest: work.lock_digest(),
                content,
                conffiles: work.assignment.conffiles.clone(),
                one_way: work.assignment.one_way,
                rate_kib: work.assignment.pace.stage_rate_kib,
                kernel_fallback: work.assignment.kernel_fallback,
            });
        }
    }
}

/// When a host is to be asked to stage; nothing while it need not, or cannot, be asked.
pub(super) fn due(work: &Work, host: &HostId, job: &Job, member: &Member) -> Option<Timestamp> {
    if !matches!(job.state, JobState::Waiting | JobState::Again(_)) {
        return None;
    }
    let Link::Connected { since: connected } = member.link else {
        return None;
    };
    match &job.staging {
        Staging::NotAsked if job.granted_at.is_some() => Some(work.assigned_at),
        Staging::NotAsked => Some(work.assigned_at.after(stage_delay(work, host))),
        Staging::Asked { at, .. } => (connected > *at).then_some(connected),
        Staging::Again { at, .. } => Some(*at),
        Staging::Ready => None,
    }
}

/// A host's place in the time that staging is spread over.
fn stage_delay(work: &Work, host: &HostId) -> Duration {
    let within = millis(work.assignment.pace.stage_within);
    let seed = seed::of(&[host.as_str(), work.assignment.rollout.as_str(), "stage"]);
    Duration::from_millis(seed.checked_rem(within).unwrap_or(0))
}
