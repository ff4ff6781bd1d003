//! The brake at each of its other levels: the cell, the fleet and the velocity. Which of them pulled it, with which figures,
//! what stopped, and how it goes on once a person has decided. That of the strata has scripts of its own.
//!
//! What happens inside of runs is left out here: the other scripts have it.

use super::{committed, course, secs};
use crate::world::{Does, Step, World, fails, file};
use cofferdam_engine::{failure::FailureKind, id::HostId, rollout::Action};

/// A canary, then all, of groups that may be out as a whole.
fn waves(canary: &str) -> String {
    format!(
        "[[wave]]\nname = \"canary\"\n{canary}\n[[wave]]\nname = \"full\"\nto = \"100%\"\n\
         [[limits]]\nfloor = [{{ group_by = [\"service\"], min_in_service = \"0%\" }}]\n"
    )
}

/// So many hosts in each of these places, all alike.
fn fleet(places: &[&str], each: usize) -> World {
    let mut world = World::new();
    world.owner.keeps_holds = true;
    for place in places {
        world.add_hosts("web", place, "plain", each);
    }
    world.pass(secs(1));
    world
}

fn cannot_pass(world: &mut World, hosts: impl IntoIterator<Item = HostId>) {
    for host in hosts {
        let unhealthy = fails(FailureKind::Unhealthy);
        world.model.set(&host, Step::Verify, unhealthy, None);
    }
}

/// Compares the course of the rollout to its end, but for what only says how runs go on.
fn compare_outline(name: &str, world: World) {
    const INSIDE: [&str; 10] = [
        " connects, ",
        " stage",
        " is claiming, ",
        " asks: ",
        ": yes",
        " is drain",
        " is applying, ",
        " is verifying",
        " is rolling back, ",
        " is readmitting, ",
    ];
    let mut lines = course(world, &["ssl"]);
    lines.retain(|line| {
        !INSIDE.iter().any(|inside| line.contains(inside)) && !line.ends_with(" is in service")
    });
    committed(name, &lines);
}

#[test]
fn a_cell_stops_itself_and_the_rollout_with_it_until_somebody_goes_on() {
    let mut world = fleet(&["r1/a", "r2/c"], 5);
    let one_each = "at_once_per_cell = 1";
    world.start(&file("ssl", "openssl", one_each, &waves("hosts = 2")));
    let of_one = |host: &HostId| host.as_str().starts_with("web-a-");
    let turns = world.turns("ssl", 1).into_iter().filter(of_one);
    cannot_pass(&mut world, turns.take(2));
    world.until("the brake stops it", |world| world.phase("ssl") == "paused");
    world.pass(secs(60));
    world.ask("ssl", Action::Resume);
    compare_outline("brake_of_a_cell", world);
}

#[test]
fn failures_that_no_cell_has_two_of_stop_the_fleet_and_are_taken_back() {
    let mut world = fleet(&["r1/a", "r2/c", "r3/e"], 2);
    let top = "cells_at_once = 1\nbrake = { fleet_least = 2 }";
    world.start(&file("ssl", "openssl", top, &waves("hosts = 3")));
    let hosts = world.turns("ssl", 1);
    cannot_pass(&mut world, hosts);
    world.until("the brake stops it", |world| world.phase("ssl") == "paused");
    world.pass(secs(60));
    world.ask("ssl", Action::Rollback);
    compare_outline("brake_of_the_fleet", world);
}

#[test]
fn a_wave_that_hardly_gets_on_is_stopped_though_nothing_fails() {
    let mut world = fleet(&["r1/a"], 10);
    let top = "at_once_per_cell = 2\nlate_deadline = \"20m\"\nbrake = { velocity_over = \"30s\", velocity_least = 2 }";
    world.start(&file("ssl", "openssl", top, &waves("hosts = 1")));
    world.until("some passed", |world| {
        world.hosts_that_are("ssl", "passed").len() > 6
    });
    for host in world.hosts_now() {
        world
            .model
            .set(&host, Step::Apply, Does::Well(secs(120)), None);
    }
    world.until("the brake stops it", |world| world.phase("ssl") == "paused");
    world.model.clear();
    world.pass(secs(60));
    world.ask("ssl", Action::Resume);
    compare_outline("brake_of_the_velocity", world);
}
