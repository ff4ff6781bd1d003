//! Waves, their bakes, and the turns of their cells.

use super::{AT_ONCE, WAVES, demo, floor, mins, secs};
use crate::world::{Step, World, fails, file};
use cofferdam_engine::{
    exception::Word,
    failure::FailureKind,
    fleet::FleetEvent,
    id::{CellId, WaveIndex},
    rollout::RolloutEvent,
    time::Timestamp,
};
use std::collections::BTreeMap;

#[test]
fn a_rollout_goes_from_canary_to_half_to_full_and_finishes() {
    let mut world = demo();
    world.start(&file(
        "ssl",
        "openssl",
        "",
        &(WAVES.to_owned() + &floor("75%")),
    ));

    let mut passed = Vec::new();
    for wave in 0..3 {
        world.until("the wave bakes", |world| {
            let ssl = world.rollout("ssl");
            ssl.wave() == WaveIndex(wave) && ssl.bake_since().is_some()
        });
        passed.push(world.count("ssl", "passed"));
    }
    world.wait_for("ssl", "done");

    assert_eq!(passed, [4, 12, 24]);
    assert!(world.ledger().is_empty());
    assert!(world.unfinished().is_empty());
}

#[test]
fn of_a_stratum_that_nobody_has_passed_one_host_goes_first() {
    let mut world = World::new().hosts("web", "r1/a", 8);
    world.start(&file("ssl", "openssl", "", AT_ONCE));
    world.until("somebody runs", |world| world.count("ssl", "running") > 0);

    assert_eq!(world.count("ssl", "running"), 1);
    assert!(world.rules().contains(&"stratum"));
    world.wait_for("ssl", "done");
}

#[test]
fn a_wave_bakes_before_the_next_begins() {
    let mut world = World::new().hosts("web", "r1/a", 4);
    world.start(&file("ssl", "openssl", "bake = \"20m\"", WAVES));
    world.until("the canary bakes", |world| {
        world.rollout("ssl").bake_since().is_some()
    });

    world.pass(mins(19));
    assert_eq!(world.rollout("ssl").wave(), WaveIndex(0));
    assert_eq!(world.rules(), ["bake"]);
    world.pass(mins(2));
    assert_eq!(world.rollout("ssl").wave(), WaveIndex(1));
}

#[test]
fn a_wave_without_hosts_passes_at_once() {
    let mut world = World::new().hosts("web", "r1/a", 4);
    let waves = WAVES.replace("50%", "10%");
    world.start(&file("ssl", "openssl", "bake = \"20m\"", &waves));
    world.until("the canary bakes", |world| {
        world.rollout("ssl").bake_since().is_some()
    });

    world.pass(mins(21));
    assert_eq!(world.rollout("ssl").wave(), WaveIndex(2), "nobody to watch");
    world.wait_for("ssl", "done");
}

#[test]
fn a_wave_that_only_tries_a_host_again_bakes_all_the_same() {
    let mut world = World::new().hosts("web", "r1/a", 4);
    world.always("web-a-1", Step::Verify, fails(FailureKind::Unhealthy));
    let waves = "[[wave]]\nname = \"canary\"\nto = \"100%\"\n[[wave]]\nname = \"more\"\nto = \"100%\"\nbake = \"20m\"\n";
    let top = "bake = \"1m\"\nbrake = { cell_share = \"90%\" }\nstanding = true\n";
    world.start(&file("ssl", "openssl", top, waves));
    world.until("the last wave is over", |world| {
        world.rollout("ssl").wave() == WaveIndex(1) && world.rules() == ["standing"]
    });

    world.model.clear();
    world.except("ssl", Word::Retry, &["web-a-1"]);
    world.until("the host is patched", |world| {
        world.count("ssl", "passed") == 4
    });
    world.pass(secs(1));
    assert_eq!(world.rules(), ["bake"]);
}

#[test]
fn so_many_cells_work_at_once_and_each_leaves_a_gap() {
    let mut world = World::new();
    for place in ["r1/a", "r1/b", "r1/c"] {
        world = world.hosts("web", place, 2);
    }
    let top = "cells_at_once = 1\ncells_gap = \"5m\"";
    world.start(&file("ssl", "openssl", top, AT_ONCE));
    world.wait_for("ssl", "done");

    let opened = openings(&world, 0);
    assert_eq!(opened.len(), 3);
    for pair in opened.windows(2) {
        assert!(pair[1].since(pair[0]) > mins(5), "{opened:?}");
    }
}

/// When a wave first gave each of its cells leave to start hosts.
fn openings(world: &World, wave: u32) -> Vec<Timestamp> {
    let mut opened: BTreeMap<&CellId, Timestamp> = BTreeMap::new();
    for (at, event) in &world.owner.log {
        if let FleetEvent::Rollout {
            event: RolloutEvent::Warranted { warrant, .. },
            ..
        } = event
            && warrant.wave == WaveIndex(wave)
        {
            opened.entry(&warrant.cell).or_insert(*at);
        }
    }
    let mut opened: Vec<Timestamp> = opened.into_values().collect();
    opened.sort();
    opened
}

#[test]
fn a_wave_goes_by_its_own_bake_cells_at_once_and_gap() {
    let mut world = World::new();
    for place in ["r1/a", "r1/b", "r1/c"] {
        world = world.hosts("web", place, 4);
    }
    let own = "to = \"50%\"\ncells_at_once = 1\ngap = \"5m\"\nbake = \"7m\"";
    let tables = WAVES.replace("to = \"50%\"", own) + &floor("50%");
    world.start(&file("ssl", "openssl", "", &tables));
    world.wait_for("ssl", "done");

    let (half, full) = (openings(&world, 1), openings(&world, 2));
    assert_eq!((half.len(), full.len()), (3, 3));
    for pair in half.windows(2) {
        assert!(pair[1].since(pair[0]) > mins(5), "{half:?}");
    }
    assert!(full[0].since(half[2]) > mins(7), "{half:?} {full:?}");
    assert_eq!(full[0], full[2], "the next one has none of that");
}

#[test]
fn a_host_that_joins_later_is_not_touched_where_the_file_says_so() {
    let mut world = World::new().hosts("web", "r1/a", 4);
    world.start(&file("ssl", "openssl", "late_join = \"skip\"", WAVES));
    world.pass(secs(20));
    world.add_hosts("web", "r1/a", "late", 1);
    world.wait_for("ssl", "done");

    assert_eq!(world.count("ssl", "passed"), 4);
    assert_eq!(world.count("ssl", "untouched"), 1);
}

#[test]
fn starts_keep_their_spacing() {
    let mut world = World::new().hosts("web", "r1/a", 6);
    let tables = AT_ONCE.to_owned() + &floor("0%");
    world.start(&file("ssl", "openssl", "start_spacing = \"4s\"", &tables));
    world.wait_for("ssl", "done");

    let starts: Vec<Timestamp> = world.orders().map(|(at, _)| at).collect();
    assert_eq!(starts.len(), 6);
    assert!(
        starts
            .windows(2)
            .all(|pair| pair[1].since(pair[0]) >= secs(4))
    );
}

#[test]
fn no_more_hosts_are_out_than_the_cell_allows() {
    let mut world = World::new().hosts("web", "r1/a", 9);
    let tables =
        AT_ONCE.to_owned() + &floor("0%").replace("floor =", "at_once_per_cell = 2\nfloor =");
    world.start(&file("ssl", "openssl", "", &tables));

    let mut most = 0;
    while world.phase("ssl") != "done" {
        world.pass(secs(1));
        most = most.max(world.ledger().len());
    }
    assert_eq!(most, 2);
}
