//! What guards told, as operators see it.

use super::*;
use cofferdam_engine::{
    cell::CellEvent,
    drift::DriftSummary,
    guard::{
        Fate, GuardEvent, GuardMode, GuardNews, GuardState, LostChannel, Seen, Tried, WindowLeft,
    },
};
use std::time::Duration;

/// Tells of a guard that refused something at some moments, and of what drifted.
fn tell(fleet: &mut Fleet, number: u32, moments: &[u64]) {
    let event = |(number, at): (u64, &u64)| GuardEvent {
        number,
        times: 1,
        at: Timestamp(*at),
        seen: Seen::Tried(Tried {
            fate: Fate::Refused,
            channel: "apt".to_owned(),
            command: format!("apt install tea={number}"),
            parents: Vec::new(),
            unit: String::new(),
            login: String::new(),
            packages: Vec::new(),
            more: 0,
        }),
    };
    let news = GuardNews {
        state: GuardState {
            mode: GuardMode::Enforce,
            lost: vec![LostChannel {
                channel: "dpkg".to_owned(),
                why: "/x is missing".to_owned(),
            }],
        },
        window: Some(WindowLeft {
            opened: 1,
            by: "uid 1000".to_owned(),
            reason: "disk".to_owned(),
            left: Duration::from_secs(600),
        }),
        log: 7,
        events: (1..).zip(moments).map(event).collect(),
    };
    let drift = DriftSummary {
        at: Timestamp(1),
        packages: 1,
        files: 0,
        lines: vec!["tea 1 -> 2".to_owned()],
    };
    let host = host(number);
    for event in [
        CellEvent::GuardTold {
            host: host.clone(),
            news: Box::new(news),
        },
        CellEvent::DriftTold {
            host: host.clone(),
            drift: Box::new(drift),
        },
    ] {
        let host = host.clone();
        apply(fleet, FleetEvent::Host { host, event });
    }
}

#[test]
fn a_rollout_shows_what_guards_of_its_hosts_refused_since_it_started() {
    let mut fleet = fleet(12);
    let started = fleet.rollouts()[&name()].started_at().0;
    assert!(started > 0);
    tell(&mut fleet, 0, &[started - 1, started + 9]);
    tell(&mut fleet, 1, &[started + 5]);

    let view = rollout(situation(&fleet, &Holds::known([])), &name()).unwrap();

    let shown: Vec<_> = view
        .alarms
        .iter()
        .map(|alarm| (alarm.host.clone(), alarm.event.number))
        .collect();
    assert_eq!(shown, [(host(1), 1), (host(0), 2)], "the last one last");
    for number in 2..12 {
        let moments: Vec<u64> = (0..4).map(|n| started + 10 + n).collect();
        tell(&mut fleet, number, &moments);
    }
    let view = rollout(situation(&fleet, &Holds::known([])), &name()).unwrap();
    assert_eq!(view.alarms.len(), 20);
}

#[test]
fn a_host_shows_and_explains_its_guard_its_window_and_its_drift() {
    let mut fleet = fleet(2);
    tell(&mut fleet, 0, &[2]);
    let nothing = Holds::known([]);
    let situation = situation(&fleet, &nothing);

    let [told, silent] = <[_; 2]>::try_from(hosts(situation)).unwrap();

    assert_eq!((silent.guard, silent.drift), (None, None));
    let guard = told.guard.unwrap();
    assert_eq!((guard.mode, guard.lost.len()), (GuardMode::Enforce, 1));
    assert_eq!(guard.window.unwrap().by, "uid 1000");
    let out = told.out.unwrap();
    assert_eq!(
        (out.holder.as_str(), out.why.as_str()),
        ("uid 1000 at the host", "taken: disk")
    );
    assert_eq!(told.drift.unwrap().packages, 1);
    let explained = explain(situation, "web-0").unwrap();
    let fact = |key: &str| {
        let fact = explained.facts.iter().find(|fact| fact.key == key);
        fact.map(|fact| fact.value.clone()).unwrap()
    };
    assert!(fact("guard").starts_with("enforce, NOT in control: dpkg: /x is missing, for "));
    assert!(fact("guard saw").starts_with("refused: apt install tea=1, "));
    assert_eq!(fact("drift"), "packages: 1, files: 0");
    assert_eq!(fact("changed"), "tea 1 -> 2");
}
