//! How fast a cell starts its hosts, in which order, and which it leaves alone.

use super::{AT_ONCE, WAVES, floor, mins, secs};
use crate::world::{Boots, Crash, Step, World, fails, file, id};
use cofferdam_engine::{failure::FailureKind, id::HostId, time::Timestamp};

/// A cell of five in which one host has been patched: no stratum waits for a first any more.
fn proved(top: &str) -> World {
    let mut world = World::new().hosts("web", "r1/a", 5);
    let waves = AT_ONCE.to_owned() + &floor("0%");
    let canary = "[[wave]]\nname = \"canary\"\nhosts = 1\n".to_owned();
    world.start(&file("ssl", "openssl", top, &(canary + &waves)));
    world.until("the canary bakes", |world| {
        world.rollout("ssl").bake_since().is_some()
    });
    world
}

fn start_of(world: &World, host: &str) -> Timestamp {
    let mut orders = world.orders().filter(|(_, order)| order.host == id(host));
    orders.next().expect("it was ordered").0
}

/// A host that the canary did not take.
fn another(world: &World) -> HostId {
    let hosts = world.turns("ssl", 1);
    hosts.last().expect("the wave has hosts").clone()
}

#[test]
fn a_host_that_rebooted_is_left_alone_for_a_while() {
    let mut world = proved("grace = \"5m\"\nbake = \"10m\"");
    let host = another(&world);
    world.pass(mins(9));
    world.crash_agent(&host, Boots::Anew, Some(secs(5)));
    let back = world.now.after(secs(5));
    world.until("the others run", |world| world.count("ssl", "passed") == 4);
    assert!(world.rules().contains(&"grace"));
    world.wait_for("ssl", "done");

    assert!(start_of(&world, host.as_str()) >= back.after(mins(5)));
}

#[test]
fn a_host_that_connects_again_is_left_alone_for_a_while() {
    let mut world = proved("grace = \"5m\"\nbake = \"10m\"");
    let host = another(&world);
    world.pass(mins(9));
    world.break_session(&host);
    let broke = world.now;
    world.wait_for("ssl", "done");

    assert!(start_of(&world, host.as_str()) >= broke.after(mins(5)));
}

#[test]
fn a_host_that_flaps_is_left_alone_from_its_last_change() {
    let mut world = proved("grace = \"5m\"\nbake = \"10m\"");
    let host = another(&world);
    world.pass(mins(6));
    world.fall(&host);
    world.pass(mins(3));
    world.repair(&host);
    let well = world.now;
    world.wait_for("ssl", "done");

    assert!(start_of(&world, host.as_str()) >= well.after(mins(5)));
}

#[test]
fn a_failure_halves_what_is_out_at_once_and_passes_take_it_back() {
    let mut world = World::new().hosts("web", "r1/a", 12);
    let tables = AT_ONCE.to_owned() + &floor("0%");
    let canary = "[[wave]]\nname = \"canary\"\nhosts = 1\n".to_owned();
    let top = "at_once_per_cell = 4\nbrake = { cell_share = \"60%\" }\nhosts_left_out = \"50%\"";
    world.start(&file("ssl", "openssl", top, &(canary + &tables)));
    world.until("the canary bakes", |world| {
        world.rollout("ssl").bake_since().is_some()
    });
    let first = world.turns("ssl", 1).remove(0);
    world
        .model
        .set(&first, Step::Apply, fails(FailureKind::Unhealthy), None);
    world.until("it failed", |world| {
        world.outcome("ssl", &first) == "failed"
    });
    world.until("it holds", |world| world.rules().contains(&"slow-down"));
    let mut reasons = world.holds().iter().map(|hold| hold.reason.to_string());
    assert!(
        reasons.any(|reason| reason.ends_with("2 instead of 4 may be after failures (slow_down)"))
    );
    world.until("four are out again", |world| world.ledger().len() == 4);
    assert!(world.count("ssl", "passed") >= 3);
    world.wait_for("ssl", "done");
    assert_eq!(world.count("ssl", "passed"), 11);
}

#[test]
fn hosts_that_failed_before_start_last_in_later_rollouts() {
    let mut world = World::new().hosts("web", "r1/a", 6);
    let tables = WAVES.to_owned() + &floor("0%");
    let top = "hosts_left_out = \"50%\"\nbrake = { cell_share = \"60%\" }";
    world.always("web-a-3", Step::Apply, fails(FailureKind::Unhealthy));
    world.start(&file("ssl", "openssl", top, &tables));
    world.wait_for("ssl", "done");
    assert_eq!(world.outcome("ssl", &id("web-a-3")), "failed");
    let (_, member) = world.owner.fleet.host(&id("web-a-3")).expect("it is there");
    assert_eq!(member.failed_runs, 1);

    world.model.clear();
    let tables = AT_ONCE.to_owned() + &floor("0%");
    let top = "at_once_per_cell = 1";
    world.start(&file("again", "curl", top, &tables));
    world.crash_owner(Crash::BeforeSend, secs(3));
    world.wait_for("again", "done");
    let last = world.orders().last().expect("there were orders");
    assert_eq!(last.1.host, id("web-a-3"));
}
