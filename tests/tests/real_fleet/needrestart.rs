//! needrestart on a guarded host.

use super::{asked::said, guarded::enforce};
use cofferdam_tests::{machine::Machine, real_fleet::RealFleet};

/// A service whose program was replaced, and a needrestart that is told to restart what it finds.
const REPLACED: &str = "
    cp /usr/bin/sleep /usr/local/bin/busy
    printf '[Service]\nExecStart=/usr/local/bin/busy infinity\n' >/etc/systemd/system/busy.service
    systemctl start busy
    cp /usr/bin/sleep /usr/local/bin/busy.new && mv /usr/local/bin/busy.new /usr/local/bin/busy
    echo \"\\$nrconf{restart} = 'a';\" >/etc/needrestart/conf.d/fleet.conf";

#[tokio::test]
async fn needrestart_restarts_nothing_by_itself_on_a_guarded_host() {
    let Some(fleet) = RealFleet::boot(Machine::several(1)).await else {
        return;
    };
    let host = &fleet.hosts()[0];
    fleet.control.enrol(host).unwrap();
    enforce(host).await;
    said(host, REPLACED).await;
    let runs = "systemctl show --property=MainPID --value busy";
    let before = said(host, runs).await;
    let listed = said(host, "needrestart 2>&1").await;
    assert!(listed.contains("busy.service"), "{listed}");
    assert_eq!(said(host, runs).await, before, "{listed}");

    said(host, "cofferdam-agent guard uninstall").await;
    let restarted = said(host, "needrestart 2>&1").await;
    assert_ne!(said(host, runs).await, before, "{restarted}");
    fleet.take_down().unwrap();
}
