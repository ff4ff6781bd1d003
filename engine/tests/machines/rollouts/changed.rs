//! Hosts whose packages change between the plan and their start (promise 9).

use super::{WAVES, mins, secs};
use crate::world::{World, file, rollout_id};
use cofferdam_engine::{cell::CellEvent, fleet::FleetEvent, hold::Reason, id::HostId};

/// What somebody else brought, as versions of openssl and curl: an update between, one of a package that the patch does not name, and what the
/// patch itself brings.
const BETWEEN: [&str; 2] = ["1.5", "1"];
const BESIDE: [&str; 2] = ["1", "7"];
const THERE: [&str; 2] = ["2", "1"];

/// A rollout of openssl 2 over eight hosts that have openssl 1, whose canary bakes.
fn after_the_canary() -> World {
    let mut world = World::new().hosts("web", "r1/a", 8);
    world.start(&file("ssl", "openssl", "bake = \"10m\"", WAVES));
    world.until("the canary bakes", |world| {
        world.count("ssl", "passed") == 1 && world.rules().contains(&"bake")
    });
    world
}

fn stratum_of(world: &World, host: &HostId) -> String {
    let plan = world.rollout("ssl").plan();
    let mut strata = plan.strata_of(host).filter(|of| of.label == "delta");
    strata.next().expect("the host has a delta").to_string()
}

/// The deltas of the orders to a host, as strata are written.
fn ordered(world: &World, host: &HostId) -> Vec<String> {
    let orders = world.orders().filter(|(_, order)| order.host == *host);
    let deltas = orders.map(|(_, order)| order.delta.expect("the order carries a delta"));
    deltas.map(|delta| format!("delta={delta}")).collect()
}

#[test]
fn a_host_that_is_not_what_was_planned_refuses_its_order_and_is_patched_as_what_it_is() {
    let mut world = after_the_canary();
    let host = world.turns("ssl", 1).remove(0);
    let planned = stratum_of(&world, &host);
    world.installs(host.as_str(), BETWEEN);
    world.wait_for("ssl", "done");

    let found = stratum_of(&world, &host);
    assert_ne!(planned, found);
    assert_eq!(ordered(&world, &host), [planned, found]);
    assert_eq!(world.outcome("ssl", &host), "passed");
    let changed = world.rollout("ssl").changed_since_planned();
    assert_eq!(changed.iter().collect::<Vec<_>>(), [&host]);
}

#[test]
fn a_changed_host_that_is_born_anew_is_what_was_assumed_of_it() {
    let mut world = World::new().hosts("web", "r1/a", 8);
    world.start(&file("ssl", "openssl", "standing = true", WAVES));
    let last = world.turns("ssl", 1).pop().expect("the wave has hosts");
    world.installs(last.as_str(), BETWEEN);
    world.break_session(&last);
    world.until("it is taken as what it is", |world| {
        world.rollout("ssl").changed_since_planned().contains(&last)
    });
    world.make_anew(&last);
    world.forget(&last);
    world.wait_until_host_is("ssl", last.as_str(), "passed");

    assert_eq!(*world.rollout("ssl").reborn(), [last].into());
    assert!(world.rollout("ssl").changed_since_planned().is_empty());
}

#[test]
fn hosts_of_a_delta_that_no_host_has_passed_are_tried_one_after_the_other_until_one_has() {
    let mut world = after_the_canary();
    let hosts = world.turns("ssl", 1);
    for host in &hosts {
        world.installs(host.as_str(), BETWEEN);
        world.break_session(host);
    }
    world.pass(secs(60));
    let found = stratum_of(&world, &hosts[0]);
    world.until("one of them is at work", |world| {
        hosts
            .iter()
            .any(|host| world.outcome("ssl", host) == "running")
    });

    let running = hosts
        .iter()
        .filter(|host| world.outcome("ssl", host) == "running");
    assert_eq!(running.count(), 1);
    let waits =
        |reason: &Reason| matches!(reason, Reason::Stratum { stratum, .. } if *stratum == found);
    assert!(world.holds().iter().any(|hold| waits(&hold.reason)));
    world.wait_for("ssl", "done");
    assert!(
        hosts
            .iter()
            .all(|host| ordered(&world, host) == [found.clone()])
    );
}

