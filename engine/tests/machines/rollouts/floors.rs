//! What must stay in service stays in service.

use super::{AT_ONCE, WAVES, floor, mins, names, secs};
use crate::world::{Does, Step, World, fails, file, id};
use cofferdam_engine::{failure::FailureKind, rollout::Action};

/// The most hosts that were not in service at once, until a rollout is over.
fn most_out(world: &mut World, rollout: &str) -> usize {
    let mut most = 0;
    while world.rollout(rollout).is_live() {
        world.pass(secs(1));
        let out = world.agents.values().filter(|agent| !agent.in_service());
        most = most.max(out.count());
    }
    most
}

#[test]
fn no_more_of_a_group_are_out_than_its_floor_allows() {
    for (share, allowed) in [("50%", 4), ("75%", 2), ("90%", 1)] {
        let mut world = World::new().hosts("web", "r1/a", 8);
        let tables = AT_ONCE.to_owned() + &floor(share);
        world.start(&file("ssl", "openssl", "", &tables));
        assert_eq!(most_out(&mut world, "ssl"), allowed, "{share}");
        assert_eq!(world.count("ssl", "passed"), 8);
    }
}

#[test]
fn a_host_that_fell_by_itself_takes_up_the_allowance() {
    let mut world = World::new().hosts("web", "r1/a", 8);
    world.fall(&id("web-a-8"));
    world.pass(secs(1));
    let tables = AT_ONCE.to_owned() + &floor("90%");
    world.start(&file("ssl", "openssl", "", &tables));
    world.pass(mins(1));

    assert_eq!(world.orders().count(), 0);
    assert!(world.rules().contains(&"floor"));

    world.repair(&id("web-a-8"));
    world.wait_for("ssl", "done");
}

#[test]
fn a_host_that_falls_after_the_order_is_a_reason_to_say_no() {
    let mut world = World::new().hosts("web", "r1/a", 4);
    let tables = AT_ONCE.to_owned() + &floor("75%");
    world.start(&file("ssl", "openssl", "", &tables));
    let last = world.turns("ssl", 0).pop().unwrap();
    world.until("an order is out", |world| world.orders().count() > 0);
    world.fall(&last);
    world.pass(secs(5));

    assert_eq!(world.ledger(), [(last.clone(), "casualty")]);
    world.repair(&last);
    world.wait_for("ssl", "done");
    assert_eq!(world.count("ssl", "passed"), 4);
}

#[test]
fn two_rollouts_share_the_floor_of_one_cell() {
    let mut world = World::new().hosts("web", "r1/a", 8);
    let tables = AT_ONCE.to_owned() + &floor("75%");
    world.start(&file("ssl", "openssl", "", &tables));
    world.start(&file("web", "curl", "", &tables));

    assert!(most_out(&mut world, "ssl") <= 2);
    assert!(most_out(&mut world, "web") <= 2);
    assert_eq!(world.count("ssl", "passed"), 8);
    assert_eq!(world.count("web", "passed"), 8);
}

#[test]
fn a_quarantined_host_stays_out_until_people_put_it_back() {
    let mut world = World::new().hosts("web", "r1/a", 8);
    world.always("web-a-2", Step::Verify, fails(FailureKind::Unhealthy));
    world.always("web-a-2", Step::RollBack, fails(FailureKind::Io));
    let tables = AT_ONCE.to_owned() + &floor("75%");
    world.start(&file("ssl", "openssl", "", &tables));
    world.wait_for("ssl", "done");
    assert_eq!(
        names(&world.hosts_that_are("ssl", "quarantined")),
        ["web-a-2"]
    );
    assert_eq!(world.ledger(), [(id("web-a-2"), "casualty")]);

    world.repair(&id("web-a-2"));
    world.pass(secs(1));
    assert!(world.ledger().is_empty());
}

#[test]
fn a_group_that_shrank_to_one_is_left_to_people() {
    let mut world = World::new().hosts("web", "r1/a", 2).hosts("web", "r1/b", 4);
    let top = "hosts_left_out = \"50%\"\nlate_join = \"skip\"\n";
    world.start(&file("ssl", "openssl", top, WAVES));
    let in_canary = world.turns("ssl", 0);
    let (first, other) = match in_canary.contains(&id("web-a-1")) {
        true => ("web-a-1", "web-a-2"),
        false => ("web-a-2", "web-a-1"),
    };
    world.forget(&id(other));
    world.wait_for("ssl", "done");

    assert_eq!(names(&world.hosts_that_are("ssl", "left out")), [first]);
    assert_eq!(world.count("ssl", "passed"), 4);
}

