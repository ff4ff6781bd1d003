//! Regions that are cut off, and what happens to them meanwhile.

use crate::{ROLLOUT, assert_every_host_is_patched_once, at, split};
use cofferdam_engine::{id::HostId, time::Timestamp};
use cofferdam_tests::simulation::{Fault, Scene};
use serde_json::Value;
use std::time::Duration;

/// Where lines of a history are of this kind.
fn places(history: &[String], kind: &str) -> Vec<usize> {
    let lines = history.iter().enumerate();
    let is_it = |(_, line): &(usize, &String)| line.contains(kind);
    lines.filter(is_it).map(|(place, _)| place).collect()
}

const ORDERED: &str = r#""event":"ordered""#;
const WARRANTED: &str = r#""event":"warranted""#;
const BOOTED: &str = r#""fleet":"booted""#;

#[test]
fn a_region_whose_machine_boots_while_it_is_cut_off_starts_nothing_until_it_is_granted_anew() {
    // Cut off in the second wave, with a warrant of half an hour, and heard again long before that is over.
    let faults = vec![
        at(9, Fault::CutRegion(0)),
        at(10, Fault::KillRegion(0)),
        at(11, Fault::BootRegion(0)),
        at(60, Fault::MendRegion(0)),
    ];
    let mut restarted = faults.clone();
    restarted[2].1 = Fault::StartRegion(0);

    let ending = split(2, faults).play();

    assert_every_host_is_patched_once(&ending);
    let history = &ending.histories["r1"];
    let booted = *places(history, BOOTED).last().expect("it booted");
    let after = |kind| {
        places(history, kind)
            .into_iter()
            .find(|place| *place > booted)
    };
    let (ordered, warranted) = (after(ORDERED), after(WARRANTED));
    assert!(ordered.is_some(), "there was something left to do");
    assert!(
        warranted.is_some() && warranted < ordered,
        "granted at {warranted:?}, ordered at {ordered:?}"
    );

    // In the same boot it goes on with what it has.
    let ending = split(2, restarted).play();
    assert_every_host_is_patched_once(&ending);
    let history = &ending.histories["r1"];
    let started = *places(history, r#""fleet":"owner-started""#)
        .last()
        .expect("it started");
    let after = |kind| {
        places(history, kind)
            .into_iter()
            .find(|place| *place > started)
    };
    assert!(
        after(ORDERED).is_some()
            && after(WARRANTED).is_none_or(|warranted| after(ORDERED) < Some(warranted))
    );
}

/// Seconds of simulated time at which lines of a history are of this kind.
fn seconds(history: &[String], kind: &str) -> Vec<f64> {
    let at = |line: &String| {
        let line: Value = serde_json::from_str(line).expect("an entry of a history");
        let at = Timestamp(line["at"].as_u64().expect("its moment"));
        at.since(BEGINS).as_secs_f64()
    };
    let lines = history.iter().filter(|line| line.contains(kind));
    lines.map(at).collect()
}

/// When every simulation begins: 2026-01-01.
const BEGINS: Timestamp = Timestamp(1_767_225_600_000);

/// A warrant that ends, and cells that are unknown, while a link is cut.
fn brief_warrants() -> String {
    let keys = "warrant = \"4s\"\nunknown_after = \"10s\"\nunknown_share = \"60%\"\n";
    format!("{keys}{ROLLOUT}")
}

/// Incident 3: a zone that cannot be reached in mid-rollout.
#[test]
fn a_region_that_is_cut_off_in_a_later_wave_uses_its_warrant_up_and_the_others_go_on() {
    let (cut, mended) = (9.0, 60.0);
    let scene = Scene {
        seats: 16,
        rollout: brief_warrants(),
        ..split(
            4,
            vec![at(9, Fault::CutRegion(0)), at(60, Fault::MendRegion(0))],
        )
    };

    let ending = scene.play();

    assert_every_host_is_patched_once(&ending);
    let at_r1 = seconds(&ending.histories["r1"], ORDERED);
    let during = |from: f64, to: f64| at_r1.iter().filter(|at| (from..to).contains(*at)).count();
    assert!(
        during(cut + 0.1, cut + 4.1) > 0,
        "it goes on with what it was granted"
    );
    assert_eq!(during(cut + 4.1, mended), 0, "and starts nothing past that");
    let at_r2 = seconds(&ending.histories["r2"], ORDERED);
    assert!(
        at_r2.iter().all(|at| *at < mended),
        "the other region waits for nobody"
    );
    let passed: u64 = ending.rollout.waves.iter().map(|wave| wave.passed).sum();
    // An order whose first claim comes past the end is undone.
    let ordered = (at_r1.len() + at_r2.len()) as u64;
    let others = at_r2.len() as u64;
    assert!(
        others < passed && passed <= ordered,
        "what it did is merged"
    );
    assert!(ordered < 64, "and the rest is left out");
}

#[test]
fn a_region_that_is_cut_off_in_the_canary_is_waited_for() {
    let scene = Scene {
        rollout: brief_warrants(),
        ..split(
            4,
            vec![at(4, Fault::CutRegion(0)), at(50, Fault::MendRegion(0))],
        )
    };
    let ending = scene.play();
    assert_every_host_is_patched_once(&ending);
    let passed = seconds(&ending.histories["control"], r#""event":"wave-passed""#);
    assert!(passed[0] > 50.0, "{passed:?}");
}

/// Incident 13: several actors want the same host.
#[test]
fn a_host_that_an_operator_has_is_ordered_nothing_though_its_region_and_its_agent_die() {
    let host = HostId::new("z0-03").expect("a good name");
    let (from, to) = (Duration::from_millis(500), Duration::from_secs(70));
    let faults = vec![
        at(6, Fault::KillRegion(0)),
        at(7, Fault::StartRegion(0)),
        at(9, Fault::KillRack(0)),
        at(14, Fault::StartRack(0)),
    ];
    let scene = Scene {
        taken: Some((host.clone(), from..to)),
        ..split(5, faults)
    };

    let ending = scene.play();

    assert_every_host_is_patched_once(&ending);
    let history = &ending.histories["r1"];
    let reserved = places(history, r#""fleet":"reserved""#);
    assert_eq!(reserved.len(), 1, "by one of the two who wanted it");
    let released = places(history, r#""fleet":"unreserved""#);
    let between = &history[reserved[0]..released[0]];
    let is_order = |line: &&String| line.contains(ORDERED) && line.contains(host.as_str());
    assert_eq!(between.iter().filter(is_order).count(), 0);
    assert!(
        places(between, ORDERED).len() > 10,
        "others were patched meanwhile"
    );
}
