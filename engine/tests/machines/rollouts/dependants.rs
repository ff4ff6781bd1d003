//! A service and its direct dependants are not patched at the same moment.

use super::{floor, mins, secs};
use crate::world::{CHAIN, Step, World, fails, file, id};
use cofferdam_engine::failure::FailureKind;
use std::collections::BTreeSet;

/// Three hosts each of web, api and db, in two zones.
fn chain() -> World {
    World::new()
        .hosts("web", "r1/a", 3)
        .hosts("api", "r1/a", 3)
        .hosts("db", "r1/b", 3)
}

/// A host of each service and kind first, then all others at once.
const TWO_WAVES: &str =
    "[[wave]]\nname = \"canary\"\nto = \"1%\"\n[[wave]]\nname = \"full\"\nto = \"100%\"\n";

fn of_all(name: &str, package: &str, top: &str) -> String {
    let tables = TWO_WAVES.to_owned() + &floor("0%");
    file(name, package, top, &tables).replace("service == \"web\"", "service != \"none\"")
}

/// Every set of services that had hosts out of service at the same moment, until all is over.
fn out_together(world: &mut World, rollouts: &[&str]) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    while rollouts.iter().any(|name| world.rollout(name).is_live()) {
        world.pass(secs(1));
        let out = world.agents.iter().filter(|(_, agent)| !agent.in_service());
        let services: BTreeSet<&str> = out
            .filter_map(|(host, _)| host.as_str().split('-').next())
            .collect();
        seen.insert(services.into_iter().collect::<Vec<_>>().join(" "));
    }
    seen
}

#[test]
fn without_declared_services_all_are_patched_together() {
    let mut world = chain();
    world.start(&of_all("ssl", "openssl", ""));
    assert!(out_together(&mut world, &["ssl"]).contains("api db web"));
}

#[test]
fn neighbours_are_patched_one_after_the_other_and_others_side_by_side() {
    let mut world = chain();
    world.declare(CHAIN);
    world.start(&of_all("ssl", "openssl", ""));
    let together = out_together(&mut world, &["ssl"]);

    assert!(together.contains("db web"), "{together:?}");
    assert!(together.contains("api"), "{together:?}");
    let both = |pair: &str| together.iter().any(|seen| seen.contains(pair));
    assert!(!both("api db") && !both("api web"), "{together:?}");
    assert_eq!(world.count("ssl", "passed"), 9);
}

#[test]
fn two_rollouts_keep_neighbours_apart_as_one_does() {
    let mut world = chain();
    world.declare(CHAIN);
    let of = |service: &str, name: &str, package: &str| {
        let all = of_all(name, package, "");
        all.replace("service != \"none\"", &format!("service == \"{service}\""))
    };
    world.start(&of("web", "front", "openssl"));
    world.start(&of("api", "middle", "curl"));
    let together = out_together(&mut world, &["front", "middle"]);

    assert!(!together.contains("api web"), "{together:?}");
    assert_eq!(world.count("front", "passed"), 3);
    assert_eq!(world.count("middle", "passed"), 3);
}

#[test]
fn services_that_are_declared_in_the_middle_bind_what_runs_already() {
    let mut world = chain();
    let of = |service: &str, name: &str, package: &str| {
        let all = of_all(name, package, "bake = \"1m\"");
        all.replace("service != \"none\"", &format!("service == \"{service}\""))
    };
    world.start(&of("web", "front", "openssl"));
    world.until("one has passed", |world| {
        world.count("front", "passed") == 1
    });
    world.declare(CHAIN);
    world.start(&of("api", "middle", "curl"));
    let together = out_together(&mut world, &["front", "middle"]);

    assert!(!together.contains("api web"), "{together:?}");
    assert_eq!(world.count("front", "passed"), 3);
    assert_eq!(world.count("middle", "passed"), 3);
}

#[test]
fn a_service_that_waits_for_its_neighbour_says_so() {
    let mut world = chain();
    world.declare(CHAIN);
    world.start(&of_all("ssl", "openssl", ""));
    world.until("a service waits for another", |world| {
        world.rules().contains(&"dependency")
    });

    let held = world
        .holds()
        .iter()
        .find(|h| h.reason.rule() == "dependency");
    let said = held.map(|hold| hold.reason.to_string()).unwrap_or_default();
    assert!(said.contains("depends on the other"), "{said}");
}

#[test]
fn a_casualty_does_not_hold_its_neighbours() {
    let mut world = chain();
    world.declare(CHAIN);
    world.always("web-a-1", Step::Verify, fails(FailureKind::Unhealthy));
    world.always("web-a-1", Step::RollBack, fails(FailureKind::Io));
    let loose = "hosts_left_out = \"50%\"\nbrake = { cell_share = \"90%\" }\n";
    world.start(&of_all("ssl", "openssl", loose));
    world.pass(mins(60));

    assert_eq!(world.outcome("ssl", &id("web-a-1")), "quarantined");
    assert_eq!(world.count("ssl", "passed"), 8);
}

#[test]
fn a_late_host_of_a_service_that_was_not_there_before_keeps_apart_from_its_neighbours() {
    let mut world = World::new().hosts("web", "r1/a", 3).hosts("db", "r1/b", 3);
    world.declare(CHAIN);
    world.start(&of_all("ssl", "openssl", ""));
    world.add_hosts("api", "r1/a", "late", 2);
    let together = out_together(&mut world, &["ssl"]);

    assert!(together.iter().any(|seen| seen.contains("late")));
    let both = |seen: &&String| seen.contains("late") && seen.contains(' ');
    assert_eq!(together.iter().find(both), None, "{together:?}");
    assert_eq!(world.count("ssl", "passed"), 8);
}
