//! An approver ends a bake early.

use super::{WAVES, mins, secs};
use crate::world::{World, file};
use cofferdam_engine::{id::WaveIndex, rollout::Action};

const APPROVED: &str = "bake = \"1h\"\napprovers = [\"ben\", \"ana\"]\n";

/// A rollout whose canary bakes.
fn baking(top: &str) -> World {
    let mut world = World::new().hosts("web", "r1/a", 8);
    world.start(&file("ssl", "openssl", top, WAVES));
    world.until("the canary bakes", |world| {
        world.rollout("ssl").bake_since().is_some()
    });
    world
}

/// Why a promotion is refused.
fn refusal(world: &mut World, by: &str) -> String {
    let refused = world.try_promote("ssl", by);
    refused.expect_err("it must be refused").to_string()
}

#[test]
fn an_approver_ends_the_present_bake_and_no_later_one() {
    let mut world = baking(APPROVED);
    world.try_promote("ssl", "ana").unwrap();
    world.pass(secs(1));
    assert_eq!(world.rollout("ssl").wave(), WaveIndex(1));

    let promotions = world.rollout("ssl").promotions();
    assert_eq!(promotions.len(), 1);
    assert_eq!(promotions[0].wave, WaveIndex(0));
    assert_eq!(promotions[0].by.as_str(), "ana");
    assert_eq!(promotions[0].reason, "it looks well");

    world.pass(mins(50));
    assert_eq!(world.rollout("ssl").wave(), WaveIndex(1), "the next bake");
    world.wait_for("ssl", "done");
}

#[test]
fn whoever_is_no_approver_is_told_who_is() {
    let mut world = baking(APPROVED);
    let told = refusal(&mut world, "mallory");
    assert_eq!(
        told,
        "mallory may not do this to rollout ssl: ana or ben may"
    );
    let mut world = baking("bake = \"1h\"\n");
    let told = refusal(&mut world, "anna");
    assert!(told.ends_with("its file names no approvers"), "{told}");
}

#[test]
fn only_a_bake_that_runs_can_be_ended() {
    let mut world = World::new().hosts("web", "r1/a", 8);
    world.start(&file("ssl", "openssl", APPROVED, WAVES));
    let told = refusal(&mut world, "ana");
    assert_eq!(
        told,
        "rollout ssl does not bake: its present wave is not over"
    );

    let mut world = baking(APPROVED);
    world.ask("ssl", Action::Pause);
    let told = refusal(&mut world, "ana");
    assert_eq!(told, "rollout ssl does not bake: paused");
}
