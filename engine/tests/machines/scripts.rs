//! Scripts whose whole course is committed: a change in behaviour shows as a difference.
//!
//! `UPDATE=1 cargo test -p cofferdam-engine --test machines scripts` writes the files anew.

mod brake;
mod inventory;
mod partition;
mod plan_text;
mod planning;

use crate::{
    env,
    world::{Boots, Crash, Does, Step, World, fails, file, id},
};
use cofferdam_engine::{exception::Word, failure::FailureKind, rollout::Action};
use std::{fs, path::PathBuf, time::Duration};

const TWO_WAVES: &str = r#"
[[wave]]
name = "canary"
to = "1%"
[[wave]]
name = "full"
to = "100%"
[[limits]]
floor = [{ group_by = ["service", "zone"], min_in_service = "50%" }]
"#;

/// Three hosts of one type in one zone, three of another type in another.
fn six() -> World {
    let mut world = World::new();
    world.owner.keeps_holds = true;
    world.add_hosts("web", "r1/a", "plain", 3);
    world.add_hosts("web", "r2/c", "rare", 3);
    world.pass(secs(1));
    world
}

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// Plays until a rollout is over or paused, and compares its course with the committed one.
fn compare(name: &str, world: World) {
    compare_all(name, world, &["ssl"]);
}

/// The same of several rollouts.
fn compare_all(name: &str, world: World, rollouts: &[&str]) {
    committed(name, &course(world, rollouts));
}

/// What happens until rollouts are over or paused, and what became of each host.
fn course(mut world: World, rollouts: &[&str]) -> Vec<String> {
    world.until("they rest", |world| {
        let moves = |phase| matches!(phase, "running" | "rolling-back" | "aborting");
        !rollouts.iter().any(|rollout| moves(world.phase(rollout)))
    });
    let hosts = world.hosts_now();
    let mut course = world.trace(crate::world::START);
    for rollout in rollouts {
        let which = match *rollout {
            "ssl" => "the rollout".to_owned(),
            other => format!("rollout {other}"),
        };
        course.push(format!("\n{which} is {}", world.phase(rollout)));
        for host in &hosts {
            course.push(format!("{host}: {}", world.outcome(rollout, host)));
        }
    }
    course
}

/// Compares lines with the committed ones.
fn committed(name: &str, course: &[String]) {
    let course = course.join("\n") + "\n";
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/machines/scripts")
        .join(format!("{name}.txt"));
    if env("UPDATE").is_some() {
        fs::write(&path, &course).expect("the sources can be written");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    let first = committed.lines().zip(course.lines()).find(|(a, b)| a != b);
    assert!(
        committed == course,
        "{name} took another course, first at {first:?}; UPDATE=1 writes it anew:\n{course}"
    );
}

#[test]
fn a_second_opinion_clears_the_first_failure() {
    let mut world = six();
    world.start(&file("ssl", "openssl", "", TWO_WAVES));
    let first = world.turns("ssl", 0).remove(0);
    let unhealthy = fails(FailureKind::Unhealthy);
    world.model.set(&first, Step::Verify, unhealthy, None);
    compare("second_opinion", world);
}

#[test]
fn a_bad_stratum_stops_the_canary() {
    let mut world = six();
    for host in ["rare-c-1", "rare-c-2", "rare-c-3"] {
        let unhealthy = fails(FailureKind::Unhealthy);
        world.model.set(&id(host), Step::Verify, unhealthy, None);
    }
    world.start(&file("ssl", "openssl", "", TWO_WAVES));
    compare("bad_stratum", world);
}

#[test]
fn one_dead_host_stops_nothing() {
    let mut world = six();
    world
        .model
        .set(&id("web-a-2"), Step::Apply, Does::Dies, None);
    world.start(&file("ssl", "openssl", "", TWO_WAVES));
    compare("one_dead_host", world);
}

#[test]
fn a_restart_in_the_middle_goes_on() {
    let mut world = six();
    world.start(&file("ssl", "openssl", "", TWO_WAVES));
    world.until("some have passed", |world| {
        world.hosts_that_are("ssl", "passed").len() > 2
    });
    world.crash_agent(&id("web-a-3"), Boots::Anew, Some(secs(90)));
    world.crash_owner(Crash::BeforeSend, secs(3));
    compare("restart", world);
}

#[test]
fn a_rollback_that_is_paused_fails_on_one_host_and_waits_for_another() {
    let mut world = six();
    world.start(&file("ssl", "openssl", "", TWO_WAVES));
    world.until("it is done", |world| world.phase("ssl") == "done");
    world.cut(&id("web-a-3"));
    let broken = fails(FailureKind::Io);
    world
        .model
        .set(&id("rare-c-2"), Step::RollBack, broken, None);
    world.ask("ssl", Action::Rollback);
    world.until("one is back", |world| {
        !world.hosts_that_are("ssl", "rolled back").is_empty()
    });
    world.ask("ssl", Action::Pause);
    world.pass(secs(120));
    world.ask("ssl", Action::Resume);
    world.pass(secs(600));
    world.mend(&id("web-a-3"));
    compare("rollback", world);
}

#[test]
fn two_zones_share_a_token() {
    let mut world = World::new();
    world.owner.keeps_holds = true;
    world.add_hosts("web", "r1/a", "plain", 2);
    world.add_hosts("web", "r1/b", "plain", 2);
    world.pass(secs(1));
    let one_wave = "[[wave]]\nname = \"full\"\nto = \"100%\"\n";
    world.start(&file("ssl", "openssl", "", one_wave));
    compare("tokens", world);
}

#[test]
fn a_pause_and_a_rollback() {
    let mut world = six();
    world.start(&file("ssl", "openssl", "", TWO_WAVES));
    world.until("the full wave runs", |world| {
        world.hosts_that_are("ssl", "running").len() > 1
    });
    world.ask("ssl", Action::Pause);
    world.pass(secs(30));
    world.ask("ssl", Action::Rollback);
    compare("pause_and_rollback", world);
}

/// Six hosts, of which the rare ones cannot pass their checks with the first patch.
fn six_of_two_kinds() -> World {
    let mut world = six();
    for host in ["rare-c-1", "rare-c-2", "rare-c-3"] {
        let unhealthy = fails(FailureKind::Unhealthy);
        world.model.set(&id(host), Step::Verify, unhealthy, None);
    }
    world.start(&file("ssl", "openssl", "", TWO_WAVES));
    world.until("the brake stops it", |world| world.phase("ssl") == "paused");
    world
}

#[test]
fn a_bad_stratum_is_excluded_and_the_rest_goes_on() {
    let mut world = six_of_two_kinds();
    let rare = ["rare-c-1", "rare-c-2", "rare-c-3"];
    world.except("ssl", Word::Exclude, &rare);
    world.ask("ssl", Action::Resume);
    compare("exclude", world);
}

#[test]
fn a_bad_stratum_gets_another_patch() {
    let mut world = six_of_two_kinds();
    for host in ["rare-c-1", "rare-c-2", "rare-c-3"] {
        let well = Does::Well(secs(2));
        world.model.set(&id(host), Step::Verify, well, None);
    }
    let variant = file("ssl-rare", "openssl", "", TWO_WAVES)
        .replace("openssl = \"2\"", "openssl = \"3\"")
        .replace("service == \"web\"", "instance_type == \"rare\"");
    world.amend("ssl", &variant);
    world.ask("ssl", Action::Resume);
    compare_all("amend", world, &["ssl", "ssl-rare"]);
}
