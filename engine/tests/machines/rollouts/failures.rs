//! What a failure stops, and what it does not.

use super::{AT_ONCE, WAVES, demo, floor, names, secs};
use crate::world::{Step, World, fails, file, id};
use cofferdam_engine::{
    failure::FailureKind,
    id::{HostId, WaveIndex},
    rollout::{Action, PauseCause, Phase},
    run::RunState,
};

/// What the brake found.
fn finding(world: &World, rollout: &str) -> String {
    let phase = world.rollout(rollout).phase();
    let Phase::Paused {
        cause: PauseCause::Brake { finding },
    } = phase
    else {
        panic!("not braked: {phase:?}");
    };
    finding.clone()
}

#[test]
fn one_host_that_fails_alone_stops_nothing() {
    let mut world = demo();
    world.always("large-b-2", Step::Verify, fails(FailureKind::Unhealthy));
    world.start(&file(
        "ssl",
        "openssl",
        "",
        &(WAVES.to_owned() + &floor("75%")),
    ));
    world.wait_for("ssl", "done");

    assert_eq!(names(&world.hosts_that_are("ssl", "failed")), ["large-b-2"]);
    assert_eq!(world.count("ssl", "passed"), 23);
}

#[test]
fn of_hosts_that_speak_for_as_many_suspects_one_of_the_rarest_kind_is_asked_first() {
    let mut world = World::new();
    for (kind, count) in [("large", 4), ("medium", 2), ("rare", 1)] {
        world.add_hosts("web", "r1/a", kind, count);
    }
    world.pass(secs(1));
    world.always("rare-a-1", Step::Verify, fails(FailureKind::Unhealthy));
    world.start(&file(
        "ssl",
        "openssl",
        "",
        &(WAVES.to_owned() + &floor("50%")),
    ));
    world.wait_until_host_is("ssl", "rare-a-1", "failed");
    world.until("another is asked", |world| {
        world.count("ssl", "running") == 1
    });

    assert_eq!(
        names(&world.hosts_that_are("ssl", "running")),
        ["medium-a-1"]
    );
}

#[test]
fn one_host_that_fails_first_of_all_stops_nothing() {
    let mut world = demo();
    world.start(&file(
        "ssl",
        "openssl",
        "",
        &(WAVES.to_owned() + &floor("75%")),
    ));
    world.until("the first runs", |world| world.count("ssl", "running") == 1);
    let first = world.hosts_that_are("ssl", "running").remove(0);
    world.always(first.as_str(), Step::Verify, fails(FailureKind::Unhealthy));
    world.wait_for("ssl", "done");

    assert_eq!(world.hosts_that_are("ssl", "failed"), [first]);
    assert_eq!(world.count("ssl", "passed"), 23);
}

#[test]
fn a_stratum_that_fails_twice_pauses_the_canary_and_is_named() {
    let mut world = demo();
    world.bad_for("rare");
    world.start(&file(
        "ssl",
        "openssl",
        "",
        &(WAVES.to_owned() + &floor("75%")),
    ));
    world.wait_for("ssl", "paused");

    let found = finding(&world, "ssl");
    assert!(
        found.starts_with("hosts of instance_type=rare failed, and so did the second opinion"),
        "{found}"
    );
    assert_eq!(
        names(&world.hosts_that_are("ssl", "failed")),
        ["rare-a-1", "rare-c-1"]
    );
    // The canary is a host of each type; of those the one rare host failed, and one more was asked.
    let canary = world.rollout("ssl").plan().hosts.values();
    let canary = canary.filter(|host| host.wave == WaveIndex(0)).count();
    let touched = 24 - world.count("ssl", "untouched");
    assert!(touched <= canary + 1, "{touched} of a canary of {canary}");
    for host in world.hosts_now() {
        let installed = &world.agents[&host].installed;
        let is_rare = host.as_str().starts_with("rare");
        assert!(!is_rare || installed.is_empty(), "{host} went back");
    }
}

#[test]
fn a_patch_that_is_bad_for_all_pauses_after_two_hosts() {
    let mut world = demo();
    world.bad_for("");
    world.start(&file("ssl", "openssl", "", WAVES));
    world.wait_for("ssl", "paused");

    assert_eq!(world.count("ssl", "failed"), 2);
    assert_eq!(world.count("ssl", "untouched"), 22);
}

