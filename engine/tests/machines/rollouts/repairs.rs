//! Casualties are made whole again by a rollout that says that it is a repair, and left alone by others.

use super::{AT_ONCE, floor, mins, names, secs};
use crate::world::{Boots, Does, NotStarted, Step, World, fails, file, id};
use cofferdam_engine::{
    failure::FailureKind,
    rollout::Action,
    run::{Ending, RunState},
};

const REPAIR: &str = "repair = true\n";

/// Eight hosts of which one may be out, and that one is quarantined.
fn with_one_quarantined() -> World {
    let mut world = World::new().hosts("web", "r1/a", 8);
    world.once("web-a-2", Step::Verify, fails(FailureKind::Unhealthy));
    world.once("web-a-2", Step::RollBack, fails(FailureKind::Io));
    let first = file("ssl", "openssl", "", &tables());
    world.start(&first.replace("service == \"web\"", "host == \"web-a-2\""));
    world.wait_for("ssl", "done");
    assert_eq!(world.ledger(), [(id("web-a-2"), "casualty")]);
    world
}

fn tables() -> String {
    AT_ONCE.to_owned() + &floor("90%")
}

/// A rollout of another package for the quarantined host alone.
fn for_one(top: &str) -> String {
    file("mend", "curl", top, &tables()).replace("service == \"web\"", "host == \"web-a-2\"")
}

fn is_quarantined(world: &World) -> bool {
    let run = world.state_of("web-a-2");
    run == Some(RunState::Ended(Ending::Quarantined)) && !world.agents[&id("web-a-2")].in_service()
}

#[test]
fn a_quarantined_host_is_left_alone_by_a_rollout_that_is_no_repair() {
    let mut world = with_one_quarantined();
    world.start(&for_one(""));
    world.wait_for("mend", "done");
    assert_eq!(world.outcome("mend", &id("web-a-2")), "left out");
    assert!(is_quarantined(&world));
    assert_eq!(world.ledger(), [(id("web-a-2"), "casualty")]);
}

#[test]
fn a_repair_that_passes_makes_the_host_whole_and_takes_nobody_more_out() {
    let mut world = with_one_quarantined();
    world.start(&for_one(REPAIR));
    world.wait_for("mend", "done");
    assert_eq!(world.outcome("mend", &id("web-a-2")), "passed");
    assert!(world.agents[&id("web-a-2")].in_service());
    assert!(world.ledger().is_empty());
    assert!(world.unfinished().is_empty());
    let (_, member) = world.owner.fleet.host(&id("web-a-2")).unwrap();
    assert!(member.in_service);
}

#[test]
fn zones_that_are_in_trouble_together_are_repaired() {
    let mut world = World::new().hosts("web", "r1/a", 4).hosts("web", "r1/b", 4);
    for host in ["web-a-1", "web-a-2", "web-b-1", "web-b-2"] {
        world.fall(&id(host));
    }
    world.pass(secs(5));
    let tables = AT_ONCE.to_owned() + &floor("75%");
    world.start(&file("mend", "curl", REPAIR, &tables));
    world.wait_for("mend", "done");
    assert_eq!(world.count("mend", "passed"), 4);
    assert!(world.ledger().is_empty());
}

#[test]
fn a_host_that_nothing_stands_in_for_is_repaired_without_anybody_to_say_yes() {
    let mut world = World::new().hosts("lone", "r1/a", 1);
    world.fall(&id("lone-a-1"));
    world.pass(secs(5));
    let mend = file("mend", "curl", REPAIR, &tables());
    world.start(&mend.replace("service == \"web\"", "service == \"lone\""));
    world.wait_for("mend", "done");
    assert_eq!(world.count("mend", "passed"), 1);
}

