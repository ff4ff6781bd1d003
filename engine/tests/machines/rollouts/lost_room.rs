//! Groups whose room hosts use up that do not come back by themselves, under the floors that there are by
//! default: a rollout neither waits for ever nor goes on in silence.

use super::{AT_ONCE, mins};
use crate::world::{Does, Step, World, file};
use cofferdam_engine::{id::HostId, rollout::Action, warrant::Outcome};

const LENIENT: &str = "hosts_left_out = \"60%\"\n";

/// Two groups of which one host may be out at a time, and a rollout over both that kills the first host of
/// one that it takes.
fn with_a_dead_host(members: usize, top: &str, tables: &str) -> (World, HostId) {
    let mut world = World::new()
        .hosts("web", "r1/a", members)
        .hosts("web", "r2/b", members);
    world.start(&file("ssl", "openssl", top, tables));
    let first = |world: &World| {
        let mut orders = world.orders().map(|(_, order)| order.host.clone());
        orders.find(|host| host.as_str().starts_with("web-a"))
    };
    world.until("one is ordered", |world| first(world).is_some());
    let host = first(&world).unwrap();
    world.always(host.as_str(), Step::Apply, Does::Dies);
    (world, host)
}

#[test]
fn a_dead_host_that_uses_its_groups_room_up_ends_no_wave_whatever_the_groups_size() {
    for members in [2, 4, 10, 19] {
        let (mut world, dead) = with_a_dead_host(members, LENIENT, AT_ONCE);
        world.wait_for("ssl", "done");

        assert_eq!(
            world.hosts_that_are("ssl", "silent"),
            std::slice::from_ref(&dead)
        );
        let left = world.hosts_that_are("ssl", "left out");
        assert!(!left.is_empty(), "of {members}");
        for host in &left {
            let outcome = &world.rollout("ssl").outcomes()[host];
            let Outcome::LeftOut { reason, .. } = outcome else {
                panic!("{host}: {outcome:?}");
            };
            assert!(reason.contains(&format!("{dead} (")), "{reason}");
        }
        let passed = world.count("ssl", "passed");
        assert_eq!(passed + left.len() + 1, 2 * members);
        assert!(passed >= members, "all of the other group");
    }
}

#[test]
fn more_of_them_than_may_be_left_out_pause_the_rollout() {
    let (mut world, _) = with_a_dead_host(10, "", AT_ONCE);
    world.wait_for("ssl", "paused");

    let left = world.hosts_that_are("ssl", "left out").len();
    assert_eq!(world.count("ssl", "passed") + left + 1, 20, "nobody waits");
}

#[test]
fn they_have_their_turn_once_there_is_room_again() {
    let baking = AT_ONCE.to_owned() + "bake = \"3h\"\n";
    let (mut world, dead) = with_a_dead_host(4, LENIENT, &baking);
    world.until("it goes on without them", |world| {
        world.hosts_that_are("ssl", "left out").len() > 1
    });
    world.pass(mins(1));
    world.model.clear();
    world.start_agent(&dead);
    world.repair(&dead);
    world.wait_for("ssl", "done");

    assert!(world.hosts_that_are("ssl", "left out").is_empty());
    assert!(world.count("ssl", "passed") >= 7, "all but the dead one");
}

#[test]
fn a_rollback_waits_for_room_without_end() {
    let (mut world, _) = with_a_dead_host(4, LENIENT, AT_ONCE);
    world.wait_for("ssl", "done");
    let patched = world.count("ssl", "passed");
    world.ask("ssl", Action::Rollback);
    world.pass(mins(600));

    let back = world.count("ssl", "rolled back");
    let waits = world.count("ssl", "passed");
    assert_eq!(back + waits, patched, "none is given up");
}

/// Two zones of a region of which one host may be out, and a rollout that kills the first host that it takes.
fn with_a_dead_host_in_the_region(tables: &str) -> (World, HostId) {
    let mut world = World::new().hosts("web", "r1/a", 4).hosts("web", "r1/b", 4);
    world.start(&file("ssl", "openssl", "hosts_left_out = \"100%\"", tables));
    world.until("one is at work", |world| world.count("ssl", "running") > 0);
    let dead = world.hosts_that_are("ssl", "running").remove(0);
    world.always(dead.as_str(), Step::Apply, Does::Dies);
    (world, dead)
}

fn is_elsewhere(host: &HostId, dead: &HostId) -> bool {
    host.as_str()[..5] != dead.as_str()[..5]
}

#[test]
fn hosts_of_other_cells_do_not_wait_for_ever_for_a_token_that_a_dead_host_has() {
    let (mut world, dead) = with_a_dead_host_in_the_region(AT_ONCE);
    world.until("all are over", |world| {
        world.count("ssl", "untouched") + world.count("ssl", "running") == 0
    });

    let left = world.hosts_that_are("ssl", "left out");
    let elsewhere: Vec<_> = left
        .iter()
        .filter(|host| is_elsewhere(host, &dead))
        .collect();
    assert_eq!(elsewhere.len(), 4);
    for host in elsewhere {
        let outcome = &world.rollout("ssl").outcomes()[host];
        let Outcome::LeftOut { reason, .. } = outcome else {
            panic!("{host}: {outcome:?}");
        };
        assert!(
            reason.contains("hosts of other cells use its room up"),
            "{reason}"
        );
    }
}

#[test]
fn they_have_their_turn_once_the_token_is_free_again() {
    let baking = AT_ONCE.to_owned() + "bake = \"5h\"\n";
    let (mut world, dead) = with_a_dead_host_in_the_region(&baking);
    world.until("the others are left out", |world| {
        world.count("ssl", "left out") == 7
    });
    world.model.clear();
    world.start_agent(&dead);
    world.until("all have passed", |world| world.count("ssl", "passed") == 8);
}

#[test]
fn a_token_that_is_in_use_is_waited_for() {
    let mut world = World::new().hosts("web", "r1/a", 4).hosts("web", "r1/b", 4);
    for host in world.hosts_now() {
        world.always(host.as_str(), Step::Drain, Does::Well(mins(9)));
    }
    world.start(&file("ssl", "openssl", "drain_deadline = \"10m\"", AT_ONCE));
    world.wait_for("ssl", "done");
    assert_eq!(world.count("ssl", "passed"), 8);
}
