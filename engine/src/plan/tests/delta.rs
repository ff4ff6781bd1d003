//! What plans assume that a patch changes on their hosts.

use super::fleet::{Fleet, NOOP, locked_openssl};
use crate::{
    id::{CellId, HostId},
    inventory::PackageSet,
    stratum::Delta,
    warrant::Assignment,
};

const SSL: &str = "[patch]\nkind = \"packages\"\npackages = { openssl = \"3\" }\n[select]\nmatch = 'service == \"web\"'";

/// Hosts of one cell with these versions of openssl.
fn fleet(versions: &[&str]) -> Fleet {
    let mut fleet = Fleet::default().with("web", "r1/a", "t", versions.len());
    let hosts = fleet.hosts.values_mut();
    for (host, version) in hosts.zip(versions) {
        let packages = PackageSet([("openssl".to_owned(), (*version).to_owned())].into());
        host.facts.packages = packages.digest();
        fleet.package_sets.insert(packages.digest(), packages);
    }
    fleet
}

fn assignment(fleet: &Fleet, file: &str) -> Assignment {
    let plan = match file == NOOP {
        true => fleet.plan(file),
        false => fleet
            .try_plan_with(file, &locked_openssl(&["amd64"]))
            .unwrap(),
    };
    plan.assignments[&CellId::new("r1-a-1").unwrap()].clone()
}

fn deltas(assignment: &Assignment) -> Vec<Option<Delta>> {
    let hosts = assignment.hosts.iter();
    hosts.map(|host| assignment.delta_of(host)).collect()
}

#[test]
fn a_plan_assumes_of_each_host_what_the_patch_changes_there() {
    let mixed = deltas(&assignment(&fleet(&["1", "2", "1"]), SSL));
    assert_eq!(mixed[0], mixed[2]);
    assert_ne!(mixed[0], mixed[1]);
    assert!(mixed.iter().all(Option::is_some));
    assert_eq!(deltas(&assignment(&fleet(&["1", "2"]), NOOP)), [None, None]);
}

#[test]
fn hosts_that_are_all_alike_are_not_listed_until_one_is_otherwise() {
    let mut told = assignment(&fleet(&["1", "1", "1"]), SSL);
    assert!(told.deltas[0].hosts.is_none());
    let hosts: Vec<HostId> = told.hosts.iter().cloned().collect();
    let alike = told.delta_of(&hosts[0]);
    let other = deltas(&assignment(&fleet(&["2", "2"]), SSL))[0];

    told.assume(&hosts[1], other);
    assert_eq!(deltas(&told), [alike, other, alike]);
    told.assume(&hosts[1], alike);
    assert_eq!(deltas(&told), [alike; 3]);
    assert_eq!(told.deltas.len(), 1);
    told.assume(&hosts[2], None);
    assert_eq!(deltas(&told), [alike, alike, None]);
}
