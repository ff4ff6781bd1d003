//! In which order regions, zones and cells open.

use super::{AT_ONCE, mins, secs};
use crate::world::{World, file};
use cofferdam_engine::{fleet::FleetEvent, rollout::RolloutEvent, time::Timestamp};

/// Four regions of which one has two zones.
fn world() -> World {
    let mut world = World::new();
    for (place, count) in [
        ("sa/s", 2),
        ("us/u", 4),
        ("us/v", 3),
        ("eu/e", 3),
        ("ap/p", 3),
    ] {
        world.add_hosts("web", place, "plain", count);
    }
    world.pass(secs(1));
    world
}

/// When each cell was first given leave to start more than hosts that go ahead, in order, by the zone
/// in its name.
fn openings(world: &World) -> Vec<(String, Timestamp)> {
    let order = &world.rollout("ssl").plan().waves[0].order;
    let mut opened: Vec<(String, Timestamp)> = Vec::new();
    for (at, event) in &world.owner.log {
        let FleetEvent::Rollout { event, .. } = event else {
            continue;
        };
        let RolloutEvent::Warranted { warrant, .. } = event else {
            continue;
        };
        if warrant.hosts.iter().all(|host| order.names(host)) {
            continue;
        }
        let name = warrant.cell.to_string();
        if !opened.iter().any(|(other, _)| *other == name) {
            opened.push((name, *at));
        }
    }
    opened
}

#[test]
fn a_rollout_opens_the_first_region_then_the_largest_then_all_others() {
    let mut world = world();
    world.start(&file("ssl", "openssl", "order = \"fan-out\"", AT_ONCE));
    world.wait_for("ssl", "done");

    let opened = openings(&world);
    let names: Vec<_> = opened.iter().map(|(cell, _)| cell.as_str()).collect();
    assert_eq!(names, ["sa-s-1", "us-v-1", "us-u-1", "ap-p-1", "eu-e-1"]);
    assert_eq!(opened[3].1, opened[4].1, "side by side");
}

#[test]
fn a_fan_opens_regions_in_its_turns() {
    let mut world = world();
    let top = "order = \"fan-out\"\nfan = [[\"eu\", \"us\"], [\"rest\"]]";
    world.start(&file("ssl", "openssl", top, AT_ONCE));
    world.wait_for("ssl", "done");

    let opened = openings(&world);
    let names: Vec<_> = opened.iter().map(|(cell, _)| cell.as_str()).collect();
    assert_eq!(names, ["eu-e-1", "us-v-1", "us-u-1", "sa-s-1", "ap-p-1"]);
    assert_eq!(opened[3].1, opened[4].1, "side by side");
    assert!(opened[1].1 < opened[2].1, "one zone at a time");
}

#[test]
fn the_next_zone_of_a_region_waits_for_the_bake_of_the_one_before() {
    let mut world = world();
    let top = "order = \"fan-out\"\nfan = [[\"rest\"]]\nzone_bake = \"20m\"";
    world.start(&file("ssl", "openssl", top, AT_ONCE));
    world.until("the first zone bakes", |world| {
        world.rules().contains(&"zone-bake")
    });
    let began = world.now;
    world.pass(mins(19));
    assert_eq!(world.count("ssl", "passed"), 11);
    let hold = world
        .holds()
        .iter()
        .find(|hold| hold.reason.rule() == "zone-bake")
        .unwrap();
    assert_eq!(hold.reason.until(), Some(began.after(mins(20))));
    world.wait_for("ssl", "done");
    assert_eq!(world.count("ssl", "passed"), 15);
}
