//! Hosts that match, were there at the start, and that the rollout is not for.

use super::{WAVES, floor, secs};
use crate::world::{Crash, World, file, id};
use cofferdam_engine::{
    cell::CellEvent, fleet::FleetEvent, id::HostId, inventory::PackageSet, rollout::Action,
};

/// A rollout for two of six hosts, which has not ended.
fn few(top: &str) -> World {
    let mut world = World::new().hosts("web", "r1/a", 6);
    let tables = "[[wave]]\nname = \"few\"\nhosts = 2\n".to_owned() + &floor("50%");
    world.start(&file("ssl", "openssl", top, &tables));
    world
}

fn in_no_wave(world: &World) -> Vec<HostId> {
    let planned = &world.rollout("ssl").plan().hosts;
    let all = world.agents.keys().cloned();
    all.filter(|host| !planned.contains_key(host)).collect()
}

/// Every host dials again.
fn dial_again(world: &mut World) {
    let hosts: Vec<HostId> = world.agents.keys().cloned().collect();
    for host in &hosts {
        world.break_session(host);
    }
    world.pass(secs(30));
}

#[test]
fn a_host_in_no_wave_stays_as_it_is_whoever_dials_again_or_restarts() {
    for top in ["", "standing = true"] {
        let mut world = few(top);
        assert_eq!(in_no_wave(&world).len(), 4);
        dial_again(&mut world);
        world.crash_owner(Crash::BeforeSend, secs(5));
        world.pass(secs(60));
        dial_again(&mut world);
        world.until("two have passed", |world| world.count("ssl", "passed") == 2);
        world.pass(secs(3600));

        assert_eq!(in_no_wave(&world).len(), 4);
        assert_eq!(world.count("ssl", "passed"), 2);
        assert!(world.rollout("ssl").left_late().is_empty());
    }
}

#[test]
fn a_host_in_no_wave_joins_once_it_is_born_again_or_becomes_another() {
    let mut world = few("standing = true");
    let [relabelled, reborn] = [0, 1].map(|place| in_no_wave(&world)[place].clone());
    world.relabel(&relabelled, "db");
    world.cut(&reborn);
    world.pass(secs(30));
    world.forget(&reborn);
    world.pass(secs(30));
    assert_eq!(in_no_wave(&world).len(), 4);

    world.relabel(&relabelled, "web");
    world.make_anew(&reborn);
    world.mend(&reborn);
    for host in [relabelled, reborn] {
        world.wait_until_host_is("ssl", host.as_str(), "passed");
    }
    world.pass(secs(3600));
    assert_eq!(world.count("ssl", "passed"), 4);
}

#[test]
fn hosts_that_passed_a_rollout_are_not_taken_by_its_variant_when_they_dial_again() {
    let mut world = World::new().hosts("web", "r1/a", 6);
    let tables = WAVES.to_owned() + &floor("50%");
    world.start(&file("ssl", "openssl", "", &tables));
    world.until("one has passed", |world| world.count("ssl", "passed") == 1);
    let passed = world.hosts_that_are("ssl", "passed").remove(0);
    world.ask("ssl", Action::Pause);
    world.until("no run is left", |world| world.count("ssl", "running") == 0);
    let other = file("fix", "openssl", "standing = true", &tables);
    world.amend("ssl", &other.replace("openssl = \"2\"", "openssl = \"3\""));
    world.ask("ssl", Action::Resume);
    world.wait_for("ssl", "done");
    dial_again(&mut world);
    world.pass(secs(3600));

    assert_eq!(world.outcome("fix", &passed), "untouched");
    assert!(world.count("fix", "passed") > 1);
}

#[test]
fn a_host_that_an_upgrade_has_nothing_for_joins_a_standing_rollout_once_it_needs_it() {
    let mut world = World::new().hosts("web", "r1/a", 4);
    let ahead = id("web-a-1");
    let before = world.agents[&ahead].host.facts.packages;
    let newer = [("openssl", "9"), ("curl", "9")];
    let newer = newer.map(|(name, version)| (name.to_owned(), version.to_owned()));
    has_installed(&mut world, &ahead, PackageSet(newer.into()));
    let text = file("ssl", "openssl", "standing = true", WAVES);
    world.start(&text.replace("packages = { openssl = \"2\" }", "security = \"all\""));
    dial_again(&mut world);
    world.until("three have passed", |world| {
        world.count("ssl", "passed") == 3
    });
    world.pass(secs(3600));
    assert_eq!(world.outcome("ssl", &ahead), "untouched");

    world.agents.get_mut(&ahead).unwrap().host.facts.packages = before;
    let event = CellEvent::PackagesChanged {
        host: ahead.clone(),
        packages: before,
    };
    world.act(FleetEvent::Host { host: ahead, event });
    world.wait_until_host_is("ssl", "web-a-1", "passed");
}

/// A host dials with other packages than before.
fn has_installed(world: &mut World, host: &HostId, packages: PackageSet) {
    let digest = packages.digest();
    world.owner.package_sets.insert(digest, packages);
    let agent = world.agents.get_mut(host).unwrap();
    agent.host.facts.packages = digest;
    world.break_session(host);
    world.pass(secs(30));
}
