//! Rollouts that are taken back.

use super::{AT_ONCE, WAVES, floor, mins, names, secs};
use crate::world::{Boots, Crash, Does, NotStarted, Step, World, fails, file, id, rollout_id};
use cofferdam_engine::{
    failure::FailureKind,
    fleet::{FleetError, NotTakenBack},
    id::{OperatorId, RolloutId},
    rollout::Action,
    run::RunState,
};

fn done() -> World {
    let mut world = World::new().hosts("web", "r1/a", 6);
    let tables = AT_ONCE.to_owned() + &floor("50%");
    world.start(&file("ssl", "openssl", "", &tables));
    world.wait_for("ssl", "done");
    world
}

/// How many hosts have the patch of a rollout.
fn patched(world: &World) -> usize {
    let has_it = |agent: &&crate::world::Agent| !agent.installed.is_empty();
    world.agents.values().filter(has_it).count()
}

#[test]
fn a_finished_rollout_is_taken_back_from_every_host() {
    let mut world = done();
    assert_eq!(patched(&world), 6);
    world.ask("ssl", Action::Rollback);
    world.wait_for("ssl", "rolled-back");

    assert_eq!(patched(&world), 0);
    assert_eq!(world.count("ssl", "rolled back"), 6);
    assert!(world.unfinished().is_empty());
}

#[test]
fn a_rollback_in_the_middle_takes_back_what_was_changed_and_starts_nothing() {
    for state in [RunState::Claiming, RunState::Draining, RunState::Applying] {
        let mut world = World::new().hosts("web", "r1/a", 6);
        world.start(&file("ssl", "openssl", "", WAVES));
        let second = world.turns("ssl", 1).remove(0);
        world.until("another is on its way", |world| {
            world.state_of(second.as_str()) == Some(state)
        });
        world.ask("ssl", Action::Rollback);
        world.wait_for("ssl", "rolled-back");

        assert_eq!(patched(&world), 0, "asked while {state}");
        assert!(world.count("ssl", "untouched") >= 4);
    }
}

#[test]
fn a_host_that_fell_after_the_patch_goes_back_though_the_floor_is_broken() {
    let mut world = done();
    for host in ["web-a-1", "web-a-2", "web-a-3", "web-a-4"] {
        world.fall(&id(host));
    }
    world.pass(secs(1));
    world.ask("ssl", Action::Rollback);
    world.until("those that fell are back", |world| {
        world.count("ssl", "rolled back") >= 4
    });
    let back = world.hosts_that_are("ssl", "rolled back");
    assert_eq!(
        names(&back)[..4],
        ["web-a-1", "web-a-2", "web-a-3", "web-a-4"]
    );
    for host in back {
        world.repair(&host);
    }
    world.wait_for("ssl", "rolled-back");
}

#[test]
fn a_rollback_waits_for_a_host_that_is_away() {
    let mut world = done();
    world.cut(&id("web-a-5"));
    world.ask("ssl", Action::Rollback);
    world.pass(mins(24 * 60));
    assert_eq!(world.phase("ssl"), "rolling-back");
    assert_eq!(world.count("ssl", "rolled back"), 5);
    assert!(world.rules().contains(&"unreachable"));

    world.mend(&id("web-a-5"));
    world.wait_for("ssl", "rolled-back");
    assert_eq!(patched(&world), 0);
}

#[test]
fn a_rollback_waits_for_a_host_of_which_nobody_knows() {
    let mut world = World::new().hosts("web", "r1/a", 6);
    world.start(&file(
        "ssl",
        "openssl",
        "",
        &(AT_ONCE.to_owned() + &floor("50%")),
    ));
    world.until("a host applies", |world| {
        world.state_of("web-a-1") == Some(RunState::Applying)
    });
    world.cut(&id("web-a-1"));
    world.wait_until_host_is("ssl", "web-a-1", "silent");
    world.ask("ssl", Action::Rollback);
    world.pass(mins(60));
    assert_eq!(world.phase("ssl"), "rolling-back");

    world.mend(&id("web-a-1"));
    world.wait_for("ssl", "rolled-back");
    assert_eq!(patched(&world), 0, "it was patched while nobody heard it");
}

#[test]
fn a_rollback_ends_without_a_host_that_is_forgotten() {
    let mut world = done();
    world.cut(&id("web-a-5"));
    let wanted = |world: &World, host| world.owner.fleet.wanted_back(&id(host)).cloned();
    assert_eq!(wanted(&world, "web-a-5"), None, "nobody takes it back yet");
    world.ask("ssl", Action::Rollback);
    world.pass(mins(10));
    assert_eq!(wanted(&world, "web-a-5"), Some(rollout_id("ssl")));
    assert_eq!(wanted(&world, "web-a-1"), None, "it went back");
    world.forget(&id("web-a-5"));
    world.wait_for("ssl", "rolled-back");
    assert_eq!(world.outcome("ssl", &id("web-a-5")), "gone");
}

