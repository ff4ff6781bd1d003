//! What happened to a rollout beside its slices: its waves, pauses and faults, as lanes.

use super::{
    lane::{Item, Lane},
    time,
};
use crate::render::table::counted;
use cofferdam_engine::rehearse::report::{FaultSeen, Pause, Report, Slice};
use std::collections::{BTreeMap, BTreeSet};

/// The most waves that are drawn.
const MOST_WAVES: usize = 12;

/// The most pauses that are drawn.
pub(super) const MOST_PAUSES: usize = 10;

/// The most faults that are drawn.
const MOST_FAULTS: usize = 15;

/// A wave as it was, over all its slices.
struct Wave<'a> {
    name: &'a str,
    from_ms: u64,
    to_ms: u64,
    hosts: usize,
    failed: usize,
}

/// The waves, in the order in which they began.
pub(super) fn waves(report: &Report) -> Vec<Lane> {
    let mut waves: BTreeMap<&str, Wave<'_>> = BTreeMap::new();
    for slice in &report.slices {
        let wave = waves.entry(&slice.wave).or_insert_with(|| Wave {
            name: &slice.wave,
            from_ms: slice.began_ms,
            to_ms: slice.began_ms,
            hosts: 0,
            failed: 0,
        });
        wave.from_ms = wave.from_ms.min(slice.began_ms);
        wave.to_ms = wave.to_ms.max(end_of(slice));
        wave.hosts += slice.hosts;
        wave.failed += slice.failed;
    }
    let mut waves: Vec<Wave<'_>> = waves.into_values().collect();
    waves.sort_by_key(|wave| wave.from_ms);
    waves.iter().take(MOST_WAVES).map(wave_lane).collect()
}

fn wave_lane(wave: &Wave<'_>) -> Lane {
    let Wave {
        name,
        from_ms,
        to_ms,
        hosts,
        failed,
    } = wave;
    let hosts = counted(*hosts, "host");
    let (from, to) = (time(*from_ms), time(*to_ms));
    let bar = Item::Bar {
        from_ms: *from_ms,
        to_ms: *to_ms,
        class: "wave",
        says: format!("wave {name}: {hosts}, {from} to {to}, {failed} failed"),
    };
    Lane {
        label: (*name).to_owned(),
        items: vec![bar],
    }
}

/// When a slice ended, as far as it did: one of which no run has ended goes no further than its beginning.
pub(super) fn end_of(slice: &Slice) -> u64 {
    slice.ended_ms.max(slice.began_ms)
}

/// The pauses, each with its reason.
pub(super) fn pauses(report: &Report) -> Vec<Lane> {
    let pauses = report.pauses.iter().take(MOST_PAUSES);
    pauses.map(pause_lane).collect()
}

fn pause_lane(pause: &Pause) -> Lane {
    Lane {
        label: format!("{} in {}", time(pause.at_ms), pause.wave),
        items: vec![beside(pause.at_ms, pause.at_ms, pause.why.clone())],
    }
}

/// The faults that struck, from their strike until somebody saw it.
pub(super) fn faults(report: &Report) -> Vec<Lane> {
    let struck = report.faults.iter().filter_map(fault_lane);
    struck.take(MOST_FAULTS).collect()
}

fn fault_lane(fault: &FaultSeen) -> Option<Lane> {
    let struck_ms = fault.struck_ms?;
    let hosts = counted(fault.hosts, "host");
    let strike = Item::Strike {
        at_ms: struck_ms,
        says: format!("{} struck {hosts} at {}", fault.name, time(struck_ms)),
    };
    let items = match fault.noticed_ms {
        Some(noticed_ms) => {
            let after = time(noticed_ms.saturating_sub(struck_ms));
            let words = format!("noticed after {after}: {}", fault.by);
            let unseen = Item::Bar {
                from_ms: struck_ms,
                to_ms: noticed_ms,
                class: "unseen",
                says: words.clone(),
            };
            let sight = Item::Sight {
                at_ms: noticed_ms,
                says: words.clone(),
            };
            vec![unseen, sight, strike, beside(struck_ms, noticed_ms, words)]
        }
        None => vec![
            strike,
            beside(struck_ms, struck_ms, "not noticed".to_owned()),
        ],
    };
    Some(Lane {
        label: fault.name.clone(),
        items,
    })
}

/// Words on the side of a stretch of time where they do not lie on it.
fn beside(from_ms: u64, to_ms: u64, words: String) -> Item {
    let (from_ms, to_ms) = (from_ms.min(to_ms), from_ms.max(to_ms));
    Item::Words {
        from_ms,
        to_ms,
        words,
    }
}

/// What is too much to draw, in a line. Empty: nothing.
pub(super) fn not_drawn(report: &Report) -> String {
    let struck = report
        .faults
        .iter()
        .filter(|fault| fault.struck_ms.is_some());
    let waves: BTreeSet<&str> = report
        .slices
        .iter()
        .map(|slice| slice.wave.as_str())
        .collect();
    let more = [
        (waves.len().saturating_sub(MOST_WAVES), "wave"),
        (report.pauses.len().saturating_sub(MOST_PAUSES), "pause"),
        (struck.count().saturating_sub(MOST_FAULTS), "fault"),
    ];
    let more = more.into_iter().filter(|(number, _)| *number > 0);
    let more: Vec<String> = more.map(|(number, thing)| counted(number, thing)).collect();
    match more.is_empty() {
        true => String::new(),
        false => format!("Not drawn for want of room: {}.", more.join(", ")),
    }
}
