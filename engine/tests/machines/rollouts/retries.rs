//! What is tried again, and when.

use super::{AT_ONCE, floor, names, secs};
use crate::world::{Step, World, fails, file, id};
use cofferdam_engine::{failure::FailureKind, id::HostId, order::Order, time::Timestamp};

fn five(top: &str) -> World {
    let mut world = World::new().hosts("web", "r1/a", 5);
    let tables = AT_ONCE.to_owned() + &floor("75%");
    world.start(&file("ssl", "openssl", top, &tables));
    world
}

fn orders_to(world: &World, host: &str) -> Vec<(Timestamp, Order)> {
    let orders = world.orders().filter(|(_, order)| order.host == id(host));
    orders.map(|(at, order)| (at, order.clone())).collect()
}

#[test]
fn a_failure_that_may_pass_is_tried_once_more_after_a_wait() {
    let mut world = five("");
    world.once("web-a-2", Step::Apply, fails(FailureKind::Network));
    world.wait_for("ssl", "done");

    assert_eq!(world.count("ssl", "passed"), 5);
    let orders = orders_to(&world, "web-a-2");
    let attempts: Vec<u32> = orders.iter().map(|(_, order)| order.attempt).collect();
    assert_eq!(attempts, [1, 2]);
    assert!(orders[1].0.since(orders[0].0) > secs(60), "retry_backoff");
}

#[test]
fn the_last_try_is_a_failure() {
    let mut world = five("");
    world.always("web-a-2", Step::Apply, fails(FailureKind::Locked));
    world.wait_for("ssl", "done");

    assert_eq!(names(&world.hosts_that_are("ssl", "failed")), ["web-a-2"]);
    assert_eq!(orders_to(&world, "web-a-2").len(), 2);
}

#[test]
fn other_failures_and_silence_are_not_tried_again() {
    let mut world = five("");
    world.once("web-a-2", Step::Verify, fails(FailureKind::Unhealthy));
    world.wait_for("ssl", "done");

    assert_eq!(names(&world.hosts_that_are("ssl", "failed")), ["web-a-2"]);
    assert_eq!(orders_to(&world, "web-a-2").len(), 1);
}

#[test]
fn a_further_try_comes_after_the_first_tries_of_others() {
    let mut world = five("retry_backoff = \"1s\"");
    let turns = world.turns("ssl", 0);
    world.wait_until_host_is("ssl", turns[0].as_str(), "passed");
    world.once(turns[1].as_str(), Step::Apply, fails(FailureKind::DiskFull));
    world.wait_for("ssl", "done");

    let hosts: Vec<HostId> = world.orders().map(|(_, o)| o.host.clone()).collect();
    assert_eq!(hosts.len(), 6);
    assert_eq!(hosts.last(), Some(&turns[1]), "{hosts:?}");
}

#[test]
fn staging_is_tried_again_and_then_leaves_the_host_out() {
    let mut world = World::new().hosts("web", "r1/a", 5);
    world.once("web-a-2", Step::Stage, fails(FailureKind::Network));
    world.always("web-a-3", Step::Stage, fails(FailureKind::Network));
    world.once("web-a-4", Step::Stage, fails(FailureKind::NoWayBack));
    let tables = AT_ONCE.to_owned() + &floor("75%");
    let top = "hosts_left_out = \"50%\"";
    world.start(&file("ssl", "openssl", top, &tables));
    world.wait_for("ssl", "done");

    assert_eq!(
        names(&world.hosts_that_are("ssl", "left out")),
        ["web-a-3", "web-a-4"]
    );
    assert_eq!(world.count("ssl", "passed"), 3);
    assert!(
        orders_to(&world, "web-a-3").is_empty(),
        "nothing was drained for it"
    );
}

#[test]
fn a_run_that_is_undone_uses_no_try_and_each_further_one_waits_longer() {
    let mut world = five("");
    world
        .model
        .set(&id("web-a-2"), Step::Drain, fails(FailureKind::Io), Some(3));
    world.wait_for("ssl", "done");

    let orders = orders_to(&world, "web-a-2");
    assert!(orders.iter().all(|(_, order)| order.attempt == 1));
    let waits: Vec<_> = orders.windows(2).map(|p| p[1].0.since(p[0].0)).collect();
    assert_eq!(waits.len(), 3);
    assert!(waits.is_sorted(), "{waits:?}");
    assert_eq!(world.count("ssl", "passed"), 5);
}

#[test]
fn a_host_that_can_never_be_drained_is_left_out_in_the_end() {
    let mut world = five("");
    world.always("web-a-2", Step::Drain, fails(FailureKind::Io));
    world.wait_for("ssl", "done");

    assert_eq!(names(&world.hosts_that_are("ssl", "left out")), ["web-a-2"]);
    assert_eq!(world.count("ssl", "passed"), 4);
}