#[test]
fn what_changes_beside_the_patch_makes_no_other_host_of_one() {
    let mut world = after_the_canary();
    let host = world.turns("ssl", 1).remove(0);
    let planned = stratum_of(&world, &host);
    world.installs(host.as_str(), BESIDE);
    world.break_session(&host);
    world.wait_for("ssl", "done");

    assert_eq!(ordered(&world, &host), [planned]);
    assert!(world.rollout("ssl").changed_since_planned().is_empty());
}

#[test]
fn a_host_that_has_got_the_patch_by_other_means_proves_it_for_nobody_else() {
    let mut world = World::new().hosts("web", "r1/a", 6);
    world.start(&file(
        "ssl",
        "openssl",
        "stable_for = \"1m\"\nstable_for_canary = \"1m\"",
        WAVES,
    ));
    let canary = world.turns("ssl", 0).remove(0);
    let planned = stratum_of(&world, &canary);
    world.installs(canary.as_str(), THERE);
    world.wait_until_host_is("ssl", canary.as_str(), "passed");

    let proved = stratum_of(&world, &canary);
    assert_ne!(planned, proved);
    world.until("a second host is at work", |world| {
        world.count("ssl", "running") > 0
    });
    assert_eq!(world.count("ssl", "running"), 1);
    world.wait_for("ssl", "done");
    assert_eq!(world.count("ssl", "passed"), 6);
}

#[test]
fn where_control_is_not_heard_a_changed_host_is_not_patched_and_its_hold_says_why() {
    let mut world = World::new().hosts("web", "r1/a", 8);
    world.start(&file("ssl", "openssl", "at_once_per_cell = 1", WAVES));
    let hosts = world.turns("ssl", 1);
    let last = hosts.last().expect("the wave has hosts").clone();
    world.wait_until_host_is("ssl", hosts[0].as_str(), "running");
    world.cut_cell_of(&last);
    world.installs(last.as_str(), BETWEEN);
    world.pass(mins(8));

    let says = |reason: &Reason| {
        matches!(reason, Reason::Retry { .. }) && reason.to_string().contains("other packages")
    };
    assert!(
        world.holds().iter().any(|hold| says(&hold.reason)),
        "{:?}",
        world.holds()
    );
    assert!(world.active(&last).is_none());
    world.mend_cell_of(&last);
    world.wait_until_host_is("ssl", last.as_str(), "passed");
    assert_eq!(
        ordered(&world, &last).last(),
        Some(&stratum_of(&world, &last))
    );
}

#[test]
fn the_leave_that_a_cell_has_for_a_host_is_not_for_what_that_has_become() {
    let mut world = World::new().hosts("web", "r1/a", 8);
    world.start(&file("ssl", "openssl", "at_once_per_cell = 1", WAVES));
    let hosts = world.turns("ssl", 1);
    let last = hosts.last().expect("the wave has hosts").clone();
    world.wait_until_host_is("ssl", hosts[0].as_str(), "running");
    let cell = world.cell_of(last.as_str());
    let told = &world.owner.fleet.cells()[&cell].work()[&rollout_id("ssl")];
    let mut assignment = told.assignment.clone();
    assignment.revision += 1;
    let others = assignment.hosts.iter().filter(|host| **host != last);
    assignment.deltas[0].hosts = Some(others.cloned().collect());
    let assignment = Box::new(assignment);
    let event = CellEvent::Assigned { assignment };
    world.act(FleetEvent::Cell { cell, event });
    world.pass(mins(8));

    assert!(
        world.count("ssl", "passed") >= hosts.len(),
        "the others go on"
    );
    assert!(
        ordered(&world, &last).is_empty(),
        "until it is granted anew"
    );
}