#[test]
fn a_repair_takes_those_that_are_out_and_no_others() {
    let mut world = with_one_quarantined();
    world.start(&file("mend", "curl", REPAIR, &tables()));
    world.add_hosts("web", "r1/a", "late", 1);
    world.wait_for("mend", "done");
    assert_eq!(names(&world.hosts_that_are("mend", "passed")), ["web-a-2"]);
    assert_eq!(world.rollout("mend").plan().hosts.len(), 1);

    let again = file("again", "curl", REPAIR, &tables());
    let Err(NotStarted::NoPlan(errors)) = world.try_start(&again) else {
        panic!("nothing is out");
    };
    assert!(errors.to_string().contains("nothing to repair"), "{errors}");
}

#[test]
fn a_repair_that_is_stopped_before_apply_leaves_the_host_quarantined() {
    for state in [RunState::Claiming, RunState::Draining, RunState::Drained] {
        let mut world = with_one_quarantined();
        world.start(&for_one(REPAIR));
        world.until("its repair is under way", |world| {
            world.state_of("web-a-2") == Some(state)
        });
        world.ask("mend", Action::Pause);
        world.pass(mins(5));
        assert!(is_quarantined(&world), "{state}");
        assert_eq!(world.ledger(), [(id("web-a-2"), "casualty")], "{state}");
        assert_eq!(world.outcome("mend", &id("web-a-2")), "waiting", "{state}");

        world.ask("mend", Action::Resume);
        world.wait_for("mend", "done");
        assert_eq!(world.outcome("mend", &id("web-a-2")), "passed", "{state}");
        assert!(world.ledger().is_empty());
    }
}

#[test]
fn a_host_that_dies_under_its_repair_never_says_that_it_serves() {
    let mut world = with_one_quarantined();
    world.start(&for_one(REPAIR));
    world.until("it claims", |world| {
        world.state_of("web-a-2") == Some(RunState::Claiming)
    });
    world.crash_agent(&id("web-a-2"), Boots::Anew, Some(mins(10)));
    world.pass(mins(30));
    let (cell, member) = world.owner.fleet.host(&id("web-a-2")).unwrap();
    let is_whole = world.outcome("mend", &id("web-a-2")) == "passed";
    assert_eq!(is_whole, member.in_service);
    assert_eq!(is_whole, !cell.ledger().holds(&id("web-a-2")));
}

#[test]
fn a_repair_that_fails_ends_quarantined_again() {
    let mut world = with_one_quarantined();
    world.once("web-a-2", Step::Verify, fails(FailureKind::Unhealthy));
    world.once(
        "web-a-2",
        Step::VerifyRollback,
        fails(FailureKind::Unhealthy),
    );
    world.start(&for_one(REPAIR));
    world.wait_for("mend", "done");
    assert_eq!(
        names(&world.hosts_that_are("mend", "quarantined")),
        ["web-a-2"]
    );
    assert_eq!(world.ledger(), [(id("web-a-2"), "casualty")]);
}

#[test]
fn a_host_that_fell_by_itself_is_repaired() {
    let mut world = World::new().hosts("web", "r1/a", 8);
    world.fall(&id("web-a-2"));
    world.pass(secs(1));
    world.start(&for_one(REPAIR));
    world.wait_for("mend", "done");
    world.pass(secs(10));
    assert_eq!(world.outcome("mend", &id("web-a-2")), "passed");
    assert!(world.ledger().is_empty());
}

#[test]
fn a_casualty_at_its_old_run_stays_out_when_it_refuses_its_repair() {
    let mut world = World::new().hosts("web", "r1/a", 8);
    world.always("web-a-2", Step::Apply, Does::Hangs);
    let first = file("ssl", "openssl", "late_deadline = \"20s\"\n", &tables());
    let first = first.replace("service == \"web\"", "host == \"web-a-2\"");
    world.start(&first.replace("[patch]", "[patch]\nreboot = \"never\""));
    world.wait_for("ssl", "done");
    assert_eq!(world.outcome("ssl", &id("web-a-2")), "silent");
    world.start(&for_one(REPAIR));
    world.pass(secs(30));
    assert_eq!(world.ledger(), [(id("web-a-2"), "casualty")]);
    world.wait_for("mend", "done");
    world.pass(mins(60));
    assert!(world.unfinished().is_empty(), "{:?}", world.unfinished());
}
