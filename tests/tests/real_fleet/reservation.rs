//! An operator who has reserved a host may change its packages.

use super::{
    asked::{said, until_shown},
    guarded::{UPGRADE, by_a_session, enforce, fleet, installed, status, written_down},
};
use cofferdam_tests::{patience::eventually, process::run, real_fleet::host::BOOTED_WITHIN};

#[tokio::test]
async fn who_has_reserved_a_host_may_change_its_packages_until_it_is_given_back() {
    let Some(fleet) = fleet(1).await else {
        return;
    };
    let host = &fleet.hosts()[0];
    let operator = |arguments: &[&str]| {
        let mut command = fleet.control.operator();
        command.args(arguments).arg(host.name().as_str());
        let (code, printed) = run(command);
        assert_eq!(code, 0, "{printed}");
    };
    enforce(host).await;
    // A host that is silent is out already, and may be had though it is the only one.
    said(host, "systemctl stop cofferdam-agent").await;
    until_shown(&fleet, &["hosts"], &["no  "]).await;
    operator(&["reserve", "--for", "30m", "--reason", "new disk"]);
    let refused = host.run(&by_a_session(UPGRADE)).await.unwrap();
    assert_ne!(
        refused.code,
        Some(0),
        "it does not know yet: {}",
        refused.printed
    );
    said(host, "systemctl start cofferdam-agent").await;
    written_down(host, &["reserved  by ana for another ", ": new disk"]).await;

    said(host, &by_a_session(UPGRADE)).await;
    assert_eq!(installed(host).await, "2");
    let passed = "passed, the host being reserved: apt-get";
    written_down(host, &[passed]).await;
    until_shown(&fleet, &["explain", host.name().as_str()], &[passed]).await;

    operator(&["release"]);
    eventually("the host to hear of it", BOOTED_WITHIN, async || {
        let status = status(host).await;
        let is_over = !status.contains("reserved  by");
        is_over.then_some(()).ok_or(status)
    })
    .await;
    let back = by_a_session("apt-get --quiet --yes --allow-downgrades install tea=1");
    assert_ne!(host.run(&back).await.unwrap().code, Some(0));
    fleet.take_down().unwrap();
}
