//! Hosts that their wave went on without, and the turn that they get in a later one.

use super::{WAVES, floor, mins, secs};
use crate::world::{Does, Step, World, file, id, rollout_id};
use cofferdam_engine::{
    cell::JobState,
    exception::Word,
    id::{CellId, WaveIndex},
    rollout::Action,
    time::Timestamp,
};
use std::collections::BTreeSet;

/// Three cells of four hosts, each a zone.
fn zones(places: [&str; 3]) -> World {
    let mut world = World::new();
    for place in places {
        world = world.hosts("web", place, 4);
    }
    world
}

/// Starts a rollout, and cuts the cell of a host off before the second wave gives it leave.
fn start_and_cut(world: &mut World, top: &str, waves: &str, host: &str) -> CellId {
    let top = format!("bake = \"2m\"\nunknown_after = \"5m\"\nunknown_share = \"100%\"\n{top}");
    world.start(&file(
        "ssl",
        "openssl",
        &top,
        &(waves.to_owned() + &floor("50%")),
    ));
    world.until("the canary bakes", |world| world.rules().contains(&"bake"));
    let cell = world.cell_of(host);
    world.cut_cell_noticed(&cell, secs(1));
    cell
}

fn until_wave(world: &mut World, wave: u32) {
    world.until("the wave works", |world| {
        world.rollout("ssl").wave() == WaveIndex(wave) && world.count("ssl", "running") > 0
    });
}

/// The cells that hosts are at work in.
fn at_work(world: &World) -> BTreeSet<CellId> {
    let running = world.hosts_that_are("ssl", "running");
    running
        .iter()
        .map(|host| world.cell_of(host.as_str()))
        .collect()
}

/// When the first and the last host of a cell were ordered from some moment on.
fn ordered(world: &World, cell: &CellId, from: Timestamp) -> Option<(Timestamp, Timestamp)> {
    let orders = world.orders().filter(|(at, _)| *at >= from);
    let mut theirs = orders.filter(|(_, order)| order.grant.cell == *cell);
    let (first, _) = theirs.next()?;
    Some((first, theirs.last().map_or(first, |(at, _)| at)))
}

/// Waits until the rollout is done, and each of its hosts has passed. The most cells that were at work
/// at once.
fn finish(world: &mut World) -> usize {
    let mut most = 0;
    while world.phase("ssl") != "done" {
        world.pass(secs(1));
        most = most.max(at_work(world).len());
    }
    assert_eq!(world.count("ssl", "passed"), 12);
    assert_eq!(world.orders().count(), 12, "and nothing twice");
    most
}

/// How many hosts of the second wave have not begun.
fn held(world: &World) -> usize {
    let hosts = world.rollout("ssl").plan().hosts.iter();
    let hosts = hosts.filter(|(host, planned)| {
        planned.wave == WaveIndex(1) && world.outcome("ssl", host) == "untouched"
    });
    hosts.count()
}

#[test]
fn a_cell_that_comes_back_waits_until_the_zone_that_was_opened_without_it_has_baked() {
    let mut world = zones(["r1/a", "r1/b", "r1/c"]);
    let cut = start_and_cut(
        &mut world,
        "order = \"fan-out\"\nzone_bake = \"7m\"",
        WAVES,
        "web-a-1",
    );
    until_wave(&mut world, 2);
    let second = world.cell_of("web-b-1");
    assert_eq!(at_work(&world), BTreeSet::from([second.clone()]));
    let back = world.now;
    world.mend_cell(&cut);
    assert_eq!(finish(&mut world), 1, "one zone at a time");

    let (first, last) = ordered(&world, &cut, back).expect("it has its turn");
    let (_, before) = ordered(&world, &second, Timestamp::default()).expect("it had its turn");
    assert!(first.since(before) >= mins(7), "{first} after {before}");
    let third = world.cell_of("web-c-1");
    let (after, _) = ordered(&world, &third, back).expect("it has its turn");
    assert!(
        after.since(last) >= mins(7),
        "the third goes when it has baked too"
    );
}

