//! The freeze calendar. The world begins at 00:16:40, universal time.

use super::{AT_ONCE, floor, mins, secs};
use crate::world::{Boots, Crash, Does, START, Step, World, file, id};
use cofferdam_engine::{policy::Profile, rollout::Action, run::RunState, time::Timestamp};

fn started(world: &mut World) {
    world.start(&file(
        "ssl",
        "openssl",
        "",
        &(AT_ONCE.to_owned() + &floor("0%")),
    ));
}

/// So many minutes after the world's first moment.
fn minute(minutes: u64) -> Timestamp {
    START.after(mins(minutes))
}

fn first_start(world: &World) -> Timestamp {
    world.orders().next().expect("somebody was ordered").0
}

#[test]
fn nothing_starts_in_a_freeze_and_the_hold_names_it() {
    let mut world = World::new().hosts("web", "r1/a", 3);
    world.freeze(&[(0, 90)]);
    started(&mut world);
    world.pass(mins(30));

    let holds = world.holds().iter().map(|hold| &hold.reason);
    let frozen: Vec<_> = holds.filter(|reason| reason.rule() == "freeze").collect();
    assert_eq!(frozen.len(), 1);
    assert_eq!(frozen[0].until(), Some(minute(90)));
    assert_eq!(frozen[0].to_string(), "a freeze is on: freeze 0");
    world.wait_for("ssl", "done");
    assert_eq!(first_start(&world), minute(90));
}

#[test]
fn of_freezes_that_overlap_the_last_one_to_end_counts() {
    let mut world = World::new().hosts("web", "r1/a", 2);
    world.freeze(&[(0, 60), (30, 80), (10, 20)]);
    started(&mut world);
    world.wait_for("ssl", "done");

    assert_eq!(first_start(&world), minute(80));
}

#[test]
fn a_freeze_lets_the_profiles_through_that_it_names() {
    let begins_frozen = |top: &str| {
        let mut world = World::new().hosts("web", "r1/a", 3);
        world.freeze_but_for(&[(0, 90)], &[Profile::Emergency]);
        let rules = AT_ONCE.to_owned() + &floor("0%");
        world.start(&file("ssl", "openssl", top, &rules));
        world.wait_for("ssl", "done");
        first_start(&world) == minute(90)
    };
    assert!(begins_frozen(""));
    assert!(begins_frozen("profile = \"accelerated\"\n"));
    assert!(!begins_frozen("severity = \"critical\"\n"));
}

#[test]
fn a_new_calendar_replaces_the_old_one() {
    let mut world = World::new().hosts("web", "r1/a", 2);
    world.freeze(&[(0, 600)]);
    started(&mut world);
    world.pass(mins(10));
    world.freeze(&[]);
    world.wait_for("ssl", "done");

    assert!(world.now < minute(60));
}

#[test]
fn a_cell_that_is_made_later_keeps_the_calendar_too() {
    let mut world = World::new().hosts("web", "r1/a", 1);
    world.freeze(&[(0, 90)]);
    world.add_hosts("web", "r2/b", "plain", 2);
    world.pass(secs(2));
    started(&mut world);
    world.crash_owner(Crash::BeforeSend, secs(30));
    world.wait_for("ssl", "done");

    assert_eq!(world.count("ssl", "passed"), 3);
    assert_eq!(first_start(&world), minute(90));
}

#[test]
fn a_run_past_the_point_of_disruption_ends_in_a_freeze() {
    let mut world = World::new().hosts("web", "r1/a", 2);
    world.always("web-a-1", Step::Apply, Does::Well(mins(3)));
    world.freeze(&[(1, 90)]);
    started(&mut world);
    world.pass(mins(2));

    assert_eq!(world.state_of("web-a-1"), Some(RunState::Applying));
    world.wait_until_host_is("ssl", "web-a-1", "passed");
    assert!(world.now < minute(10));
    assert_eq!(world.outcome("ssl", &id("web-a-2")), "untouched");
    world.wait_for("ssl", "done");
}

#[test]
fn a_host_that_is_away_in_a_freeze_is_not_left_out() {
    let mut world = World::new().hosts("web", "r1/a", 2);
    world.freeze(&[(0, 90)]);
    started(&mut world);
    world.pass(secs(10));
    world.crash_agent(&id("web-a-1"), Boots::Anew, Some(mins(30)));
    world.wait_for("ssl", "done");

    assert_eq!(world.count("ssl", "passed"), 2);
}

#[test]
fn a_rollback_is_not_frozen() {
    let mut world = World::new().hosts("web", "r1/a", 2);
    started(&mut world);
    world.wait_for("ssl", "done");
    world.freeze(&[(0, 600)]);
    world.ask("ssl", Action::Rollback);
    world.wait_for("ssl", "rolled-back");

    assert!(world.now < minute(60));
}
