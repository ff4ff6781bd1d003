//! What an image does by itself as it boots: whom it calls is seen, and what changes packages is refused.

use super::{
    asked::{eventually_says, on_each, said, until_shown},
    guarded::{FURTHER, enforce, fleet_with, installed, upgraded, written_down},
};
use cofferdam_tests::real_fleet::{
    RealFleet, host::Host, network::BRIDGE_ADDRESS, repository::Package,
};

/// What a cloud image does that upgrades itself at each boot, and is done before cloud-init begins to.
const UPGRADES: &str = "[Unit]\nAfter=network.target fleet-address.service\nBefore=cloud-final.service\n\
    [Service]\nType=oneshot\nExecStart=/usr/bin/apt-get --quiet update\n\
    ExecStart=/usr/bin/unattended-upgrade --verbose\n[Install]\nWantedBy=multi-user.target\n";

/// What stays for cloud-init to upgrade.
const LEAVES: &str = "Unattended-Upgrade::Package-Blacklist { \"milk\"; };\n";

/// What an instance is told by whoever made it, and what of cloud-init these hosts have, whose names, addresses
/// and sources are set already.
const CLOUD: [(&str, &str); 3] = [
    (
        "var/lib/cloud/seed/nocloud/user-data",
        "#cloud-config\npackage_upgrade: true\n",
    ),
    ("var/lib/cloud/seed/nocloud/meta-data", "instance-id: one\n"),
    (
        "etc/cloud/cloud.cfg.d/60-fleet.cfg",
        "datasource_list: [NoCloud]\nnetwork: {config: disabled}\ncloud_init_modules: []\n\
         cloud_config_modules: []\ncloud_final_modules: [package-update-upgrade-install]\n",
    ),
];

/// Has an agent watch what is called, and resolved be asked.
const WATCHED: &str = "printf '\\n[drift]\\nboot_evidence = \"10m\"\\n' >>/etc/cofferdam/agent.toml && \
    ln -sf ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf";

/// Dials what nobody else on the host does, the coordinator's metrics, and looks a name up again and again.
fn calls_home() -> String {
    format!(
        "[Unit]\nAfter=fleet-address.service\n[Service]\nExecStart=/bin/bash -c \
         'exec 3<>/dev/tcp/{BRIDGE_ADDRESS}/7301; while sleep 1; do curl --silent packages.example.org; done'\n\
         [Install]\nWantedBy=multi-user.target\n"
    )
}

/// Two hosts that upgrade `tea` by a unit of their own and `milk` by cloud-init, once they boot.
async fn images() -> Option<RealFleet> {
    let fleet = fleet_with(Some(FURTHER), 2).await?;
    let repository = &fleet.repository;
    repository
        .publish(&Package::new("milk", "1"))
        .await
        .unwrap();
    for host in fleet.hosts() {
        let unit = "etc/systemd/system/upgrades.service";
        let own = [(unit, UPGRADES), ("etc/apt/apt.conf.d/61fleet", LEAVES)];
        for (path, text) in own.iter().chain(&CLOUD) {
            host.write(path, text).unwrap();
        }
    }
    let install = "apt-get --quiet update && apt-get --quiet --yes install milk && \
                   systemctl --quiet enable upgrades";
    on_each(&fleet, install).await;
    repository
        .publish(&Package::new("milk", "2"))
        .await
        .unwrap();
    Some(fleet)
}

/// By which command a package was upgraded.
async fn upgraded_by(host: &Host, package: &str) -> String {
    let log =
        format!("grep --before-context=2 'Upgrade: {package}:.* (1, 2)' /var/log/apt/history.log");
    eventually_says(host, &log, package).await
}

#[tokio::test]
async fn upgrades_at_boot_are_refused_and_named_and_happen_without_the_guard_and_calls_are_seen() {
    let Some(fleet) = images().await else {
        return;
    };
    let [guarded, free] = fleet.hosts() else {
        panic!("two hosts are expected");
    };
    enforce(guarded).await;
    let calls = "etc/systemd/system/calls-home.service";
    free.write(calls, calls_home()).unwrap();
    said(
        free,
        &format!("{WATCHED} && systemctl --quiet enable calls-home"),
    )
    .await;
    tokio::join!(async { guarded.reboot().await.unwrap() }, async {
        free.reboot().await.unwrap()
    },);

    upgraded("the free host to be upgraded", free).await;
    let by = upgraded_by(free, "tea").await;
    assert!(by.contains("/usr/bin/unattended-upgrade"), "{by}");
    let by = upgraded_by(free, "milk").await;
    assert!(by.contains("dist-upgrade"), "{by}");
    let by_unit = "refused: /usr/bin/python3 /usr/bin/unattended-upgrade";
    let by_cloud = "refused: apt-get --option=Dpkg::Options::=--force-confold";
    let named = [by_unit, "upgrades.service", "tea 1 -> 2"];
    written_down(guarded, &named).await;
    let named = [by_cloud, "cloud-final.service", "milk 1 -> 2"];
    written_down(guarded, &named).await;
    assert_eq!(installed(guarded).await, "1");
    until_shown(&fleet, &["hosts", "--guard"], &[by_cloud, "milk 1 -> 2"]).await;
    until_shown(
        &fleet,
        &["explain", guarded.name().as_str()],
        &[by_unit, by_cloud],
    )
    .await;

    let evidence = eventually_says(free, "cofferdam-agent evidence", "packages.example.org").await;
    assert!(evidence.contains("still until 600 s"), "{evidence}");
    let dialled = format!("tcp {BRIDGE_ADDRESS}:7301  by /bin/bash");
    assert!(evidence.contains(&dialled), "{evidence}");
    assert!(evidence.contains("in calls-home.service"), "{evidence}");
    fleet.take_down().unwrap();
}