#[test]
fn a_cell_that_comes_back_counts_among_those_that_work_at_once_and_keeps_the_gap() {
    let mut world = zones(["r1/a", "r2/b", "r3/c"]);
    let top = "order = \"none\"\ncells_at_once = 1\ncells_gap = \"6m\"";
    let cut = start_and_cut(&mut world, top, WAVES, "web-a-1");
    until_wave(&mut world, 2);
    let present = at_work(&world);
    let back = world.now;
    world.mend_cell(&cut);
    assert_eq!(finish(&mut world), 1);

    let ends: Vec<Timestamp> = present
        .iter()
        .filter_map(|cell| Some(ordered(&world, cell, Timestamp::default())?.1))
        .collect();
    let (first, _) = ordered(&world, &cut, back).expect("it has its turn");
    assert!(ends.iter().all(|end| first.since(*end) >= mins(6)));
}

#[test]
fn a_cell_that_the_present_wave_has_no_host_of_goes_last_in_it() {
    let mut world = zones(["r1/a", "r2/b", "r3/c"]);
    let waves = "[[wave]]\nname = \"canary\"\nto = \"1%\"\n\
         [[wave]]\nname = \"one\"\nto = \"100%\"\nmatch = 'zone == \"a\"'\n\
         [[wave]]\nname = \"rest\"\nto = \"100%\"\n";
    let cut = start_and_cut(&mut world, "", waves, "web-a-1");
    until_wave(&mut world, 2);
    assert!(!at_work(&world).contains(&cut));
    let back = world.now;
    world.mend_cell(&cut);
    world.pass(secs(1));
    assert!(world.rules().contains(&"cell-turn"));
    finish(&mut world);

    let (first, _) = ordered(&world, &cut, back).expect("it has its turn");
    for other in ["web-b-1", "web-c-1"] {
        let other = world.cell_of(other);
        let (_, last) = ordered(&world, &other, Timestamp::default()).expect("it had its turn");
        assert!(first > last);
    }
}

#[test]
fn what_a_cell_that_comes_back_had_leave_for_and_has_not_begun_waits_too() {
    let mut world = World::new().hosts("web", "r1/a", 8);
    world = world.hosts("web", "r1/b", 4).hosts("web", "r1/c", 4);
    for host in world.hosts_now() {
        if host.as_str().starts_with("web-a") {
            world.always(host.as_str(), Step::Drain, Does::Well(mins(4)));
        }
    }
    let top = "order = \"fan-out\"\nzone_bake = \"7m\"\nunknown_after = \"1m\"\nbake = \"1m\"\n\
         unknown_share = \"100%\"\nat_once_per_cell = 1";
    let tables = WAVES.to_owned() + &floor("50%");
    world.start(&file("ssl", "openssl", top, &tables));
    until_wave(&mut world, 1);
    let cut = world.cell_of("web-a-1");
    world.until("the last zone works", |world| at_work(world).contains(&cut));
    world.cut_cell_noticed(&cut, secs(1));
    until_wave(&mut world, 2);
    let waits_with_leave = |world: &World| {
        let work = &world.owner.fleet.cells()[&cut].work()[&rollout_id("ssl")];
        let hosts = work.warrant.iter().flat_map(|held| &held.warrant.hosts);
        let waiting = hosts.filter(|host| work.jobs[*host].state == JobState::Waiting);
        waiting.count()
    };
    assert!(waits_with_leave(&world) > 0, "it could start more");
    world.model.clear();
    world.mend_cell(&cut);
    world.pass(secs(1));
    let back = world.now;
    assert_eq!(waits_with_leave(&world), 0);
    world.wait_for("ssl", "done");

    let (first, _) = ordered(&world, &cut, back).expect("it has its turn");
    let second = world.cell_of("web-b-1");
    let (_, before) = ordered(&world, &second, Timestamp::default()).expect("it had its turn");
    assert!(first.since(before) >= mins(7), "{first} after {before}");
    assert_eq!(world.count("ssl", "passed"), 16);
}

#[test]
fn hosts_that_were_held_with_their_stratum_get_their_turn_when_it_is_proved_later() {
    let mut world = World::new().hosts("web", "r1/a", 8);
    world.add_hosts("web", "r1/a", "rare", 8);
    world.pass(secs(1));
    world.bad_for("rare");
    let tables = WAVES.to_owned() + &floor("50%");
    let top = "bake = \"10m\"\nhosts_left_out = \"100%\"";
    world.start(&file("ssl", "openssl", top, &tables));
    world.wait_for("ssl", "paused");
    world.ask("ssl", Action::Resume);
    world.until("the second wave has passed", |world| {
        world.rollout("ssl").wave() == WaveIndex(2)
    });
    assert!(held(&world) > 0, "the second wave left some out");

    world.model.clear();
    let failed = world.hosts_that_are("ssl", "failed")[0].clone();
    world.except("ssl", Word::Retry, &[failed.as_str()]);
    assert_eq!(held(&world), 0, "at once, whatever is heard of next");
    world.wait_for("ssl", "done");
    assert_eq!(
        world.count("ssl", "passed"),
        15,
        "but for the one that failed"
    );
}

