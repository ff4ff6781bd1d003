//! What the guards of hosts told, and what changed there without an order.

use super::Situation;
use cofferdam_engine::{
    cell::Member,
    drift::DriftSummary,
    duration,
    guard::{GuardEvent, GuardMode, GuardRecord, KnownWindow},
    rollout::Rollout,
    time::Timestamp,
};
use cofferdam_proto::operator::{Alarm, GuardView, GuardWindowView};
use std::time::Duration;

/// The most alarms that are shown of a rollout (guess: a screen; each host has its own).
const ALARMS: usize = 20;

/// A host's guard. Nothing where it told nothing.
pub(super) fn guard(member: &Member, now: Timestamp) -> Option<GuardView> {
    let record = member.guard.as_ref()?;
    Some(GuardView {
        mode: record.state.mode,
        lost: record.state.lost.clone(),
        since_ms: record.since,
        events: record.events.clone(),
        missed: record.missed,
        dropped: record.dropped,
        window: member.window(now).map(window),
    })
}

fn window(window: &KnownWindow) -> GuardWindowView {
    GuardWindowView {
        by: window.by.clone(),
        reason: window.reason.clone(),
        until_ms: window.until,
    }
}

/// The last alarms of a rollout's hosts since it started, oldest first.
pub(super) fn alarms(situation: Situation<'_>, rollout: &Rollout) -> Vec<Alarm> {
    let since = rollout.started_at();
    let of = |host| {
        let (_, member) = situation.fleet.host(host)?;
        let events = &member.guard.as_ref()?.events;
        let counts = move |event: &&GuardEvent| event.alarms() && event.at >= since;
        Some(events.iter().filter(counts).map(move |event| Alarm {
            host: host.clone(),
            event: event.clone(),
        }))
    };
    let mut alarms: Vec<Alarm> = rollout
        .plan()
        .hosts
        .keys()
        .filter_map(of)
        .flatten()
        .collect();
    alarms.sort_by(|one, other| (one.event.at, &one.host).cmp(&(other.event.at, &other.host)));
    let surplus = alarms.len().saturating_sub(ALARMS);
    alarms.drain(..surplus);
    alarms
}

/// What a guard does, and whether it is in control, in one line.
pub(super) fn standing(record: &GuardRecord, now: Timestamp) -> String {
    let state = &record.state;
    let lost: Vec<String> = state.lost.iter().map(ToString::to_string).collect();
    let control = match (state.mode, lost.is_empty()) {
        (GuardMode::Off, _) => return "not installed".to_owned(),
        (GuardMode::Observe | GuardMode::Enforce, true) => "in control".to_owned(),
        (GuardMode::Observe | GuardMode::Enforce, false) => {
            format!("NOT in control: {}", lost.join("; "))
        }
    };
    let since = Duration::from_secs(now.since(record.since).as_secs());
    format!("{}, {control}, for {}", state.mode, duration::format(since))
}

/// What changed without an order, in one line.
pub(super) fn drifted(drift: &DriftSummary) -> String {
    match drift.changes() {
        0 if drift.is_unknown() => "cannot be told".to_owned(),
        0 => "none: as it was sealed".to_owned(),
        _ => format!("packages: {}, files: {}", drift.packages, drift.files),
    }
}
