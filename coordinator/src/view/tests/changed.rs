//! What operators see of hosts that are not what they were planned as.

use super::*;
use cofferdam_engine::{
    cell::CellEvent,
    patch::{LockedPackage, LockedPlatform},
    reach::Reach,
};

/// Four hosts on which nothing is known to be installed, and a rollout of openssl 2 to them.
fn to_get_openssl() -> Fleet {
    let mut fleet = connected(4, &["a"]);
    tell(&mut fleet, &PackageSet::default());
    let package = LockedPackage {
        name: "openssl".to_owned(),
        version: "2".to_owned(),
        sha256: Digest::of("openssl 2"),
        size: 1,
    };
    let platform = LockedPlatform {
        platform: hello(0, "a").host.facts.platform.clone(),
        packages: vec![package],
        reach: Reach::Every,
        fixes: None,
    };
    let lock = LockFile {
        rollout: name().to_string(),
        content: Locked::Packages {
            platforms: vec![platform],
        },
    };
    let file = "name = \"practice\"\n[patch]\nkind = \"packages\"\npackages = { openssl = \"2\" }\n\
                [select]\nmatch = 'service == \"web\"'\n";
    let plan = plan_from(file, &lock, &fleet);
    start(&mut fleet, plan);
    fleet
}

fn tell(fleet: &mut Fleet, packages: &PackageSet) {
    let event = FleetEvent::Packages {
        digest: packages.digest(),
        part: 0,
        of: 1,
        packages: packages.clone(),
    };
    apply(fleet, event);
}

/// Somebody brings an older openssl to a host.
fn changes(fleet: &mut Fleet, number: u32) {
    let brought = PackageSet([("openssl".to_owned(), "1".to_owned())].into());
    let cell = fleet.cells().keys().next().cloned().unwrap();
    let event = CellEvent::PackagesChanged {
        host: host(number),
        packages: brought.digest(),
    };
    apply(fleet, FleetEvent::Cell { cell, event });
    tell(fleet, &brought);
}

fn facts(fleet: &Fleet, subject: &str, key: &str) -> Vec<String> {
    let explained = explain(situation(fleet, &Holds::known([])), subject).unwrap();
    let facts = explained.facts.into_iter().filter(|fact| fact.key == key);
    facts.map(|fact| fact.value).collect()
}

#[test]
fn hosts_whose_packages_changed_since_the_plan_are_counted_named_and_explained() {
    let mut fleet = to_get_openssl();
    let counted = |fleet: &Fleet| {
        let view = rollout(situation(fleet, &Holds::known([])), &name()).unwrap();
        view.changed_hosts
    };
    let rollout = "changed since the plan";
    assert_eq!(counted(&fleet), 0);
    assert_eq!(facts(&fleet, "practice", rollout), [""; 0]);

    for number in [1, 3] {
        changes(&mut fleet, number);
    }

    assert_eq!(counted(&fleet), 2);
    let expected =
        "2: web-1, web-3; each is tried as what it was found to be, not as what the plan assumed";
    assert_eq!(facts(&fleet, "practice", rollout), [expected]);
    let delta = fleet.rollouts()[&name()].plan().delta_of(&host(1)).unwrap();
    let expected = format!(
        "its packages changed since the plan was made, and what that assumed is no longer so: it is tried as what \
         it was found to be, a host of delta={delta}"
    );
    assert_eq!(facts(&fleet, "web-1", "in rollout practice"), [expected]);
    assert_eq!(facts(&fleet, "web-2", "in rollout practice"), [""; 0]);
}
