//! Hosts install what the signed repository offers.

use cofferdam_tests::{
    machine::Machine,
    real_fleet::{RealFleet, host::Host, repository::Package},
};
use std::fs;

const INSTALL: &str =
    "apt-get --quiet --yes --error-on=any update && apt-get --quiet --yes install tea";

async fn installed(host: &Host) -> String {
    let query = "dpkg-query --show --showformat='${Version}' tea";
    host.run(query).await.unwrap().printed
}

#[tokio::test]
async fn a_host_installs_a_package_of_the_signed_repository_and_refuses_an_unsigned_one() {
    let Some(fleet) = RealFleet::boot(Machine::several(1)).await else {
        return;
    };
    let host = &fleet.hosts()[0];
    let repository = &fleet.repository;
    let first = Package::new("tea", "1").script("postinst", "systemctl --version >/var/lib/tea");
    repository.publish(&first).await.unwrap();

    host.run(INSTALL).await.unwrap().well();
    assert_eq!(installed(host).await, "1");
    assert!(host.root().join("var/lib/tea").exists());

    // Two publications within one second are told apart.
    repository.publish(&Package::new("tea", "2")).await.unwrap();
    host.run(INSTALL).await.unwrap().well();
    assert_eq!(installed(host).await, "2");

    repository.publish(&Package::new("tea", "3")).await.unwrap();
    let index = repository.served().join("InRelease");
    let signed = fs::read_to_string(&index).unwrap();
    // Of the same time: apt does not fetch what is not newer, and publications count ahead of the clock.
    let time = fs::metadata(&index).unwrap().modified().unwrap();
    fs::write(&index, signed.replace("Suite: stable", "Suite: forged")).unwrap();
    let forged = fs::File::options().write(true).open(&index).unwrap();
    forged.set_modified(time).unwrap();
    let refused = host.run(INSTALL).await.unwrap();
    assert_ne!(refused.code, Some(0), "{}", refused.printed);
    assert!(refused.printed.contains("BADSIG"), "{}", refused.printed);
    assert_eq!(installed(host).await, "2");

    repository.close().unwrap();
    let refused = host.run(INSTALL).await.unwrap();
    assert!(
        refused.printed.contains("10.203.0.1"),
        "{}",
        refused.printed
    );
    fleet.take_down().unwrap();
}