#[test]
fn a_rollback_that_is_undone_on_a_host_is_tried_again() {
    let mut world = done();
    world.once("web-a-1", Step::Drain, fails(FailureKind::Io));
    world.always("web-a-2", Step::RollBack, Does::Well(mins(4)));
    world.ask("ssl", Action::Rollback);
    world.wait_for("ssl", "rolled-back");
    assert_eq!(patched(&world), 0);
}

#[test]
fn failures_on_the_way_back_stop_nothing() {
    let mut world = done();
    for host in ["web-a-1", "web-a-2", "web-a-3"] {
        world.always(host, Step::RollBack, fails(FailureKind::Io));
    }
    world.ask("ssl", Action::Rollback);
    world.pass(mins(5));
    for host in ["web-a-1", "web-a-2", "web-a-3"] {
        world.repair(&id(host));
    }
    world.wait_for("ssl", "rolled-back");
    assert_eq!(world.count("ssl", "quarantined"), 3);
    assert_eq!(world.count("ssl", "rolled back"), 3);
}

#[test]
fn a_rollback_outlives_a_restart_in_its_middle() {
    let mut world = done();
    world.ask("ssl", Action::Rollback);
    world.until("some are back", |world| {
        world.count("ssl", "rolled back") > 0
    });
    world.crash_owner(Crash::BeforeStore, mins(2));
    world.advance(mins(2));
    world.wait_for("ssl", "rolled-back");
    assert_eq!(patched(&world), 0);
}

#[test]
fn what_was_rolled_back_is_not_started_again_under_its_name() {
    let mut world = done();
    world.ask("ssl", Action::Rollback);
    world.wait_for("ssl", "rolled-back");
    world.try_lift("ssl").unwrap();
    let again = world.try_start(&file("ssl", "openssl", "", WAVES));
    assert!(matches!(
        again,
        Err(NotStarted::Refused(FleetError::RolloutExists(_)))
    ));
    assert!(world.try_ask("ssl", Action::Rollback).is_err());
}

#[test]
fn a_rollout_is_not_taken_back_where_a_later_one_changed_the_same() {
    let mut world = done();
    world.start(&file("next", "openssl", "", AT_ONCE));
    let refusal = world.try_ask("ssl", Action::Rollback).unwrap_err();
    assert!(
        matches!(refusal, FleetError::Conflict { .. }),
        "{refusal:?}"
    );

    world.wait_for("next", "done");
    refuses_superseded(&mut world);

    world.ask("next", Action::Rollback);
    world.wait_for("next", "rolled-back");
    world.ask("ssl", Action::Rollback);
    world.wait_for("ssl", "rolled-back");
    assert_eq!(patched(&world), 0);
}

#[test]
fn a_rollback_is_paused_and_goes_on_where_it_stopped() {
    let mut world = done();
    world.ask("ssl", Action::Rollback);
    world.until("some are back", |world| {
        world.count("ssl", "rolled back") > 0
    });
    world.ask("ssl", Action::Pause);
    world.pass(mins(30));
    let back = world.count("ssl", "rolled back");
    assert!(back < 6, "{back} are back");
    assert!(
        world
            .rules()
            .iter()
            .all(|rule| matches!(*rule, "paused" | "stopped"))
    );

    world.pass(mins(60));
    assert_eq!(world.count("ssl", "rolled back"), back);
    assert!(world.try_ask("ssl", Action::Abort).is_err());
    world.crash_owner(Crash::BeforeSend, secs(5));
    world.pass(mins(5));
    assert_eq!(world.phase("ssl"), "paused");
    world.ask("ssl", Action::Resume);
    assert_eq!(world.phase("ssl"), "rolling-back");
    world.wait_for("ssl", "rolled-back");
    assert_eq!(patched(&world), 0);
}

#[test]
fn a_rollback_has_a_pace_of_its_own() {
    let cases = [
        ("at_once_per_cell = 1\n", 1),
        (
            "at_once_per_cell = 1\nrollback = { at_once_per_cell = 2 }\n",
            2,
        ),
        ("rollback = { at_once_per_cell = 50 }\n", 3),
        ("rollback = { start_spacing = \"10m\" }\n", 1),
    ];
    for (top, expected) in cases {
        let mut world = World::new().hosts("web", "r1/a", 6);
        let tables = AT_ONCE.to_owned() + &floor("50%");
        world.start(&file("ssl", "openssl", top, &tables));
        world.wait_for("ssl", "done");
        world.ask("ssl", Action::Rollback);
        world.advance(secs(1));
        assert_eq!(world.count("ssl", "running"), expected, "{top}");
        world.wait_for("ssl", "rolled-back");
    }
}

