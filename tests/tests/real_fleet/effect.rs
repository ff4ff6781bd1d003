//! What a rollout installs is what runs afterwards, or the host says what does not.

use super::asked::{RUN_WITHIN, said, start, until_shown};
use cofferdam_tests::{
    machine::Machine,
    patience::eventually,
    real_fleet::{RealFleet, host::Host, repository::Package},
    rollout::{self, ALL_AT_ONCE},
};
use std::fs;

/// A library, as good as any other, that packages replace.
const LIBRARY: &str = "usr/lib/x86_64-linux-gnu/libz.so.1";

/// A service that maps the library of `tea` and never looks for a newer one.
fn service() -> String {
    "[Service]\nEnvironment=LD_PRELOAD=/usr/lib/tea/libtea.so.1\nExecStart=/bin/sleep infinity\n"
        .to_owned()
}

async fn process_of(host: &Host, unit: &str) -> String {
    let line = format!("systemctl show --property=MainPID --value {unit}");
    said(host, &line).await
}

async fn effect(host: &Host) -> String {
    said(host, "cofferdam-agent effect").await
}

#[tokio::test]
async fn a_service_that_maps_a_replaced_library_is_restarted_unless_the_host_keeps_it_back() {
    let Some(fleet) = RealFleet::boot(Machine::several(1)).await else {
        return;
    };
    let host = &fleet.hosts()[0];
    let library = fs::read(host.root().join(LIBRARY)).unwrap();
    let tea = |version| Package::new("tea", version).file("usr/lib/tea/libtea.so.1", &*library);
    fleet.repository.publish(&tea("1")).await.unwrap();
    let install = "apt-get --quiet update && apt-get --quiet --yes install tea";
    said(host, install).await;
    for unit in ["tea", "milk"] {
        let file = format!("etc/systemd/system/{unit}.service");
        host.write(&file, service()).unwrap();
    }
    said(host, "systemctl daemon-reload && systemctl start tea milk").await;
    fleet.manage().await.unwrap();
    let config = host.root().join("etc/cofferdam/agent.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("never_restart = [\"milk*\"]\n{text}")).unwrap();
    said(host, "systemctl restart cofferdam-agent").await;
    assert_eq!(effect(host).await, "effective: yes");
    let (tea_before, milk_before) = (
        process_of(host, "tea").await,
        process_of(host, "milk").await,
    );

    fleet.repository.publish(&tea("2")).await.unwrap();
    // Nothing stands in for the one host, and nothing needs to.
    let text = rollout::package("tea", "tea", "2").replace("50%", "0%") + ALL_AT_ONCE;
    start(&fleet, &text).await;

    let left =
        "effective: needs-restart milk.service\n  milk.service runs /usr/lib/tea/libtea.so.1";
    eventually("the rollout to take effect", RUN_WITHIN, async || {
        let effect = effect(host).await;
        (effect == left).then_some(()).ok_or(effect)
    })
    .await;
    until_shown(&fleet, &["hosts"], &["needs-restart milk.service"]).await;
    until_shown(
        &fleet,
        &["explain", host.name().as_str()],
        &["effective", "needs-restart milk.service"],
    )
    .await;
    assert_ne!(process_of(host, "tea").await, tea_before);
    assert_eq!(process_of(host, "milk").await, milk_before);
    said(host, "systemctl restart milk").await;
    assert_eq!(effect(host).await, "effective: yes");
    fleet.take_down().unwrap();
}
