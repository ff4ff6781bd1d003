//! What guards tell, as operators see it; and what is refused of it.

use crate::{
    drawn,
    sample::{cell, host, over_the_wire, platform, rollout, text},
};
use cofferdam_engine::{
    cell::LeftBehind,
    guard::{Fate, GuardEvent, GuardMode, LONGEST_WINDOW, LostChannel, Seen, Tried},
    time::{Timestamp, millis},
};
use cofferdam_proto::{
    convert::bounds::{MAX_GUARD_EVENTS, MAX_GUARD_LINES},
    operator::{Alarm, GuardView, GuardWindowView, HostView},
    session::{FromAgent, ToAgent},
    v1::{self, from_agent, to_agent},
};
use proptest::prelude::*;
use std::collections::BTreeMap;

proptest! {
    #[test]
    fn what_a_guard_saw_arrives_unchanged_at_an_operator(
        event in drawn::guard::event(),
        drift in drawn::guard::drift(),
        effect in drawn::guard::effect(),
    ) {
        let alarm = Alarm { host: host(), event: event.clone() };
        prop_assert_eq!(over_the_wire::<v1::Alarm, _>(alarm.clone()), Ok(alarm));
        let left_behind = LeftBehind { rollout: rollout(), lines: vec![text("/etc/x stays")] };
        let view = HostView {
            drift: Some(drift),
            effect: Some(effect),
            left_behind: Some(left_behind),
            ..guarded(event)
        };
        prop_assert_eq!(over_the_wire::<v1::HostView, _>(view.clone()), Ok(view));
    }
}

fn guarded(event: GuardEvent) -> HostView {
    let guard = GuardView {
        mode: GuardMode::Enforce,
        lost: vec![LostChannel {
            channel: text("dpkg"),
            why: text("/etc/x is missing"),
        }],
        since_ms: Timestamp(5),
        events: vec![event],
        missed: 2,
        dropped: 3,
        window: Some(GuardWindowView {
            by: text("uid 1000"),
            reason: text("disk"),
            until_ms: Timestamp(9),
        }),
    };
    HostView {
        host: host(),
        cell: cell(),
        labels: BTreeMap::new().into(),
        platform: platform(),
        kernel: String::new(),
        connected_since_ms: None,
        in_service: true,
        detail: String::new(),
        out: None,
        run: None,
        agent_version: String::new(),
        guard: Some(guard),
        drift: None,
        effect: None,
        left_behind: None,
        packages: None,
    }
}

fn tried() -> GuardEvent {
    GuardEvent {
        number: 7,
        times: 2,
        at: Timestamp(3),
        seen: Seen::Tried(Tried {
            fate: Fate::Refused,
            channel: text("apt"),
            command: text("apt full-upgrade"),
            parents: vec![text("bash")],
            unit: text("session-3.scope"),
            login: text("uid 1000"),
            packages: vec![text("tea 1 -> 2"), text("milk 1 -> 2")],
            more: 1,
        }),
    }
}

#[test]
fn who_tried_what_is_named_in_the_output_for_programs() {
    let view = guarded(tried());
    let json = serde_json::to_value(view.guard).unwrap();
    let expected = serde_json::json!({
        "mode": "enforce",
        "lost": [{ "channel": "dpkg", "why": "/etc/x is missing" }],
        "since_ms": 5,
        "events": [{
            "number": 7,
            "times": 2,
            "at_ms": 3,
            "kind": "tried",
            "fate": "refused",
            "channel": "apt",
            "command": "apt full-upgrade",
            "parents": ["bash"],
            "unit": "session-3.scope",
            "login": "uid 1000",
            "packages": ["tea 1 -> 2", "milk 1 -> 2"],
            "more": 1
        }],
        "missed": 2,
        "dropped": 3,
        "window": { "by": "uid 1000", "reason": "disk", "until_ms": 9 }
    });
    assert_eq!(json, expected);
    assert_eq!(
        tried().to_string(),
        "refused: apt full-upgrade (tea 1 -> 2 and 2 more), started by bash, 2 times"
    );
}

fn refusal(news: v1::GuardNews) -> String {
    let message = Some(from_agent::Message::GuardNews(news));
    let refused = FromAgent::try_from(v1::FromAgent { message });
    refused.unwrap_err().to_string()
}

#[test]
fn news_that_are_too_many_or_never_end_are_refused_with_their_field() {
    let good = v1::GuardNews {
        mode: 1,
        ..v1::GuardNews::default()
    };
    assert_eq!(
        refusal(v1::GuardNews::default()),
        "guard_news.mode: is missing"
    );
    let window = v1::GuardWindow {
        by: text("x"),
        reason: text("x"),
        left_ms: millis(LONGEST_WINDOW) + 1,
        ..v1::GuardWindow::default()
    };
    let endless = refusal(v1::GuardNews {
        window: Some(window),
        ..good.clone()
    });
    assert!(
        endless.starts_with("guard_news.window.left_ms: "),
        "{endless}"
    );
    let events = vec![tried().into(); MAX_GUARD_EVENTS + 1];
    let many = refusal(v1::GuardNews {
        events,
        ..good.clone()
    });
    assert!(many.starts_with("guard_news.events: "), "{many}");
    let mut event = v1::GuardEvent::from(tried());
    event.number = 0;
    let unnumbered = refusal(v1::GuardNews {
        events: vec![event],
        ..good
    });
    assert!(
        unnumbered.starts_with("guard_news.events[0].number: "),
        "{unnumbered}"
    );
}

#[test]
fn what_does_not_fit_is_cut_and_gets_through() {
    let mut event = tried();
    if let Seen::Tried(tried) = &mut event.seen {
        tried.packages = vec![text("tea\n1"); MAX_GUARD_LINES + 5];
        tried.parents = vec![String::new(), text("bash")];
    }
    let wire = v1::GuardEvent::from(event);
    let Ok(GuardEvent {
        seen: Seen::Tried(tried),
        ..
    }) = GuardEvent::try_from(wire)
    else {
        panic!("it is refused");
    };
    assert_eq!(tried.packages, vec![text("tea 1"); MAX_GUARD_LINES]);
    assert_eq!(tried.parents, ["bash"]);
}

#[test]
fn a_coordinator_that_does_not_say_what_it_heard_takes_nothing_of_the_kind() {
    let welcome = v1::Welcome {
        epoch: 1,
        heartbeat_ms: 1_000,
        want_packages: false,
        heard: None,
    };
    let message = Some(to_agent::Message::Welcome(welcome));
    let read = ToAgent::try_from(v1::ToAgent { message }).unwrap();
    assert!(matches!(read, ToAgent::Welcome { heard: None, .. }));
}