#[test]
fn what_a_later_rollout_changed_on_some_hosts_is_taken_back_from_the_others_alone() {
    let mut world = done();
    begin_later(&mut world, "next");
    world.ask("ssl", Action::Rollback);
    world.wait_for("ssl", "rolled-back");

    assert_eq!(world.count("ssl", "rolled back"), 4);
    assert_eq!(world.outcome("ssl", &id("web-a-1")), "passed");
}

#[test]
fn what_was_left_to_a_later_rollout_may_be_taken_back_once_that_one_was() {
    let mut world = done();
    begin_later(&mut world, "next");
    world.ask("ssl", Action::Rollback);
    world.wait_for("ssl", "rolled-back");
    refuses_superseded(&mut world);

    world.ask("next", Action::Rollback);
    world.wait_for("next", "rolled-back");
    assert_eq!(patched(&world), 2);
    world.ask("ssl", Action::Rollback);
    world.wait_for("ssl", "rolled-back");
    assert_eq!(patched(&world), 0);
    let refusal = world.try_ask("ssl", Action::Rollback).unwrap_err();
    assert!(matches!(refusal, FleetError::Rollout(_)), "{refusal:?}");
}

#[test]
fn a_rollback_waits_for_what_a_later_one_brings_back_and_goes_on_with_it() {
    let mut world = done();
    begin_later(&mut world, "next");
    world.ask("ssl", Action::Rollback);
    world.ask("next", Action::Rollback);
    world.wait_for("next", "rolled-back");
    assert_ne!(world.phase("ssl"), "rolled-back");
    world.wait_for("ssl", "rolled-back");
    assert_eq!(world.count("ssl", "rolled back"), 6);
    assert_eq!(patched(&world), 0);
}

#[test]
fn a_later_rollout_is_taken_back_although_an_earlier_rollback_waits_for_a_dead_host() {
    let mut world = done();
    begin_later(&mut world, "next");
    world.crash_agent(&id("web-a-6"), Boots::Same, None);
    world.pass(secs(60));
    world.ask("ssl", Action::Rollback);
    world.pass(mins(10));
    world.ask("next", Action::Rollback);
    world.wait_for("next", "rolled-back");
    world.pass(mins(10));
    assert_eq!(world.count("ssl", "rolled back"), 5);
    assert_eq!(patched(&world), 1);
}

/// All that is left to take back is as a later rollout made it.
fn refuses_superseded(world: &mut World) {
    let refusal = world.try_ask("ssl", Action::Rollback).unwrap_err();
    assert!(
        matches!(refusal, FleetError::Superseded { .. }),
        "{refusal:?}"
    );
}

/// The same change once more on two hosts, by a later rollout.
fn begin_later(world: &mut World, name: &str) {
    let first = r#"match = 'service == "web" and host in ("web-a-1", "web-a-2")'"#;
    let whole = r#"match = 'service == "web"'"#;
    let tables = AT_ONCE.to_owned() + &floor("50%");
    let later = file(name, "openssl", "", &tables).replace(whole, first);
    world.start(&later);
    world.wait_for(name, "done");
}

#[test]
fn another_rollout_takes_hosts_that_are_back_while_one_is_awaited() {
    let mut world = done();
    world.cut(&id("web-a-5"));
    world.ask("ssl", Action::Rollback);
    world.until("the others are back", |world| {
        world.count("ssl", "rolled back") == 5
    });
    world.try_lift("ssl").unwrap();
    let tables = AT_ONCE.to_owned() + &floor("50%");
    let all = file("next", "openssl", "", &tables);
    let Err(NotStarted::Refused(refused)) = world.try_start(&all) else {
        panic!("it must be refused");
    };
    let said = refused.to_string();
    let why = "rollout ssl is taken back, and package openssl has yet to go back on web-a-5: wait";
    assert!(said.starts_with(why), "{said}");
    let whole = r#"match = 'service == "web"'"#;
    let others = r#"match = 'service == "web" and host != "web-a-5"'"#;
    world.start(&all.replace(whole, others));
    world.wait_for("next", "done");
    assert_eq!(world.phase("ssl"), "rolling-back");

    world.mend(&id("web-a-5"));
    world.wait_for("ssl", "rolled-back");
}

#[test]
fn a_preview_says_what_a_rollback_would_do_and_does_nothing() {
    let mut world = done();
    world.cut(&id("web-a-5"));
    world.pass(mins(2));
    let fleet = &world.owner.fleet;
    let by = OperatorId::new("anna").unwrap();
    let rollout = RolloutId::new("ssl").unwrap();
    let preview = fleet.preview_rollback(&rollout, &by, world.now).unwrap();

    assert_eq!(preview.cells.values().sum::<usize>(), 5);
    assert_eq!(preview.not_now, [(id("web-a-5"), NotTakenBack::Away)]);
    assert!(preview.at_most > mins(15) && preview.at_most < mins(120));
    assert_eq!(world.phase("ssl"), "done");
}
