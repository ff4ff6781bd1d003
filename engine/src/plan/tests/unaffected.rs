//! Upgrades leave alone the hosts that they have nothing for.

use super::fleet::{Fleet, NOW, locked_openssl};
use crate::{
    calendar::Calendar,
    denial::Denials,
    inventory::PackageSet,
    patch::{LockFile, Locked},
    plan::{Plan, PlanError, PlanInput, PlatformChange, Warning, changes},
    reach::Reach,
    spec::Spec,
};
use std::collections::{BTreeMap, BTreeSet};

const SECURITY: &str =
    "[patch]\nkind = \"packages\"\nsecurity = \"all\"\n[select]\nmatch = 'service == \"web\"'\n";

fn upgrade() -> LockFile {
    let mut lock = locked_openssl(&["amd64"]);
    if let Locked::Packages { platforms } = &mut lock.content {
        platforms[0].reach = Reach::Upgrade {
            needed_by: BTreeMap::new(),
        };
    }
    lock
}

fn openssl(version: &str) -> PackageSet {
    PackageSet(BTreeMap::from([("openssl".to_owned(), version.to_owned())]))
}

fn changes_of(fleet: &Fleet, file: &str, lock: &LockFile) -> Vec<PlatformChange> {
    let spec = Spec::parse("x.toml", &format!("name = \"x\"\n{file}")).unwrap();
    let input = PlanInput {
        hosts: &fleet.hosts,
        cells: fleet.placed.homes(),
        denials: &Denials::default(),
        casualties: &BTreeSet::new(),
        unready: &BTreeSet::new(),
        package_sets: &fleet.package_sets,
        services: &fleet.services,
        calendar: &Calendar::default(),
        now: NOW,
    };
    let plan = Plan::make(&spec, lock, &input).unwrap();
    changes(&spec, lock, &input, &plan)
}

#[test]
fn hosts_that_need_nothing_are_counted_and_left_alone() {
    let mut fleet = Fleet::default().with("web", "r1/a", "t", 12);
    let sets = [
        openssl("2"),
        openssl("3"),
        openssl("4"),
        PackageSet::default(),
    ];
    for (place, host) in fleet.hosts.values_mut().enumerate() {
        let set = &sets[place % sets.len()];
        host.facts.packages = set.digest();
    }
    for set in sets {
        fleet.package_sets.insert(set.digest(), set);
    }
    let plan = fleet.try_plan_with(SECURITY, &upgrade()).unwrap();
    let left_alone = Warning::NotAffected { hosts: 9, of: 12 };
    assert_eq!(plan.hosts.len(), 3);
    let changes = changes_of(&fleet, SECURITY, &upgrade());
    assert_eq!((changes[0].hosts, changes[0].unaffected), (12, 9));
    let openssl = &changes[0].packages[0];
    assert_eq!((openssl.replaced, openssl.added), (3, 0));
    assert_eq!(openssl.from, BTreeSet::from(["2".to_owned()]));
    assert!(plan.warnings.contains(&left_alone), "{:?}", plan.warnings);
    assert!(plan.strata.iter().any(|stratum| stratum.label == "delta"));
}

#[test]
fn a_host_of_which_nothing_is_known_may_need_something() {
    let fleet = Fleet::default().with("web", "r1/a", "t", 3);
    let plan = fleet.try_plan_with(SECURITY, &upgrade()).unwrap();
    assert_eq!(plan.hosts.len(), 3);
}

#[test]
fn a_rollout_that_has_nothing_for_anybody_is_said_to_be_done() {
    let mut lock = upgrade();
    if let Locked::Packages { platforms } = &mut lock.content {
        platforms[0].packages.clear();
    }
    let fleet = Fleet::default().with("web", "r1/a", "t", 3);
    let errors = fleet.try_plan_with(SECURITY, &lock).unwrap_err();
    assert_eq!(errors.0, [PlanError::NothingToDo { hosts: 3 }]);
}

#[test]
fn a_lock_file_that_reaches_other_hosts_than_the_rollout_file_is_refused() {
    let fleet = Fleet::default().with("web", "r1/a", "t", 3);
    let named = SECURITY.replace("security = \"all\"", "packages = { openssl = \"3\" }");
    let of_advisory = SECURITY.replace(
        "security = \"all\"",
        "advisory = \"DSA-1-1\"\nadvisory_file = \"DSA.json\"",
    );
    for (file, lock) in [
        (&*named, upgrade()),
        (SECURITY, locked_openssl(&["amd64"])),
        (&*of_advisory, upgrade()),
    ] {
        let errors = fleet.try_plan_with(file, &lock).unwrap_err();
        assert_eq!(errors.0, [PlanError::OtherPatch], "{file}");
    }
}

#[test]
fn named_packages_show_what_they_replace_and_where_they_are_new() {
    let mut fleet = Fleet::default().with("web", "r1/a", "t", 6);
    let sets = [openssl("2"), openssl("3"), PackageSet::default()];
    for (place, host) in fleet.hosts.values_mut().enumerate() {
        host.facts.packages = sets[place % sets.len()].digest();
    }
    for set in sets {
        fleet.package_sets.insert(set.digest(), set);
    }
    let named = SECURITY.replace("security = \"all\"", "packages = { openssl = \"3\" }");
    let changes = changes_of(&fleet, &named, &locked_openssl(&["amd64"]));
    assert_eq!((changes[0].hosts, changes[0].unaffected), (6, 0));
    let openssl = &changes[0].packages[0];
    assert_eq!((openssl.replaced, openssl.added), (2, 2));
}

#[test]
fn hosts_that_no_wave_takes_are_not_counted_as_changed() {
    let mut fleet = Fleet::default().with("web", "r1/a", "t", 6);
    let set = openssl("2");
    for host in fleet.hosts.values_mut() {
        host.facts.packages = set.digest();
    }
    fleet.package_sets.insert(set.digest(), set);
    let named = SECURITY.replace("security = \"all\"", "packages = { openssl = \"3\" }");
    let one = named + "[[wave]]\nname = \"one\"\nhosts = 1\n";
    let changes = changes_of(&fleet, &one, &locked_openssl(&["amd64"]));
    assert_eq!((changes[0].hosts, changes[0].packages[0].replaced), (1, 1));
}