#[test]
fn the_zones_of_a_region_share_its_token() {
    let mut world = World::new().hosts("web", "r1/a", 4).hosts("web", "r1/b", 4);
    world.start(&file("ssl", "openssl", "", AT_ONCE));
    assert_eq!(most_out(&mut world, "ssl"), 1);
    assert_eq!(world.count("ssl", "passed"), 8);
}

#[test]
fn a_token_does_not_leave_a_cell_whose_host_is_silent() {
    let mut world = World::new().hosts("web", "r1/a", 4).hosts("web", "r1/b", 4);
    world.always("web-a-1", Step::Apply, Does::Dies);
    world.start(&file("ssl", "openssl", "", AT_ONCE));
    world.wait_until_host_is("ssl", "web-a-1", "silent");
    let orders = world.orders().count();
    world.pass(mins(10));
    assert!(
        world
            .rules()
            .iter()
            .any(|rule| ["floor", "token"].contains(rule))
    );
    world.pass(mins(110));

    assert_eq!(
        world.orders().count(),
        orders,
        "the region may have one out"
    );
    world.model.clear();
    world.start_agent(&id("web-a-1"));
    world.wait_until_host_is("ssl", "web-a-1", "passed");
    world.ask("ssl", Action::Resume);
    world.wait_for("ssl", "done");
}

#[test]
fn a_cell_without_a_share_borrows_from_the_large_one() {
    let mut world = World::with_cells_of(10).hosts("web", "r1/a", 12);
    let tables = AT_ONCE.to_owned() + &floor("80%");
    world.start(&file("ssl", "openssl", "", &tables));
    assert_eq!(most_out(&mut world, "ssl"), 2);
    assert_eq!(world.count("ssl", "passed"), 12);
}

#[test]
fn two_rollouts_share_the_tokens_of_a_group() {
    let mut world = World::with_cells_of(3).hosts("web", "r1/a", 9);
    let tables = AT_ONCE.to_owned() + &floor("75%");
    world.start(&file("ssl", "openssl", "", &tables));
    world.start(&file("web", "curl", "", &tables));
    assert!(most_out(&mut world, "ssl") <= 2);
    assert!(most_out(&mut world, "web") <= 2);
    assert_eq!(world.count("ssl", "passed"), 9);
    assert_eq!(world.count("web", "passed"), 9);
}

#[test]
fn nothing_starts_in_a_zone_while_another_of_its_service_and_region_is_in_trouble() {
    let mut world = World::new()
        .hosts("web", "r1/a", 4)
        .hosts("web", "r1/b", 4)
        .hosts("web", "r2/c", 4);
    let floor =
        "[[limits]]\nfloor = [{ group_by = [\"service\", \"zone\"], min_in_service = \"75%\" }]\n";
    for host in ["web-a-1", "web-a-2"] {
        world.fall(&id(host));
    }
    world.pass(secs(5));
    world.start(&file(
        "ssl",
        "openssl",
        "hosts_left_out = \"50%\"\ncoverage = [\"zone\"]",
        &(AT_ONCE.to_owned() + floor),
    ));
    world.pass(secs(60));
    let passed = |world: &World, zone: &str| {
        let hosts = world.hosts_that_are("ssl", "passed");
        hosts
            .iter()
            .filter(|host| host.as_str().contains(zone))
            .count()
    };
    assert_eq!(passed(&world, "-b-"), 0);
    assert_eq!(passed(&world, "-c-"), 4, "another region goes on");
    assert!(world.rules().contains(&"zone-trouble"));

    world.repair(&id("web-a-1"));
    world.until("the other zone is patched", |world| {
        passed(world, "-b-") == 4
    });
    world.repair(&id("web-a-2"));
    world.wait_for("ssl", "done");
    assert_eq!(world.count("ssl", "passed"), 12);
}

#[test]
fn a_zone_that_had_hosts_out_and_back_is_held_to_the_same_allowance() {
    let mut world = World::new().hosts("web", "r1/a", 4).hosts("web", "r1/b", 4);
    for host in ["web-b-1", "web-b-2", "web-b-3", "web-b-4"] {
        world.always(host, Step::Stage, Does::Well(mins(8)));
    }
    let floor =
        "[[limits]]\nfloor = [{ group_by = [\"service\", \"zone\"], min_in_service = \"75%\" }]\n";
    world.start(&file("ssl", "openssl", "", &(AT_ONCE.to_owned() + floor)));
    world.until("one zone is patched, host by host", |world| {
        world.count("ssl", "passed") == 4
    });
    for host in ["web-a-1", "web-a-2"] {
        world.fall(&id(host));
    }
    world.pass(mins(20));
    assert_eq!(world.count("ssl", "passed"), 4);
    assert!(world.rules().contains(&"zone-trouble"));

    world.repair(&id("web-a-1"));
    world.wait_for("ssl", "done");
    assert_eq!(world.count("ssl", "passed"), 8);
}
