//! Reads a fault: a step that goes wrong, or something that happens at a moment.

use super::{Refusal, hosts};
use crate::{
    document::Table,
    failure::FailureKind,
    rehearse::{
        Step,
        scenario::{Event, Fault, FaultKind, Goes},
    },
    share::Share,
};
use std::time::Duration;

/// The keys that say which hosts a fault is about.
const WHOM: [&str; 3] = ["match", "share", "hosts"];

/// Every key that only some faults have.
const KEYS: [&str; 8] = [
    "step",
    "goes",
    "failure",
    "takes",
    "retry_cures",
    "event",
    "at",
    "for",
];

pub(super) fn read(table: &mut Table<'_, Refusal>) -> Option<Fault> {
    table.require("name", "name = \"dead disk\"");
    let name = table.text("name", |text| Ok::<_, Refusal>(text.to_owned()));
    let hosts = hosts(table);
    let kind = match (table.has("step"), table.has("event")) {
        (true, false) => of_step(table),
        (false, true) => timed(table),
        (true, true) | (false, false) => {
            table.know(&KEYS);
            table.know(&["late"]);
            table.refuse_whole(Refusal::NoKind);
            None
        }
    };
    Some(Fault {
        name: name?,
        hosts: hosts?,
        kind: kind?,
    })
}

fn of_step(table: &mut Table<'_, Refusal>) -> Option<FaultKind> {
    table.require("goes", "goes = \"fails\"");
    let step = table.choice("step", &Step::ALL.map(|step| (step.name(), step)));
    let failure = table.choice("failure", &FailureKind::ALL.map(|kind| (kind.name(), kind)));
    let takes = table.duration("takes");
    let goes = [
        (
            "fails",
            Goes::Fails(failure.unwrap_or(FailureKind::Unhealthy)),
        ),
        ("hangs", Goes::Hangs),
        ("slow", Goes::Slow(takes.unwrap_or_default())),
        ("dies", Goes::Dies),
    ];
    let goes = table.choice("goes", &goes);
    let retry_cures = table.share("retry_cures").unwrap_or(Share::NONE);
    let (kind, unfit): (_, &[&'static str]) = match goes? {
        Goes::Fails(_) => ("fails", &["takes"]),
        Goes::Hangs => ("hangs", &["takes", "failure"]),
        Goes::Slow(_) => ("slow", &["failure", "retry_cures"]),
        Goes::Dies => ("dies", &["takes", "failure", "retry_cures"]),
    };
    let why = match goes? {
        Goes::Fails(_) => "fails after the step's usual time",
        Goes::Hangs => "never ends by itself",
        Goes::Slow(_) => "goes well",
        Goes::Dies => "takes the host away for good",
    };
    misfits(table, kind, unfit, why);
    if matches!(goes?, Goes::Slow(Duration::ZERO)) {
        table.refuse("goes", Refusal::NotSlow);
    }
    Some(FaultKind::Step {
        step: step?,
        goes: goes?,
        retry_cures,
    })
}

fn timed(table: &mut Table<'_, Refusal>) -> Option<FaultKind> {
    table.require("at", "at = \"10m\"");
    let late = table.duration("late");
    let throttled = Event::InventoryThrottled {
        late: late.unwrap_or_default(),
    };
    let events = [
        ("hosts-cut", Event::HostsCut),
        ("cells-cut", Event::CellsCut),
        ("hosts-die", Event::HostsDie),
        ("hosts-gone", Event::HostsGone),
        ("hosts-come", Event::HostsCome),
        ("inventory-throttled", throttled),
        ("hosts-fall", Event::HostsFall),
        ("coordinator-dies", Event::CoordinatorDies),
    ];
    let event = table.choice("event", &events);
    let at = table.duration("at");
    let lasts = table.duration("for").unwrap_or(Duration::ZERO);
    let is_throttled = matches!(event, Some(Event::InventoryThrottled { .. }));
    if is_throttled != late.is_some_and(|late| !late.is_zero()) {
        table.refuse_whole(Refusal::NotLate);
        return None;
    }
    match event? {
        Event::HostsGone => misfits(table, "hosts-gone", &["for"], "is for good"),
        Event::HostsCome => misfits(table, "hosts-come", &["for"], "is for good"),
        Event::InventoryThrottled { .. } => {
            let why = "is about all hosts that are deleted";
            misfits(table, "inventory-throttled", &WHOM, why);
        }
        Event::CoordinatorDies => {
            let why = "is about the one coordinator that a rehearsal has";
            misfits(table, "coordinator-dies", &WHOM, why);
        }
        Event::HostsCut | Event::CellsCut | Event::HostsDie | Event::HostsFall => {}
    }
    Some(FaultKind::Timed {
        event: event?,
        at: at?,
        lasts,
    })
}

/// Notes those of some keys that are there.
fn misfits(
    table: &Table<'_, Refusal>,
    kind: &'static str,
    keys: &[&'static str],
    why: &'static str,
) {
    for key in keys.iter().copied().filter(|key| table.has(key)) {
        table.refuse(key, Refusal::Misfit { key, kind, why });
    }
}
