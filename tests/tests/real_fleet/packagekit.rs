//! PackageKit, which desktops and Cockpit upgrade hosts by: through D-Bus at once, and in a boot of its own.

use super::{
    asked::{said, until_shown},
    guarded::{FURTHER, by_a_session, enforce, fleet_with, installed, written_down},
};
use cofferdam_tests::{
    patience::eventually,
    real_fleet::{
        host::{BOOTED_WITHIN, Host},
        network::BRIDGE_ADDRESS,
    },
};

/// What asks it, over D-Bus, to do something.
const ASKS: &str = "pkcon --noninteractive --plain";

/// Says, where it is seen from outside, that a host has come up as usual: the boot for upgrades ends before that.
const COMES_UP: &str = "[Service]\nType=oneshot\nExecStart=/usr/bin/touch /root/came-up\n\
    [Install]\nWantedBy=multi-user.target\n";

/// Has its service see a network, without which it fetches nothing.
async fn gets_a_network(host: &Host) {
    let route = format!("ip route replace default via {BRIDGE_ADDRESS}");
    said(host, &format!("{route} && systemctl restart packagekit")).await;
}

/// Waits for it. Nobody enters the host before: a system that goes down waits for strangers.
async fn come_up(host: &Host) {
    eventually("the host to come up", BOOTED_WITHIN, async || {
        let came_up = host.root().join("root/came-up").exists();
        came_up.then_some(()).ok_or_else(|| "it has not".to_owned())
    })
    .await;
    host.booted().await.unwrap();
}

#[tokio::test]
async fn packagekit_upgrades_neither_at_once_nor_in_a_boot_of_its_own_but_without_the_guard() {
    let Some(fleet) = fleet_with(Some(FURTHER), 2).await else {
        return;
    };
    let [guarded, free] = fleet.hosts() else {
        panic!("two hosts are expected");
    };
    enforce(guarded).await;
    for host in [guarded, free] {
        gets_a_network(host).await;
    }
    let update = by_a_session(&format!("{ASKS} update"));
    let refused = guarded.run(&update).await.unwrap();
    assert_ne!(refused.code, Some(0), "{}", refused.printed);
    assert_eq!(installed(guarded).await, "1");
    let named = [
        "refused: /usr/libexec/packagekitd",
        "packagekit.service",
        "tea 1 -> 2",
    ];
    written_down(guarded, &named).await;
    until_shown(&fleet, &["hosts", "--guard"], &[named[0], named[2]]).await;

    for host in [guarded, free] {
        host.write("etc/systemd/system/comes-up.service", COMES_UP)
            .unwrap();
        let prepare = format!("{ASKS} --only-download update; {ASKS} offline-trigger");
        said(host, &prepare).await;
        said(host, "test -L /system-update && systemctl enable comes-up").await;
        host.run("systemctl reboot").await.unwrap();
    }
    for host in [guarded, free] {
        come_up(host).await;
    }
    assert_eq!(installed(free).await, "2");
    let skipped = "not started: packagekit-offline-update.service";
    written_down(guarded, &[skipped]).await;
    assert_eq!(installed(guarded).await, "1");
    until_shown(&fleet, &["explain", guarded.name().as_str()], &[skipped]).await;

    let back = "apt-get --quiet --yes --allow-downgrades install tea=1";
    said(free, back).await;
    gets_a_network(free).await;
    said(free, &update).await;
    assert_eq!(installed(free).await, "2");
    fleet.take_down().unwrap();
}