#[test]
fn a_host_that_was_given_up_and_passed_after_all_brings_those_back_that_were_held_with_it() {
    let mut world = World::new().hosts("web", "r1/a", 8);
    world.add_hosts("web", "r1/a", "rare", 8);
    world.pass(secs(1));
    for number in 1..=8 {
        world.always(&format!("rare-a-{number}"), Step::Apply, Does::Dies);
    }
    let tables =
        WAVES.replace("100%", "75%") + "[[wave]]\nname = \"last\"\nto = \"100%\"\n" + &floor("50%");
    let top = "bake = \"2h\"\nhosts_left_out = \"100%\"\nbrake = { cell_share = \"100%\" }";
    world.start(&file("ssl", "openssl", top, &tables));
    world.wait_for("ssl", "paused");
    world.ask("ssl", Action::Resume);
    world.until("the third wave bakes", |world| {
        world.rollout("ssl").wave() == WaveIndex(2) && world.rules().contains(&"bake")
    });
    assert!(held(&world) > 0, "the second wave went on without some");

    let silent = world.hosts_that_are("ssl", "silent").remove(0);
    world.model.clear();
    world.start_agent(&silent);
    let silence = world.rollout("ssl").outcomes()[&silent].clone();
    world.until("another outcome is told", |world| {
        world.rollout("ssl").outcomes()[&silent] != silence
    });
    assert!(!world.rollout("ssl").missed().is_empty(), "at once");
    world.wait_for("ssl", "done");
    assert_eq!(world.count("ssl", "passed"), 15, "but for one that is away");
}

#[test]
fn what_a_cell_that_comes_back_has_proved_brings_back_those_of_other_cells_that_were_held_with_it()
{
    let mut world = World::new();
    for (kind, place, count) in [
        ("plain", "r1/a", 4),
        ("rare", "r1/a", 4),
        ("plain", "r2/b", 3),
    ] {
        world.add_hosts("web", place, kind, count);
    }
    world.add_hosts("web", "r2/b", "rare", 1);
    world.pass(secs(1));
    for host in world.hosts_now() {
        if host.as_str().starts_with("rare") {
            world.always(host.as_str(), Step::Apply, Does::Dies);
        }
    }
    let waves = "[[wave]]\nname = \"canary\"\nhosts = 2\n\
         [[wave]]\nname = \"rare\"\nto = \"100%\"\nmatch = 'instance_type == \"rare\"'\n\
         [[wave]]\nname = \"full\"\nto = \"100%\"\nbake = \"2h\"\n";
    let tables = waves.to_owned() + &floor("50%");
    let top = "hosts_left_out = \"100%\"\nbrake = { cell_share = \"100%\" }";
    world.start(&file("ssl", "openssl", top, &tables));
    world.wait_for("ssl", "paused");
    world.ask("ssl", Action::Resume);
    world.until("the last wave bakes", |world| {
        world.rollout("ssl").wave() == WaveIndex(2) && world.rules().contains(&"bake")
    });
    assert!(held(&world) > 0, "the second wave went on without some");
    let cut = world.cell_of("rare-b-1");
    world.cut_cell_noticed(&cut, secs(1));
    world.model.clear();
    world.start_agent(&id("rare-b-1"));
    world.pass(mins(5));
    assert_eq!(world.outcome("ssl", &id("rare-b-1")), "silent");

    world.mend_cell(&cut);
    world.until("it is told", |world| {
        world.outcome("ssl", &id("rare-b-1")) == "passed"
    });
    assert_eq!(
        held(&world),
        0,
        "at once: nothing else happens while the wave bakes"
    );
    world.wait_for("ssl", "done");
    assert_eq!(
        world.count("ssl", "passed"),
        11,
        "but for the other that failed"
    );
}
