//! What is said to hold hosts is what does, and since when.

use super::{AT_ONCE, WAVES, floor, mins, secs};
use crate::world::{CHAIN, World, file};
use cofferdam_engine::{
    hold::{Hold, Reason, Subject},
    id::HostId,
    time::Timestamp,
};

/// The holds of one rule.
fn of_rule<'a>(world: &'a World, rule: &str) -> Vec<&'a Hold> {
    let holds = world.holds().iter();
    holds.filter(|hold| hold.reason.rule() == rule).collect()
}

/// A floor that is said to hold hosts although it has room.
fn hollow(world: &World) -> Option<String> {
    let has_room = |hold: &&Hold| {
        let Reason::Floor { out, allowance, .. } = &hold.reason else {
            return false;
        };
        out < allowance
    };
    let mut hollow = world.holds().iter().filter(has_room);
    hollow
        .next()
        .map(|hold| format!("{}: {}", hold.subject, hold.reason))
}

#[test]
fn a_floor_that_has_room_is_not_said_to_hold_what_a_neighbour_or_the_pace_does() {
    for (top, rule) in [
        ("", "dependency"),
        ("start_spacing = \"20s\"\n", "start-spacing"),
    ] {
        let mut world = World::new().hosts("api", "r1/a", 3).hosts("web", "r1/b", 2);
        world = world.hosts("db", "r1/b", 2).hosts("db", "r1/c", 2);
        if rule == "dependency" {
            world.declare(CHAIN);
        }
        // So that a zone of db has nobody in the canary, and no token from then.
        let top = format!("{top}coverage = [\"service\"]\n");
        let all = file("ssl", "openssl", &top, WAVES);
        world.start(&all.replace("service == \"web\"", "service != \"none\""));
        let mut was_held = false;
        while world.rollout("ssl").is_live() {
            world.pass(secs(1));
            assert_eq!(hollow(&world), None, "{rule}");
            was_held |= world.rules().contains(&rule);
        }
        assert!(was_held, "{rule}");
    }
}

#[test]
fn a_floor_holds_since_the_last_host_went_out() {
    let mut world = World::new().hosts("web", "r1/a", 8);
    let tables = AT_ONCE.to_owned() + &floor("75%");
    world.start(&file("ssl", "openssl", "", &tables));
    for _ in 0..3 {
        world.until("the group is full", |world| {
            world.ledger().len() == 2 && world.rules().contains(&"floor")
        });
        let last = world.orders().map(|(at, _)| at).last();
        let since = of_rule(&world, "floor").first().map(|hold| hold.since);
        assert_eq!(since, last);
        let orders = world.orders().count();
        world.until("another starts", |world| world.orders().count() > orders);
    }
}

/// The host that is said to hold a neighbour.
fn neighbour(world: &World) -> Option<(HostId, Timestamp)> {
    let hold = *of_rule(world, "dependency").first()?;
    let Reason::Dependency { host, .. } = &hold.reason else {
        return None;
    };
    Some((host.clone(), hold.since))
}

#[test]
fn a_neighbour_holds_since_its_host_is_at_work_and_not_since_the_rollout_came() {
    let mut world = World::new().hosts("api", "r1/a", 4).hosts("db", "r1/b", 2);
    world.declare(CHAIN);
    let waves = WAVES.replace("50%", "100%");
    let all = file("ssl", "openssl", "bake = \"30m\"", &waves);
    world.start(&all.replace("service == \"web\"", "service != \"none\""));
    let mut seen = Vec::new();
    while world.rollout("ssl").is_live() {
        world.pass(secs(1));
        let Some((host, since)) = neighbour(&world) else {
            continue;
        };
        let ordered = world.orders().filter(|(_, order)| order.host == host);
        assert_eq!(Some(since), ordered.map(|(at, _)| at).last());
        seen.push(host);
    }
    seen.dedup();
    assert!(seen.len() > 1, "one after the other holds it: {seen:?}");
}

#[test]
fn a_window_holds_since_it_closed() {
    let mut world = World::new().hosts("web", "r1/a", 5);
    let hour = "[[window]]\nstart = \"00:10\"\nend = \"00:18\"\n";
    let tables = hour.to_owned() + AT_ONCE + &floor("0%");
    world.start(&file("ssl", "openssl", "start_spacing = \"30s\"", &tables));
    world.pass(mins(60));

    let held = of_rule(&world, "window");
    assert!(matches!(held[0].subject, Subject::Slice { .. }));
    assert_eq!(held[0].since, Timestamp(18 * 60_000));
}
