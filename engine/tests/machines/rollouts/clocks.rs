//! Clocks that are set: two hours back, three days ahead. They make nobody a casualty.

use super::{mins, restarts, restarts::reach, secs};
use crate::world::{Boots, Crash, Skew, World};
use cofferdam_engine::{id::HostId, run::RunState};
use std::time::Duration;

/// Two hours back, and three days ahead, in milliseconds.
const SET_TO: [Skew; 2] = [Skew(-7_200_000), Skew(259_200_000)];

/// How long a wave is watched.
const BAKE: Duration = mins(10);

/// Four hosts, a rollout, and the host that it starts with, which needs a reboot.
fn four() -> (World, HostId) {
    restarts::four(&format!("bake = \"{}s\"\n", BAKE.as_secs()))
}

/// Every host has the patch, and none ever was anything but in turn.
fn assert_all_went_well(world: &mut World, what: &str) {
    world.wait_for("ssl", "done");
    assert_eq!(
        world.count("ssl", "passed"),
        4,
        "{what}: {}",
        world.sketch()
    );
    assert!(world.ledger().is_empty(), "{what}");
    assert!(world.untrue_at_the_end().is_empty(), "{what}");
}

#[test]
fn a_coordinator_that_comes_back_with_another_time_gives_nobody_up() {
    for set_to in SET_TO {
        for state in [
            RunState::Draining,
            RunState::Applying,
            RunState::Rebooting,
            RunState::Verifying,
        ] {
            let (mut world, first) = four();
            reach(&mut world, &first, state);
            world.set_owner_clock(set_to);
            world.crash_owner(Crash::BeforeSend, secs(5));
            assert_all_went_well(&mut world, &format!("{set_to:?} while {state}"));
        }
    }
}

#[test]
fn a_host_that_boots_with_another_time_goes_on_with_its_run() {
    for set_to in SET_TO {
        for state in [RunState::Applying, RunState::Verifying] {
            let (mut world, first) = four();
            reach(&mut world, &first, state);
            world.set_clock(&first, set_to);
            world.crash_agent(&first, Boots::Anew, Some(secs(20)));
            assert_all_went_well(&mut world, &format!("{set_to:?} while {state}"));
        }
    }
}

#[test]
fn a_host_whose_reboot_sets_its_clock_is_verified_as_after_any_other() {
    for set_to in SET_TO {
        let (mut world, first) = four();
        reach(&mut world, &first, RunState::Applying);
        world.set_clock(&first, set_to);
        assert_all_went_well(&mut world, &format!("{set_to:?}"));
    }
}

#[test]
fn a_bake_lasts_its_time_though_the_clock_is_set_back_in_it() {
    let (mut world, _) = four();
    world.until("the canary is through", |world| {
        world.count("ssl", "passed") == 1
    });
    let through = world.now;
    world.set_owner_clock(SET_TO[0]);
    world.crash_owner(Crash::BeforeSend, secs(5));
    world.until("the next wave begins", |world| {
        !world.hosts_that_are("ssl", "running").is_empty()
    });
    let baked = world.now.since(through);
    assert!((BAKE..BAKE + mins(2)).contains(&baked), "{baked:?}");
    assert_all_went_well(&mut world, "two hours back in a bake");
}
