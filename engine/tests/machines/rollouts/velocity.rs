//! A wave whose hosts hardly get over any more, although nothing fails.

use super::{AT_ONCE, floor, mins, secs};
use crate::world::{Crash, Does, Step, World, file, id};
use cofferdam_engine::rollout::{Action, PauseCause, Phase};

/// The brake of these tests: it looks at one minute, and at as many hosts as are in small fleets.
const BRAKE: &str = "brake = { cell_share = \"60%\", velocity_over = \"1m\", velocity_least = 4 }";

/// A cell of sixty, of which six are patched at once, in some twelve seconds each.
fn world(top: &str, tables: &str) -> World {
    let mut world = World::new().hosts("web", "r1/a", 60);
    let canary = "[[wave]]\nname = \"canary\"\nhosts = 1\n".to_owned();
    let tables = canary + AT_ONCE + tables + &floor("0%");
    let top =
        format!("at_once_per_cell = 6\nbake = \"30s\"\nlate_deadline = \"20m\"\n{BRAKE}\n{top}");
    world.start(&file("ssl", "openssl", &top, &tables));
    world
}

/// From now on the patch takes minutes on every host.
fn slow_down(world: &mut World, minutes: u64) {
    for host in world.hosts_now() {
        let slow = Does::Well(mins(minutes));
        world.model.set(&host, Step::Apply, slow, None);
    }
}

fn finding(world: &World) -> Option<&str> {
    match world.rollout("ssl").phase() {
        Phase::Paused {
            cause: PauseCause::Brake { finding },
        } => Some(finding),
        Phase::Paused { .. }
        | Phase::Running
        | Phase::Aborting
        | Phase::RollingBack
        | Phase::Ended { .. } => None,
    }
}

fn until_passed(world: &mut World, count: usize) {
    world.until("some passed", |world| world.count("ssl", "passed") >= count);
}

#[test]
fn a_wave_that_collapses_is_paused_with_the_figures() {
    let mut world = world("", "");
    until_passed(&mut world, 40);
    slow_down(&mut world, 14);
    world.wait_for("ssl", "paused");

    assert_eq!(
        finding(&world).unwrap(),
        "6 hosts were over in the last 1m, with 6 at work; it was 36 in the wave's best 1m (brake: under 20%)"
    );
    assert_eq!(world.count("ssl", "failed"), 0);
}

#[test]
fn hosts_of_a_cell_that_is_not_heard_of_are_no_collapse() {
    let mut world = world("unknown_after = \"1h\"", "");
    until_passed(&mut world, 40);
    let cell = world.owner.fleet.cells().keys().next().unwrap().clone();
    world.cut_cell(&cell);
    world.pass(mins(10));
    assert_eq!(finding(&world), None);
    world.mend_cell(&cell);
    world.wait_for("ssl", "done");
}

#[test]
fn who_goes_on_has_seen_it_and_the_record_begins_anew() {
    let mut world = world("", "");
    until_passed(&mut world, 40);
    slow_down(&mut world, 14);
    world.wait_for("ssl", "paused");
    world.ask("ssl", Action::Resume);
    world.wait_for("ssl", "done");
    assert_eq!(world.count("ssl", "passed"), 60);
}

#[test]
fn hosts_that_a_window_keeps_from_starting_are_no_collapse() {
    let window = "[[window]]\nstart = \"00:00\"\nend = \"00:19\"\n";
    let mut world = world("", window);
    until_passed(&mut world, 40);
    world.until("the window closes", |world| {
        world.rules().contains(&"window")
    });
    world.pass(mins(30));
    assert_eq!(world.phase("ssl"), "running");
}

#[test]
fn a_few_slow_hosts_are_no_collapse() {
    let mut world = world("", "");
    for host in ["web-a-20", "web-a-30", "web-a-40"] {
        world.always(host, Step::Apply, Does::Well(mins(14)));
    }
    world.wait_for("ssl", "done");
    assert_eq!(world.count("ssl", "passed"), 60);
}

#[test]
fn runs_that_take_longer_than_a_span_are_no_collapse() {
    let mut world = world("", "");
    slow_down(&mut world, 3);
    world.wait_for("ssl", "done");
    assert_eq!(world.count("ssl", "passed"), 60);
}

#[test]
fn while_the_coordinator_is_away_nothing_collapses() {
    let mut world = world("", "");
    until_passed(&mut world, 40);
    world.crash_owner(Crash::BeforeSend, mins(10));
    world.pass(secs(1));
    world.until("it is back", |world| world.owner.is_up);
    world.wait_for("ssl", "done");
    assert_eq!(world.count("ssl", "passed"), 60);
}

#[test]
fn a_share_of_nothing_is_never_undercut() {
    let mut world = World::new().hosts("web", "r1/a", 60);
    let tables = "[[wave]]\nname = \"canary\"\nhosts = 1\n".to_owned() + AT_ONCE + &floor("0%");
    let off = BRAKE.replace("velocity_over", "velocity_share = \"0%\", velocity_over");
    let top = format!("at_once_per_cell = 6\nlate_deadline = \"20m\"\n{off}");
    world.start(&file("ssl", "openssl", &top, &tables));
    until_passed(&mut world, 40);
    slow_down(&mut world, 14);
    world.wait_for("ssl", "done");
    assert_eq!(world.outcome("ssl", &id("web-a-20")), "passed");
}
