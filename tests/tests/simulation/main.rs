//! Real coordinator and agents over a fake network: partitions, crashes, one seed one trace.

#![cfg(test)]

mod cut_off;
mod explained;
mod golden;
mod repeats;
mod set_back;
mod weather;

use cofferdam_agent::actions::{Effect, Step, Turn};
use cofferdam_engine::failure::FailureKind;
use cofferdam_proto::operator::RolloutState;
use cofferdam_tests::simulation::{Ending, Fault, Layout, Scene};
use std::time::Duration;

const RACKS: usize = 3;
const SEATS: usize = 8;

const ROLLOUT: &str = r#"
name = "practice"
bake = "1s"
stable_for = "1s"
grace = "0s"
stage_within = "0s"
start_spacing = "50ms"
cells_gap = "0s"
settle = "5s"
claim_wait = "5s"
start_by = "5s"
retry_backoff = "2s"
order = "none"
hosts_left_out = "50%"
brake = { cell_least = 8 }

[patch]
kind = "noop"

[select]
match = 'service == "web"'

[[wave]]
name = "canary"
to = "1%"

[[wave]]
name = "full"
to = "100%"

[[limits]]
floor = [{ group_by = ["service", "zone"], min_in_service = "75%" }]
"#;

fn scene(seed: u64, faults: Vec<(Duration, Fault)>) -> Scene {
    Scene {
        seed,
        racks: RACKS,
        seats: SEATS,
        layout: Layout::One,
        rollout: ROLLOUT.to_owned(),
        faults,
        unruly: false,
        cord: None,
        taken: None,
        asks: Vec::new(),
        within: Duration::from_secs(240),
    }
}

fn at(secs: u64, fault: Fault) -> (Duration, Fault) {
    (Duration::from_secs(secs), fault)
}

/// A link is cut and mended, a rack of agents dies and comes back, the coordinator does too.
fn hard_times(seed: u64) -> Scene {
    let shift = seed % 7;
    scene(
        seed,
        vec![
            at(6 + shift, Fault::Cut(0)),
            at(9 + shift, Fault::KillCoordinator),
            at(12 + shift, Fault::StartCoordinator),
            at(16 + shift, Fault::KillRack(1)),
            at(19 + shift, Fault::StartRack(1)),
            at(24 + shift, Fault::Mend(0)),
        ],
    )
}

/// How many seeds are played: a few here, many in `make soak`.
fn seeds() -> u64 {
    let asked = std::env::var("COFFERDAM_SEEDS").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(4)
}

fn assert_every_host_is_patched_once(ending: &Ending) {
    assert_eq!(
        ending.rollout.state,
        RolloutState::Done,
        "seed {}: {:#?}",
        ending.seed,
        ending.rollout
    );
    let installed = ending.count(|effect| matches!(effect, Effect::Installed(_)));
    assert!(installed.values().all(|times| *times == 1), "{installed:?}");
    let passed: u64 = ending.rollout.waves.iter().map(|wave| wave.passed).sum();
    assert_eq!(
        installed.len() as u64,
        passed,
        "what was reported is what happened"
    );
    assert!(
        ending.drained.is_empty(),
        "left drained: {:?}",
        ending.drained
    );
}

#[test]
fn a_rollout_reaches_every_host_once_when_nothing_goes_wrong() {
    let ending = scene(1, Vec::new()).play();
    assert_every_host_is_patched_once(&ending);
    assert_eq!(
        ending.count(|e| matches!(e, Effect::Installed(_))).len(),
        RACKS * SEATS
    );
}

#[test]
fn a_cut_link_and_a_crash_of_each_process_leave_no_host_behind_or_patched_twice() {
    for seed in 0..seeds() {
        let ending = hard_times(seed).play();
        assert_every_host_is_patched_once(&ending);
    }
}

#[test]
fn one_host_that_fails_alone_stops_nothing_and_goes_back_by_itself() {
    let ending = scene(6, Vec::new()).play_with(|racks| {
        let seat = &racks[1].seats()[3];
        for _ in 0..2 {
            seat.actions
                .script(Step::Verify, Turn::fails(FailureKind::Unhealthy));
            seat.actions
                .script(Step::Verify, Turn::takes(Duration::ZERO));
        }
    });
    assert_eq!(
        ending.rollout.state,
        RolloutState::Done,
        "{:#?}",
        ending.rollout
    );
    let back = ending.count(|effect| matches!(effect, Effect::WentBack(_)));
    assert_eq!(back.len(), 1);
    assert!(ending.drained.is_empty());
}

#[test]
#[should_panic(expected = "a spawned task panicked")]
fn a_panic_in_a_spawned_task_fails_the_simulation() {
    let mut sim = turmoil::Builder::new().build();
    sim.client("lonely", async {
        tokio::spawn(async { panic!("lost in a task") });
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok(())
    });
    sim.run().expect("it ends");
}

/// A control plane and two regions.
fn split(seed: u64, faults: Vec<(Duration, Fault)>) -> Scene {
    Scene {
        layout: Layout::Split,
        racks: 4,
        ..scene(seed, faults)
    }
}

#[test]
fn regions_of_their_own_patch_every_host_once_as_one_process_does() {
    let ending = split(1, Vec::new()).play();
    assert_every_host_is_patched_once(&ending);
    assert_eq!(
        ending.count(|e| matches!(e, Effect::Installed(_))).len(),
        4 * SEATS
    );
}

/// A region is cut off, then dies; the control plane dies; a rack is cut off from its region.
fn hard_times_apart(seed: u64) -> Scene {
    let shift = seed % 7;
    split(
        seed,
        vec![
            at(5 + shift, Fault::CutRegion(0)),
            at(8 + shift, Fault::KillRegion(1)),
            at(11 + shift, Fault::StartRegion(1)),
            at(13 + shift, Fault::Cut(2)),
            at(15 + shift, Fault::KillCoordinator),
            at(18 + shift, Fault::StartCoordinator),
            at(20 + shift, Fault::Mend(2)),
            at(22 + shift, Fault::MendRegion(0)),
            at(25 + shift, Fault::KillRegion(0)),
            at(27 + shift, Fault::StartRegion(0)),
        ],
    )
}

#[test]
fn cut_links_and_crashes_of_regions_and_control_plane_leave_no_host_behind_or_patched_twice() {
    for seed in 0..seeds().div_ceil(2) {
        let ending = hard_times_apart(seed).play();
        assert_every_host_is_patched_once(&ending);
    }
}

#[test]
fn a_region_that_was_cut_off_hears_of_the_cord_when_it_is_back_and_both_go_on_after_the_release() {
    let mut scene = split(
        3,
        vec![at(5, Fault::CutRegion(0)), at(50, Fault::MendRegion(0))],
    );
    scene.cord = Some(Duration::from_secs(6)..Duration::from_secs(110));
    let ending = scene.play();
    assert_every_host_is_patched_once(&ending);

    let lines = || ending.history.iter();
    let is_told = |line: &String| line.contains(r#""told":"cord""#);
    let told = lines().filter(|line| is_told(line)).count();
    assert_eq!(
        told, 4,
        "each region hears that it is pulled, and that it is released"
    );
    let is_order = |line: &String| line.contains(r#""event":"ordered""#);
    let last = |is_it: &dyn Fn(&String) -> bool| lines().rposition(is_it);
    assert!(
        last(&is_order) > last(&is_told),
        "the last region still had hosts to patch"
    );
}
