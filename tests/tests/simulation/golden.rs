//! Stores that an earlier release wrote are read, and lead to what they led to.
//!
//! `golden/` holds what the control plane and both regions stored of a rollout with a host that failed, a link that was
//! cut, a region that died and a cord: each a line an event, and beside it a checkpoint of the state after it. They are
//! never changed. `UPDATE=1 cargo test -p cofferdam-tests --test simulation golden` writes them where they are missing,
//! as for a release that stores other events.

use crate::{at, split};
use cofferdam_agent::actions::{Step, Turn};
use cofferdam_coordinator::{
    read_history,
    store::{Loaded, Record},
    write_checkpoint,
};
use cofferdam_engine::{
    check,
    failure::FailureKind,
    fleet::{Fleet, FleetEvent},
    rollout::{End, Phase, Rollout},
    time::Timestamp,
};
use cofferdam_tests::simulation::{Ending, Fault, Scene};
use serde_json::Value;
use std::{env, fs, path::PathBuf, time::Duration};

const PROCESSES: [&str; 3] = ["control", "r1", "r2"];

fn file(name: &str) -> PathBuf {
    PathBuf::from("tests/simulation/golden").join(name)
}

/// Two hosts in each of four zones.
fn played() -> Ending {
    let faults = vec![
        at(5, Fault::CutRegion(0)),
        at(8, Fault::KillRegion(1)),
        at(10, Fault::StartRegion(1)),
        at(14, Fault::MendRegion(0)),
    ];
    let scene = Scene {
        seats: 2,
        cord: Some(Duration::from_secs(6)..Duration::from_secs(16)),
        ..split(9, faults)
    };
    scene.play_with(|racks| {
        let actions = &racks[1].seats()[1].actions;
        for _ in 0..2 {
            actions.script(Step::Verify, Turn::fails(FailureKind::Unhealthy));
            actions.script(Step::Verify, Turn::takes(Duration::ZERO));
        }
    })
}

fn update() {
    if file("control.jsonl").exists() {
        return;
    }
    fs::create_dir_all(file("")).unwrap();
    for (process, history) in played().histories {
        let (at, fleet) = replayed(&loaded(&history.join("\n")));
        fs::write(file(&format!("{process}.jsonl")), history.join("\n") + "\n").unwrap();
        fs::write(
            file(&format!("{process}.checkpoint.json")),
            write_checkpoint(at, &fleet),
        )
        .unwrap();
    }
}

fn loaded(lines: &str) -> Loaded {
    let records = lines.lines().map(|line| Record(line.as_bytes().to_vec()));
    Loaded {
        checkpoint: None,
        records: records.collect(),
    }
}

/// The state that a history leads to, which breaks no promise on its way.
fn replayed(loaded: &Loaded) -> (Timestamp, Fleet) {
    let history = read_history(loaded).unwrap();
    let mut fleet = history.before;
    let mut last = Timestamp::default();
    for (at, event) in &history.events {
        fleet.apply(event, *at).unwrap();
        assert_eq!(check::broken(&fleet), [], "after {event:?}");
        last = last.max(*at);
    }
    (last, fleet)
}

/// Where a state does not say what it said then. It may say more: a later release knows things of it that an
/// earlier one did not.
fn lost(then: &Value, now: &Value) -> Option<String> {
    let below = |key: String, lost: String| format!("{key}.{lost}");
    match (then, now) {
        (Value::Object(then), Value::Object(now)) => then.iter().find_map(|(key, then)| {
            let lost = lost(then, now.get(key).unwrap_or(&Value::Null))?;
            Some(below(key.clone(), lost))
        }),
        (Value::Array(then), Value::Array(now)) if then.len() == now.len() => {
            let both = then.iter().zip(now).enumerate();
            both.map(|(place, (then, now))| Some(below(place.to_string(), lost(then, now)?)))
                .find_map(|lost| lost)
        }
        _ => (then != now).then(|| format!(" was {then} and is {now}")),
    }
}

fn has(loaded: &Loaded, is_it: impl Fn(&FleetEvent) -> bool) -> bool {
    let history = read_history(loaded).unwrap();
    history.events.iter().any(|(_, event)| is_it(event))
}

#[test]
fn a_history_of_an_earlier_release_and_its_checkpoint_lead_to_the_same_state() {
    if env::var_os("UPDATE").is_some() {
        update();
    }
    for process in PROCESSES {
        let lines = fs::read_to_string(file(&format!("{process}.jsonl"))).unwrap();
        let loaded = loaded(&lines);
        let (last, fleet) = replayed(&loaded);
        let state = fs::read(file(&format!("{process}.checkpoint.json"))).unwrap();
        let then: Value = serde_json::from_slice(&state).unwrap();
        let checkpoint = Loaded {
            checkpoint: Some(state),
            records: Vec::new(),
        };
        let read = read_history(&checkpoint).unwrap().before;
        for (of, fleet) in [("history", &fleet), ("checkpoint", &read)] {
            let now = serde_json::from_slice(&write_checkpoint(last, fleet)).unwrap();
            assert_eq!(lost(&then, &now), None, "of {process}'s {of}");
        }
        assert!(
            has(&loaded, |event| matches!(event, FleetEvent::Link { .. })),
            "{process}"
        );
        if process == "control" {
            let phases: Vec<&Phase> = fleet.rollouts().values().map(Rollout::phase).collect();
            assert_eq!(phases, [&Phase::Ended { end: End::Done }], "{process}");
            let pulled = |event: &FleetEvent| matches!(event, FleetEvent::CordPulled { .. });
            assert!(has(&loaded, pulled) && fleet.cord_in_force().is_none());
        }
    }
}
