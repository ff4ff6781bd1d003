//! Hosts are machines of their own.

use cofferdam_tests::{
    machine::Machine,
    real_fleet::{RealFleet, host::Host},
};
use std::collections::BTreeSet;

async fn said(host: &Host, line: &str) -> String {
    host.run(line).await.unwrap().well().trim().to_owned()
}

#[tokio::test]
async fn hosts_have_their_own_identity_network_and_power_and_keep_what_they_wrote() {
    let Some(fleet) = RealFleet::boot(Machine::several(3)).await else {
        return;
    };
    each_is_itself(fleet.hosts()).await;
    let [first, second, third] = fleet.hosts() else {
        panic!("three hosts are expected");
    };
    they_reach_each_other_and_nothing_else(first, second).await;
    tokio::join!(
        a_reboot_keeps_what_is_on_disk(first),
        a_power_cut_leaves_no_container(second, third),
    );
    fleet.switch_on().await.unwrap();
    fleet.take_down().unwrap();
}

async fn each_is_itself(hosts: &[Host]) {
    let (mut ids, mut boots) = (BTreeSet::new(), BTreeSet::new());
    for host in hosts {
        assert_eq!(said(host, "hostname").await, host.name().as_str());
        assert_eq!(said(host, "cat /proc/1/comm").await, "systemd");
        let failed = said(host, "systemctl list-units --state=failed --no-legend").await;
        assert_eq!(failed, "");
        let addresses = said(host, "ip -brief -4 address show host0").await;
        let own = format!("{}/16", host.address());
        assert!(addresses.contains(&own), "{addresses}");
        ids.insert(said(host, "cat /etc/machine-id").await);
        boots.insert(host.boot_id().await.unwrap());
    }
    assert_eq!((ids.len(), boots.len()), (3, 3), "{ids:?} {boots:?}");
}

/// Nothing of the machine, and nothing past it.
async fn they_reach_each_other_and_nothing_else(first: &Host, second: &Host) {
    let neighbour = format!("http://{}:8000/", second.address());
    let listen = "systemd-run --quiet python3 -m http.server";
    said(second, listen).await;
    let ask =
        format!("curl --silent --fail --retry 20 --retry-connrefused --retry-delay 1 {neighbour}");
    said(first, &ask).await;
    let outside = "ip route get 192.0.2.1";
    assert_ne!(first.run(outside).await.unwrap().code, Some(0));
}

async fn a_reboot_keeps_what_is_on_disk(host: &Host) {
    let first = host.boot_id().await.unwrap();
    said(host, "echo kept >/root/note; echo gone >/run/note").await;

    let second = host.reboot().await.unwrap();
    let third = host.reboot().await.unwrap();

    assert_ne!(first, second);
    assert_ne!(second, third);
    assert_eq!(said(host, "cat /root/note").await, "kept");
    assert_ne!(host.run("cat /run/note").await.unwrap().code, Some(0));
    // Its journal is of all three boots.
    let boots = said(host, "journalctl --list-boots --no-pager --quiet").await;
    assert_eq!(boots.lines().count(), 3, "{boots}");
}

/// The one that is cut is off in the end.
async fn a_power_cut_leaves_no_container(cut: &Host, other: &Host) {
    let first = cut.boot_id().await.unwrap();
    said(
        cut,
        "touch /var/lib/running; systemd-run --quiet sleep infinity",
    )
    .await;

    cut.cut_power().unwrap();

    assert_eq!(cut.init(), None);
    assert!(cut.run("true").await.is_err());
    assert!(cut.root().join("var/lib/running").exists());
    assert!(other.init().is_some(), "the other host has its own power");
    cut.power_on().await.unwrap();
    assert_ne!(cut.booted().await.unwrap(), first);

    cut.power_off().await.unwrap();
    assert_eq!(cut.init(), None);
}