#[test]
fn a_second_opinion_from_a_zone_that_waits_does_not_open_it_to_others() {
    let mut world = World::new()
        .hosts("web", "r1/a", 4)
        .typed_hosts("web", "r1/a", "odd", 1)
        .hosts("web", "r1/b", 8);
    world.always("odd-a-1", Step::Verify, fails(FailureKind::Unhealthy));
    world.start(&file("ssl", "openssl", "order = \"regions\"", AT_ONCE));
    let touched = |world: &World, zone: &str| {
        let hosts = world.hosts_now().into_iter();
        let hosts = hosts.filter(|host| host.as_str().contains(zone));
        let is_touched = |host: &_| world.outcome("ssl", host) != "untouched";
        hosts.filter(is_touched).count()
    };
    world.until("zone b was asked", |world| touched(world, "-b-") == 1);
    world.until("zone a is nearly over", |world| touched(world, "-a-") == 5);
    assert_eq!(touched(&world, "-b-"), 1);
    world.ask("ssl", Action::Pause);
    world.pass(secs(60));
    world.ask("ssl", Action::Resume);
    world.wait_for("ssl", "done");
    assert_eq!(world.count("ssl", "passed"), 12);
}

#[test]
fn a_suspect_without_another_member_is_closed_and_says_so() {
    let mut world = World::new()
        .hosts("web", "r1/a", 4)
        .typed_hosts("web", "r1/a", "odd", 1);
    world.bad_for("odd");
    world.start(&file("ssl", "openssl", "", WAVES));
    world.wait_for("ssl", "done");

    let closed = world.rollout("ssl").closed_suspects();
    let closed: Vec<String> = closed.iter().map(ToString::to_string).collect();
    assert_eq!(closed, ["instance_type=odd"]);
    assert_eq!(world.count("ssl", "passed"), 4);
}

#[test]
fn one_host_at_a_time_speaks_for_a_suspect_over_all_cells() {
    let mut world = World::new();
    for place in ["r1/a", "r2/b", "r3/c", "r4/d"] {
        world = world
            .hosts("web", place, 3)
            .typed_hosts("web", place, "rare", 3);
    }
    world.bad_for("rare");
    let top = "coverage = [\"instance_type\"]";
    world.start(&file("ssl", "openssl", top, AT_ONCE));
    world.wait_for("ssl", "paused");

    let orders = world.orders();
    let rare = orders.filter(|(_, order)| order.host.as_str().starts_with("rare"));
    assert_eq!(rare.count(), 2, "one that failed, and a second opinion");
}

#[test]
fn after_the_canary_a_bad_stratum_is_held_and_the_rest_goes_on() {
    let mut world = World::new()
        .hosts("web", "r1/a", 8)
        .typed_hosts("web", "r1/a", "odd", 4);
    world.bad_for("odd");
    let tables = r#"
        [[wave]]
        name = "canary"
        to = "1%"
        match = 'instance_type != "odd"'
        [[wave]]
        name = "full"
        to = "100%"
        [[waiver]]
        stratum = "instance_type=odd"
        reason = "none can be spared yet"
        expires = "2999-12-31"
    "#;
    let lenient = "brake = { cell_share = \"50%\", cell_least = 5 }";
    world.start(&file("ssl", "openssl", lenient, tables));
    world.wait_for("ssl", "paused");

    assert_eq!(world.count("ssl", "passed"), 8, "the others went on");
    assert_eq!(world.count("ssl", "failed"), 2);
    assert_eq!(world.count("ssl", "untouched"), 2);
    let convicted = world.rollout("ssl").convicted_strata();
    assert_eq!(convicted[0].to_string(), "instance_type=odd");

    world.ask("ssl", Action::Resume);
    world.wait_for("ssl", "done");
    assert_eq!(world.count("ssl", "untouched"), 0, "each has an outcome");
    assert_eq!(world.count("ssl", "left out"), 2, "held for good");
}

#[test]
fn a_cell_with_too_many_failures_stops_itself_and_the_rollout() {
    let mut world = World::new().hosts("web", "r1/a", 12);
    for host in ["web-a-5", "web-a-6"] {
        world.always(host, Step::Verify, fails(FailureKind::Unhealthy));
    }
    let tables = AT_ONCE.to_owned() + &floor("75%");
    world.start(&file("ssl", "openssl", "", &tables));
    world.wait_for("ssl", "paused");

    assert!(finding(&world, "ssl").contains("attempted hosts of cell r1-a-1 failed"));
    assert!(world.count("ssl", "untouched") > 0);
}

