//! The verdict over a demo that went well, and over some that did not.

use super::*;
use crate::demo::host::{Host, fleet};
use cofferdam_engine::id::RolloutId;
use cofferdam_proto::operator::WaveView;

fn wave(name: &str, state: WaveState, passed: u64) -> WaveView {
    WaveView {
        name: name.to_owned(),
        state,
        hosts: 4,
        running: 0,
        passed,
        failed: 0,
        timed_out: 0,
        unreachable: 0,
        left_out: 0,
        skipped: 0,
        rolled_back: 0,
        bake_until_ms: None,
    }
}

fn rollout(name: &str, state: RolloutState, reason: &str, waves: Vec<WaveView>) -> RolloutView {
    RolloutView {
        name: RolloutId::new(name).unwrap(),
        state,
        reason: reason.to_owned(),
        waves,
        failures: Vec::new(),
        holds: Vec::new(),
        hosts: 24,
        slow_hosts: Vec::new(),
        warnings: Vec::new(),
        started_at_ms: None,
        ended_at_ms: None,
        amends: None,
        amended_by: Vec::new(),
        approvals: Vec::new(),
        promotions: Vec::new(),
        alarms: Vec::new(),
        signed_by: None,
        effective: None,
        changed_hosts: 0,
    }
}

fn testimony(host: Host, installed: Release, had: &[Release]) -> Testimony {
    Testimony {
        host,
        installed: installed.version().to_owned(),
        had: had.to_vec(),
    }
}

/// The rare hosts went back, one host of zone b passed.
fn after_bad(host: Host) -> Testimony {
    let up_to_two = [Release::First, Release::Second];
    let all = Release::ALL;
    if host.instance_type == InstanceType::RARE {
        return testimony(host, Release::Second, &all);
    }
    if host.name == "b-1" {
        return testimony(host, Release::Third, &all);
    }
    testimony(host, Release::Second, &up_to_two)
}

fn evidence() -> Evidence {
    let up_to_two = [Release::First, Release::Second];
    let waves = vec![
        wave("canary", WaveState::Passed, 4),
        wave("full", WaveState::Passed, 20),
    ];
    let good = rollout("demo-good", RolloutState::Done, "", waves);
    let waves = vec![
        wave("canary", WaveState::Running, 1),
        wave("full", WaveState::Pending, 0),
    ];
    let reason = "instance_type=x2.metal failed twice";
    let bad = rollout("demo-bad", RolloutState::Paused, reason, waves);
    let good_hosts = fleet()
        .into_iter()
        .map(|h| testimony(h, Release::Second, &up_to_two));
    Evidence {
        good,
        after_good: good_hosts.collect(),
        bad,
        after_bad: fleet().into_iter().map(after_bad).collect(),
    }
}

#[test]
fn a_demo_that_went_well_ends_in_its_one_line() {
    let evidence = evidence();
    assert_eq!(evidence.differences(), Vec::<String>::new());
    let text = evidence.summary(17).text();
    assert_eq!(
        text.lines().last().unwrap(),
        "demo: ok hosts=24 patched=24 stopped_in=canary rolled_back=2 untouched=21 seconds=17"
    );
}

#[test]
fn each_thing_that_went_otherwise_is_said() {
    let mut evidence = evidence();
    evidence.bad.state = RolloutState::Done;
    evidence.bad.reason = "paused by ana".to_owned();
    evidence.after_good[0].installed = "1".to_owned();
    let text = evidence.differences().join("\n");
    for part in ["not paused", "does not name x2.metal", "23 of 24"] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn a_bad_release_that_stays_on_a_rare_host_is_noticed() {
    let mut evidence = evidence();
    let rare = evidence
        .after_bad
        .iter_mut()
        .find(|t| t.host.name == "a-8")
        .unwrap();
    rare.installed = "3".to_owned();
    let text = evidence.differences().join("\n");
    assert!(text.contains("rolled back were [\"c-8\"]"), "{text}");
    assert!(text.contains("2 hosts have the third release"), "{text}");
}
