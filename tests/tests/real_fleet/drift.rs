//! A host that changed since its image was sealed: held on its first boot, warned of on later ones.

use super::asked::{LINE, READY, eventually_says, said, until_shown};
use cofferdam_tests::{
    machine::Machine,
    process::{binary, run},
    real_fleet::{RealFleet, host::Host, repository::Package},
};
use std::process::Command;

const INSTALL: &str = "apt-get --quiet update && apt-get --quiet --yes install tea";

/// What is said of the package that is changed.
const CHANGED: &str = "tea:all 1 -> 2, by `apt-get --quiet --yes install tea` at 2";

/// What an image does that upgrades itself at each boot, some time after the agent has started.
const UPGRADES: &str = "[Unit]\nAfter=fleet-address.service\n[Service]\nType=oneshot\n\
    ExecStart=/usr/bin/sleep 6\nExecStart=/usr/bin/apt-get --quiet update\n\
    ExecStart=/usr/bin/apt-get --quiet --yes dist-upgrade\n[Install]\nWantedBy=multi-user.target\n";

/// Seals a host from outside, as an image builder seals a tree.
fn seal(host: &Host) {
    let mut command = Command::new(binary("cofferdam-agent"));
    command.args(["seal", "--root"]).arg(host.root());
    let (code, printed) = run(command);
    assert_eq!(code, 0, "{printed}");
}

/// Hosts with `tea 1`, sealed, that no agent runs on yet; the repository has `tea 2`.
async fn sealed(hosts: usize) -> Option<RealFleet> {
    let fleet = RealFleet::boot(Machine::several(hosts)).await?;
    let repository = &fleet.repository;
    repository.publish(&Package::new("tea", "1")).await.unwrap();
    for host in fleet.hosts() {
        said(host, INSTALL).await;
        seal(host);
    }
    repository.publish(&Package::new("tea", "2")).await.unwrap();
    Some(fleet)
}

#[tokio::test]
async fn a_first_boot_with_a_changed_package_is_held_until_a_person_accepts_it() {
    let Some(fleet) = sealed(2).await else {
        return;
    };
    let [drifted, same] = fleet.hosts() else {
        panic!("two hosts are expected");
    };
    said(drifted, INSTALL).await;
    fleet.manage().await.unwrap();

    eventually_says(same, LINE, "up ready").await;
    assert!(
        said(same, "cofferdam-agent drift")
            .await
            .contains("drift   none")
    );
    let held = format!("not available: held since the boot: drift: fail: {CHANGED}");
    let page = eventually_says(drifted, READY, &held).await;
    assert!(page.ends_with(" 503"), "{page}");
    let listed = said(drifted, "cofferdam-agent drift").await;
    assert!(listed.contains("drift holds this host back"), "{listed}");
    assert!(listed.contains(CHANGED), "{listed}");

    until_shown(&fleet, &["hosts", "--drift"], &[CHANGED, "1 package"]).await;

    // It is no first boot less for having been held.
    drifted.reboot().await.unwrap();
    eventually_says(drifted, READY, &held).await;
    said(drifted, "cofferdam-agent seal").await;
    eventually_says(drifted, LINE, "up ready").await;
    fleet.take_down().unwrap();
}

#[tokio::test]
async fn an_image_that_upgrades_itself_as_it_boots_gets_no_traffic_before_and_none_after() {
    let Some(fleet) = sealed(1).await else {
        return;
    };
    let host = &fleet.hosts()[0];
    fleet.control.start().await.unwrap();
    fleet.control.enrol(host).unwrap();
    host.write("etc/systemd/system/upgrades.service", UPGRADES)
        .unwrap();
    // The guard observes, as it does by default.
    let enable = "cofferdam-agent guard install && \
                  systemctl enable upgrades cofferdam-health cofferdam-agent";
    said(host, enable).await;

    host.reboot().await.unwrap();

    let held = "not available: held since the boot: drift: fail: tea:all 1 -> 2, by \
                `/usr/bin/apt-get --quiet --yes dist-upgrade`";
    eventually_says(host, READY, held).await;
    let seen = said(host, "cofferdam-agent guard status").await;
    assert!(seen.contains("would be refused: "), "{seen}");
    fleet.take_down().unwrap();
}

#[tokio::test]
async fn a_reboot_of_a_host_that_was_let_in_comes_back_with_a_warning_of_its_drift() {
    let Some(fleet) = sealed(1).await else {
        return;
    };
    let host = &fleet.hosts()[0];
    fleet.manage().await.unwrap();
    eventually_says(host, LINE, "up ready").await;
    // What the guard lets pass is looked at as soon as it has ended.
    said(host, "cofferdam-agent guard install").await;
    said(host, INSTALL).await;
    until_shown(&fleet, &["hosts", "--drift"], &[CHANGED]).await;

    host.reboot().await.unwrap();

    eventually_says(host, LINE, "up ready").await;
    let listed = said(host, "cofferdam-agent drift").await;
    assert!(listed.contains("boot    drift is a warning"), "{listed}");
    assert!(listed.contains(CHANGED), "{listed}");
    let json = said(host, "cofferdam-agent drift -o json").await;
    assert!(json.contains("\"effect\": \"warns\""), "{json}");
    let health = "curl --silent --fail --max-time 5 127.0.0.1:9100/healthz";
    eventually_says(host, health, CHANGED).await;
    let logged = host.journal("cofferdam-agent").await.unwrap();
    assert!(
        logged.contains("not as its image says: tea:all"),
        "{logged}"
    );
    fleet.take_down().unwrap();
}