#[test]
fn what_an_operator_has_seen_does_not_brake_again() {
    let mut world = demo();
    world.bad_for("rare");
    world.start(&file(
        "ssl",
        "openssl",
        "",
        &(WAVES.to_owned() + &floor("75%")),
    ));
    world.wait_for("ssl", "paused");

    world.ask("ssl", Action::Resume);
    world.wait_for("ssl", "done");

    assert_eq!(world.count("ssl", "failed"), 2);
    assert_eq!(world.count("ssl", "passed"), 22);
}

#[test]
fn a_failure_that_was_seen_and_turns_out_to_be_another_one_does_not_brake_again() {
    let brake = "brake = { cell_share = \"100%\", fleet_share = \"50%\", fleet_least = 2 }";
    let mut world = World::new().hosts("web", "r1/a", 10);
    let tables = AT_ONCE.to_owned() + &floor("50%");
    let top = format!("at_once_per_cell = 1\nhosts_left_out = \"100%\"\n{brake}");
    world.start(&file("ssl", "openssl", &top, &tables));
    let first_two = &world.turns("ssl", 0)[..2];
    all_fail(&mut world, first_two);
    for host in first_two {
        world.until("it applies", |world| {
            world.state_of(host.as_str()) == Some(RunState::Applying)
        });
        world.cut(host);
        world.wait_until_host_is("ssl", host.as_str(), "silent");
    }
    world.wait_for("ssl", "paused");
    world.ask("ssl", Action::Resume);
    for host in first_two {
        world.mend(host);
    }
    world.wait_for("ssl", "done");
    assert_eq!(world.count("ssl", "failed"), 2);
    assert_eq!(world.count("ssl", "passed"), 8);
}

#[test]
fn too_many_left_out_hosts_hold_the_wave() {
    let mut world = World::new().hosts("web", "r1/a", 6);
    for host in ["web-a-2", "web-a-3"] {
        world.cut(&id(host));
    }
    let tables = AT_ONCE.to_owned() + &floor("50%");
    world.start(&file("ssl", "openssl", "", &tables));
    world.wait_for("ssl", "paused");

    assert!(finding(&world, "ssl").contains("hosts_left_out"));
    assert_eq!(world.count("ssl", "passed"), 4);
    assert_eq!(world.count("ssl", "left out"), 2);
}

/// Ten hosts in one cell, one after the other, under a brake. The turns that they have.
fn one_by_one(brake: &str) -> (World, Vec<HostId>) {
    let mut world = World::new().hosts("web", "r1/a", 10);
    let top = format!("at_once_per_cell = 1\nbrake = {brake}");
    world.start(&file("ssl", "openssl", &top, AT_ONCE));
    let turns = world.turns("ssl", 0);
    (world, turns)
}

fn all_fail(world: &mut World, hosts: &[HostId]) {
    for host in hosts {
        world.always(host.as_str(), Step::Verify, fails(FailureKind::Unhealthy));
    }
}

#[test]
fn failures_that_are_gone_hide_no_new_ones_from_the_brake_of_a_cell() {
    let (mut world, turns) = one_by_one("{ cell_share = \"40%\", cell_least = 2 }");
    all_fail(&mut world, &turns[1..3]);
    world.wait_for("ssl", "paused");
    assert!(finding(&world, "ssl").starts_with("2 of 3 attempted hosts of cell"));
    for host in &turns[1..3] {
        world.forget(host);
    }
    all_fail(&mut world, &turns[4..6]);
    world.ask("ssl", Action::Resume);
    world.wait_for("ssl", "paused");

    let found = finding(&world, "ssl");
    assert!(
        found.starts_with("2 of 3 attempted hosts of cell"),
        "{found}"
    );
}

#[test]
fn the_brake_of_the_fleet_looks_at_what_was_attempted_since_somebody_went_on() {
    let brake = "{ cell_share = \"100%\", fleet_share = \"50%\", fleet_least = 2 }";
    let (mut world, turns) = one_by_one(brake);
    world.until("five have passed", |world| {
        world.count("ssl", "passed") == 5
    });
    all_fail(&mut world, &turns);
    world.ask("ssl", Action::Pause);
    world.until("none is at work", |world| {
        world.count("ssl", "running") == 0
    });
    let before = world.count("ssl", "passed") + world.count("ssl", "failed");
    world.ask("ssl", Action::Resume);
    world.wait_for("ssl", "paused");

    let found = finding(&world, "ssl");
    assert!(
        found.starts_with("2 of 2 attempted hosts of the fleet"),
        "{found}"
    );
    assert!(before >= 5, "and not of these too");
}
