//! Hosts that go before or after the others of their wave.

use super::{AT_ONCE, WAVES, floor, names, secs};
use crate::world::{Step, World, fails, file, id};
use cofferdam_engine::{failure::FailureKind, id::HostId, rollout::Action};

/// A dozen hosts, two validators, and two of the patcher's own hosts, in two regions.
fn world() -> World {
    let mut world = World::new();
    for place in ["r1/a", "r2/c"] {
        world.add_hosts("web", place, "plain", 4);
        world.add_hosts("web", place, "large", 2);
        world.add_marked("validator", place, 1);
        world.add_marked("patcher", place, 1);
    }
    world.pass(secs(1));
    world
}

/// Every host that was ordered, in order.
fn ordered(world: &World) -> Vec<HostId> {
    world
        .orders()
        .map(|(_, order)| order.host.clone())
        .collect()
}

#[test]
fn validators_go_first_then_one_box_and_the_patchers_own_hosts_last() {
    let mut world = world();
    let canary = "[[wave]]\nname = \"canary\"\nhosts = 6\n".to_owned();
    let tables = canary + AT_ONCE + &floor("50%");
    world.start(&file("ssl", "openssl", "order = \"fan-out\"", &tables));
    world.until("the first box runs", |world| ordered(world).len() == 3);
    assert_eq!(
        world.count("ssl", "passed"),
        2,
        "when the validators have passed"
    );
    assert!(world.rules().contains(&"canary-turn"));
    world.wait_for("ssl", "done");

    let ordered = ordered(&world);
    let mut first = names(&ordered[..2]);
    first.sort_unstable();
    assert_eq!(first, ["validator-a-1", "validator-c-1"]);
    let mut last = names(&ordered[14..]);
    last.sort_unstable();
    assert_eq!(last, ["patcher-a-1", "patcher-c-1"]);
    assert_eq!(world.count("ssl", "passed"), 16);
}

#[test]
fn the_patchers_own_hosts_go_one_at_a_time() {
    let mut world = world();
    let tables = AT_ONCE.to_owned() + &floor("50%");
    world.start(&file("ssl", "openssl", "order = \"fan-out\"", &tables));
    world.until("one of them runs", |world| ordered(world).len() == 15);
    assert_eq!(world.count("ssl", "passed"), 14);
    assert_eq!(
        world
            .rules()
            .iter()
            .filter(|rule| **rule == "patcher-turn")
            .count(),
        1
    );
    world.until("the other runs", |world| ordered(world).len() == 16);
    assert_eq!(world.count("ssl", "passed"), 15);
    world.wait_for("ssl", "done");
}

#[test]
fn the_patchers_own_hosts_are_not_asked_for_a_second_opinion_while_others_are_left() {
    let mut world = World::new().hosts("web", "r1/a", 4).hosts("web", "r1/b", 4);
    world.add_marked("patcher", "r3/p", 2);
    world.pass(secs(1));
    let tables = AT_ONCE.to_owned() + &floor("50%");
    world.bad_for("");
    world.start(&file("ssl", "openssl", "order = \"fan-out\"", &tables));
    world.wait_for("ssl", "paused");
    let ordered = ordered(&world);
    assert!(ordered.len() >= 2, "a second opinion was asked");
    for host in ordered {
        assert!(!host.as_str().starts_with("patcher"), "{host}");
    }
}

#[test]
fn a_patcher_of_an_unknown_cell_keeps_no_other_waiting() {
    let mut world = World::new();
    for place in ["r1/a", "r2/c"] {
        world.add_hosts("web", place, "plain", 12);
        world.add_marked("patcher", place, 1);
    }
    world.pass(secs(1));
    let top = "order = \"fan-out\"\nunknown_after = \"1m\"\nunknown_share = \"90%\"";
    let canary = "[[wave]]\nname = \"canary\"\nto = \"1%\"\n".to_owned();
    let tables = canary + AT_ONCE + &floor("50%");
    world.start(&file("ssl", "openssl", top, &tables));
    world.wait_until_host_is("ssl", "web-c-12", "passed");
    world.until("a patcher may go", |world| {
        let ordered = ordered(world);
        ordered
            .iter()
            .any(|host| host.as_str().starts_with("patcher"))
    });
    let first = ordered(&world).pop().unwrap();
    let cell = world.owner.fleet.homes()[&first].clone();
    world.cut_cell(&cell);
    let other = if first.as_str() == "patcher-a-1" {
        "patcher-c-1"
    } else {
        "patcher-a-1"
    };
    world.wait_until_host_is("ssl", other, "passed");
}

#[test]
fn a_validator_that_fails_is_asked_for_a_second_opinion_before_the_rest_goes_on() {
    let mut world = world();
    world.always("validator-c-1", Step::Verify, fails(FailureKind::Unhealthy));
    let tables = WAVES.to_owned() + &floor("50%");
    world.start(&file("ssl", "openssl", "order = \"fan-out\"", &tables));
    world.wait_for("ssl", "done");
    assert_eq!(world.count("ssl", "passed"), 15);
    assert_eq!(
        names(&world.hosts_that_are("ssl", "failed")),
        ["validator-c-1"]
    );
}

#[test]
fn a_rollout_that_was_paused_keeps_the_turns_of_its_hosts() {
    let mut world = world();
    let tables = AT_ONCE.to_owned() + &floor("50%");
    world.start(&file("ssl", "openssl", "order = \"fan-out\"", &tables));
    for left in [15, 8, 3, 1] {
        world.until("some are left", |world| {
            world.count("ssl", "passed") >= 16 - left
        });
        world.ask("ssl", Action::Pause);
        world.pass(secs(60));
        world.ask("ssl", Action::Resume);
    }
    world.wait_for("ssl", "done");
    let last = ordered(&world).pop();
    assert!(last.is_some_and(|host| host.as_str().starts_with("patcher")));
    assert_eq!(world.outcome("ssl", &id("patcher-a-1")), "passed");
}
