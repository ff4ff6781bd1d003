//! Draws what guards tell.

use super::{line, word};
use cofferdam_engine::{
    drift::DriftSummary,
    effect::EffectSummary,
    guard::{
        Fate, GuardEvent, GuardMode, GuardNews, GuardPosition, GuardState, LostChannel, Seen,
        Tried, WindowLeft,
    },
    time::Timestamp,
};
use cofferdam_proto::session::Heard;
use proptest::{collection::vec, option, prelude::*, sample::select};
use std::time::Duration;

pub(crate) fn position() -> impl Strategy<Value = GuardPosition> {
    let numbers = (any::<u64>(), any::<u64>(), any::<u64>());
    numbers.prop_map(|(log, number, times)| GuardPosition { log, number, times })
}

pub(crate) fn heard() -> impl Strategy<Value = Heard> {
    let drift = option::of(any::<u64>().prop_map(Timestamp));
    (position(), drift, any::<bool>()).prop_map(|(guard, drift, takes_effect)| Heard {
        guard,
        drift,
        takes_effect,
    })
}

pub(crate) fn news() -> impl Strategy<Value = GuardNews> {
    let mode = select(vec![GuardMode::Off, GuardMode::Observe, GuardMode::Enforce]);
    let lost = (word(), word()).prop_map(|(channel, why)| LostChannel { channel, why });
    let state = (mode, vec(lost, 0..3)).prop_map(|(mode, lost)| GuardState { mode, lost });
    let window = (any::<u64>(), word(), word(), 0..86_400_000_u64);
    let window = window.prop_map(|(opened, by, reason, ms)| WindowLeft {
        opened,
        by,
        reason,
        left: Duration::from_millis(ms),
    });
    let log = (any::<u64>(), vec(event(), 0..4));
    (state, option::of(window), log).prop_map(|(state, window, (log, events))| GuardNews {
        state,
        window,
        log,
        events,
    })
}

pub(crate) fn event() -> impl Strategy<Value = GuardEvent> {
    (1_u64.., 1_u64.., any::<u64>(), seen()).prop_map(|(number, times, at, seen)| GuardEvent {
        number,
        times,
        at: Timestamp(at),
        seen,
    })
}

fn seen() -> impl Strategy<Value = Seen> {
    prop_oneof![
        tried().prop_map(Seen::Tried),
        (any::<u64>(), word(), word()).prop_map(|(lasts_ms, by, reason)| Seen::Opened {
            lasts_ms,
            by,
            reason,
        }),
        word().prop_map(|by| Seen::Closed { by }),
        vec(word(), 0..3).prop_map(|files| Seen::ControlLost { files }),
        Just(Seen::ControlRegained),
    ]
}

fn tried() -> impl Strategy<Value = Tried> {
    let fate = select(vec![
        Fate::Refused,
        Fate::Observed,
        Fate::AgentDead,
        Fate::InWindow,
        Fate::Reserved,
        Fate::Skipped,
        Fate::WouldSkip,
    ]);
    let by = (line(), vec(word(), 0..3), line(), line());
    let what = (vec(word(), 0..3), any::<u64>());
    (fate, word(), by, what).prop_map(|(fate, channel, by, (packages, more))| {
        let (command, parents, unit, login) = by;
        Tried {
            fate,
            channel,
            command,
            parents,
            unit,
            login,
            packages,
            more,
        }
    })
}

pub(crate) fn drift() -> impl Strategy<Value = DriftSummary> {
    let counts = (any::<u64>(), any::<u64>(), any::<u64>());
    (counts, vec(word(), 0..20)).prop_map(|((at, packages, files), lines)| DriftSummary {
        at: Timestamp(at),
        packages,
        files,
        lines,
    })
}

pub(crate) fn effect() -> impl Strategy<Value = EffectSummary> {
    (vec(word(), 0..20), option::of(word()))
        .prop_map(|(restart, reboot)| EffectSummary { restart, reboot })
}
