//! Hosts with a guard, and what is asked of it.

use super::asked::{RUN_WITHIN, on_each, said};
use cofferdam_tests::{
    machine::Machine,
    patience::eventually,
    real_fleet::{
        RealFleet,
        host::{BOOTED_WITHIN, Host},
        repository::{ORIGIN, Package},
    },
};

/// What a person types.
pub(super) const UPGRADE: &str =
    "DEBIAN_FRONTEND=noninteractive apt-get --quiet --yes dist-upgrade";

pub(super) async fn installed(host: &Host) -> String {
    said(host, "dpkg-query --show --showformat='${Version}' tea").await
}

pub(super) async fn status(host: &Host) -> String {
    // Its exit code says whether the guard is in control.
    let answer = host.run("cofferdam-agent guard status").await.unwrap();
    assert!(matches!(answer.code, Some(0 | 3)), "{}", answer.printed);
    assert_eq!(answer.code == Some(3), answer.printed.contains("LOST"));
    answer.printed
}

/// Waits until a host has `tea 2`.
pub(super) async fn upgraded(what: &str, host: &Host) {
    eventually(what, RUN_WITHIN, async || {
        let version = installed(host).await;
        let upgraded = (version == "2").then_some(());
        upgraded.ok_or(version)
    })
    .await;
}

/// Waits until the guard's status has all of this.
pub(super) async fn written_down(host: &Host, parts: &[&str]) {
    eventually(
        "the refusal to be written down",
        BOOTED_WITHIN,
        async || {
            let status = status(host).await;
            let named = parts.iter().all(|part| status.contains(part));
            named.then_some(()).ok_or(status)
        },
    )
    .await;
}

/// A command that is started by the host itself, so that its parents are on the host.
pub(super) fn by_a_session(line: &str) -> String {
    // A shell that has one command only becomes it.
    format!("systemd-run --quiet --pipe --wait bash -c 'if ! {{ {line}; }}; then exit 1; fi'")
}

/// The other ways to change packages, PackageKit's command, and a resolver that says what it was asked. One
/// list, so that its layer is made once.
pub(super) const FURTHER: &str = "dnf,packagekit,packagekit-tools,cloud-init,systemd-resolved";

/// A fleet of managed hosts with `tea 1`, and `tea 2` waiting for unattended-upgrades.
pub(super) async fn fleet(hosts: usize) -> Option<RealFleet> {
    fleet_with(None, hosts).await
}

/// The same, with further packages of Debian on each host.
pub(super) async fn fleet_with(packages: Option<&str>, hosts: usize) -> Option<RealFleet> {
    let fleet = RealFleet::boot_with(packages, Machine::several(hosts)).await?;
    fleet.manage().await.unwrap();
    let repository = &fleet.repository;
    repository.publish(&Package::new("tea", "1")).await.unwrap();
    let origins = format!("Unattended-Upgrade::Origins-Pattern {{ \"origin={ORIGIN}\"; }};\n");
    let periodic = "APT::Periodic::Update-Package-Lists \"1\";\n\
                    APT::Periodic::Unattended-Upgrade \"always\";\n";
    for host in fleet.hosts() {
        let path = "etc/apt/apt.conf.d/60fleet";
        host.write(path, format!("{origins}{periodic}")).unwrap();
    }
    let install = "apt-get --quiet update && apt-get --quiet --yes install tea";
    on_each(&fleet, install).await;
    repository.publish(&Package::new("tea", "2")).await.unwrap();
    on_each(&fleet, "apt-get --quiet update").await;
    Some(fleet)
}

/// Has the host's config say `enforce`.
pub(super) async fn say_enforce(host: &Host) {
    said(
        host,
        "printf '\\n[guard]\\nmode = \"enforce\"\\n' >>/etc/cofferdam/agent.toml",
    )
    .await;
}

/// Installs the guard, as its package would, after the operator has said `enforce`.
pub(super) async fn enforce(host: &Host) {
    say_enforce(host).await;
    said(host, "cofferdam-agent guard install").await;
}
