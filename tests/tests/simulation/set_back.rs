//! Stores that are set back: restored from a backup that is older than what they were told, and told.

use crate::{RACKS, SEATS, at, scene, split};
use cofferdam_agent::actions::Effect;
use cofferdam_proto::operator::RolloutState;
use cofferdam_tests::simulation::{Ending, Fault, Scene};
use std::time::Duration;

/// What is said of hosts that are further than their cell.
const OUTRAN: &str = "it had an order that this coordinator does not know: its store was set back";

/// Each host is patched once and serves, and the rollout ends. Hosts whose orders are not known any more are left out,
/// and said to be.
fn assert_nothing_is_wrong(ending: &Ending, hosts: usize) {
    let rollout = &ending.rollout;
    assert_eq!(rollout.state, RolloutState::Done, "{rollout:#?}");
    let installed = ending.count(|effect| matches!(effect, Effect::Installed(_)));
    assert_eq!(installed.len(), hosts);
    assert!(installed.values().all(|times| *times == 1), "{installed:?}");
    assert!(ending.drained.is_empty(), "{:?}", ending.drained);
    let sum = |count: fn(&cofferdam_proto::operator::WaveView) -> u64| {
        rollout.waves.iter().map(count).sum::<u64>()
    };
    let (passed, left_out) = (sum(|wave| wave.passed), sum(|wave| wave.left_out));
    assert_eq!((passed + left_out) as usize, hosts, "{rollout:#?}");
    assert!(
        passed > left_out,
        "what was out is told again: {rollout:#?}"
    );
    let told = rollout
        .warnings
        .iter()
        .filter(|line| line.contains(OUTRAN))
        .count();
    assert_eq!(told, usize::from(left_out > 0), "{:?}", rollout.warnings);
}

#[test]
fn a_coordinator_that_is_set_back_hears_again_what_it_lost_and_patches_no_host_twice() {
    let faults = vec![
        at(8, Fault::BackUpCoordinator),
        at(14, Fault::KillCoordinator),
        at(15, Fault::SetCoordinatorBack),
    ];
    let ending = scene(2, faults).play();
    assert_nothing_is_wrong(&ending, RACKS * SEATS);
}

#[test]
fn a_region_that_is_set_back_is_told_anew_what_it_lost_and_patches_no_host_twice() {
    let faults = vec![
        at(8, Fault::BackUpRegion(0)),
        at(14, Fault::KillRegion(0)),
        at(15, Fault::SetRegionBack(0)),
    ];
    let ending = split(2, faults).play();
    assert_nothing_is_wrong(&ending, 4 * SEATS);
}

#[test]
fn a_control_plane_that_is_set_back_hears_no_region_until_its_newest_store_is_put_back() {
    let faults = vec![
        at(8, Fault::BackUpCoordinator),
        at(14, Fault::KillCoordinator),
        at(14, Fault::BackUpCoordinator),
        at(15, Fault::SetCoordinatorBack),
        at(40, Fault::KillCoordinator),
        at(41, Fault::SetCoordinatorBack),
    ];
    let scene = Scene {
        asks: vec![(Duration::from_secs(35), vec!["practice".to_owned()])],
        ..split(2, faults)
    };
    let ending = scene.play();

    let explained = &ending.explained[0][0];
    let silent = explained
        .lines
        .iter()
        .filter(|line| line.rule == "silent")
        .count();
    assert_eq!(silent, 4, "{explained:#?}");
    assert_nothing_is_wrong(&ending, 4 * SEATS);
}
