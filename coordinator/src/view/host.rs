//! How a host stands.

use super::{Situation, guard::guard};
use cofferdam_engine::{
    cell::{Active, Cell, Job, JobState, Link, Member, Work},
    duration,
    id::HostId,
    ledger::{Entry, Holder, Occupancy},
    run::RunState,
    time::Timestamp,
};
use cofferdam_proto::operator::{HostView, OutView, RunView};
use std::time::Duration;

/// Every host, in order of names.
pub(crate) fn hosts(situation: Situation<'_>) -> Vec<HostView> {
    let of = |host: &HostId| {
        let (cell, member) = situation.fleet.host(host)?;
        Some(view(cell, member, situation.now))
    };
    situation.fleet.homes().keys().filter_map(of).collect()
}

fn view(cell: &Cell, member: &Member, now: Timestamp) -> HostView {
    let host = &member.host;
    HostView {
        host: host.id.clone(),
        cell: cell.id().clone(),
        labels: host.labels.clone(),
        platform: host.facts.platform.clone(),
        kernel: host.facts.kernel.clone(),
        connected_since_ms: connected_since(member),
        in_service: serves(cell, member),
        detail: member.detail.clone(),
        out: cell.ledger().entry(&host.id).map(out),
        run: run(cell, &host.id, now),
        agent_version: member.version.clone(),
        guard: guard(member, now),
        drift: member.drift.as_deref().cloned(),
        effect: member.effect.as_deref().cloned(),
        left_behind: member.left_behind.as_deref().cloned(),
        packages: Some(host.facts.packages),
    }
}

/// Whether a host serves: by its own word, and as no run has leave to take it out.
pub(super) fn serves(cell: &Cell, member: &Member) -> bool {
    let entry = cell.ledger().entry(&member.host.id);
    let is_taken_out = entry.is_some_and(|entry| entry.occupancy == Occupancy::Disrupted);
    member.in_service && !is_taken_out
}

/// When the host's session began. Nothing while it has none.
pub(super) fn connected_since(member: &Member) -> Option<Timestamp> {
    match member.link {
        Link::Connected { since } => Some(since),
        Link::Silent { .. } => None,
    }
}

/// A ledger's entry in words.
pub(super) fn out(entry: &Entry) -> OutView {
    OutView {
        holder: match &entry.holder {
            Holder::Operator { by, .. } => by.to_string(),
            Holder::AtHost { by, .. } => format!("{by} at the host"),
            Holder::Rollout { .. } | Holder::Itself => entry.holder.to_string(),
        },
        why: match (&entry.holder, &entry.occupancy) {
            (Holder::Operator { reason, .. }, _) => format!("reserved: {reason}"),
            (Holder::AtHost { reason, .. }, _) => format!("taken: {reason}"),
            (_, Occupancy::Reserved) => "reserved: may be taken out at any moment".to_owned(),
            (_, Occupancy::Disrupted) => "taken out for its run".to_owned(),
            (_, Occupancy::Casualty { why, .. }) => why.clone(),
        },
        since_ms: entry.since,
        until_ms: entry.holder.until(),
    }
}

/// Why a host counts as out, who has it, and for how long still.
pub(super) fn out_in_words(out: &OutView, now: Timestamp) -> String {
    let more = out.until_ms.map(|until| {
        let whole = Duration::from_secs(until.since(now).as_secs());
        format!(" for {} more", duration::format(whole))
    });
    let more = more.unwrap_or_default();
    format!("{}, held by {}{more}", out.why, out.holder)
}

/// The run on a host that is not over.
pub(super) fn run(cell: &Cell, host: &HostId, now: Timestamp) -> Option<RunView> {
    cell.work().iter().find_map(|(rollout, work)| {
        let active = active(work.jobs.get(host)?)?;
        Some(RunView {
            rollout: rollout.clone(),
            state: active.state.unwrap_or(RunState::Claiming),
            since_ms: active.entered_at,
            slow: is_slow(work, active, now),
        })
    })
}

/// The order of a job that is out.
pub(super) fn active(job: &Job) -> Option<&Active> {
    match &job.state {
        JobState::Active(active) => Some(active),
        JobState::Waiting | JobState::Again(_) | JobState::Over(_) => None,
    }
}

/// Whether a run takes longer than others in its cell.
pub(super) fn is_slow(work: &Work, active: &Active, now: Timestamp) -> bool {
    work.mean.is_slow(now.since(active.ordered_at))
}
