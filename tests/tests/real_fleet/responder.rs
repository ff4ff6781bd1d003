//! What load balancers hear of a real host: from its first moment, over reboots, and while its programs are
//! restarted.

use super::asked::{LINE, READY, eventually_says, said};
use cofferdam_tests::{
    machine::Machine,
    real_fleet::{RealFleet, host::Host},
    site::NO_RAMP,
};

/// A check that passes when it is told to, since this boot.
const CHECK: &str = "#!/bin/sh\ntest -e /run/well || { echo waiting for its cache; exit 1; }\n";

/// Asks without a pause while units are restarted, and counts the answers that were not `ready`.
async fn asks_while(host: &Host, restarted: &str) -> String {
    let line = format!(
        "(for i in 1 2 3 4 5; do systemctl restart {restarted}; done; touch /run/over) & \
         bad=0; all=0; while ! test -e /run/over; do all=$((all+1)); \
         curl --silent --fail --max-time 5 --output /dev/null 127.0.0.1:9100/ready || bad=$((bad+1)); \
         test \"$(cat </dev/tcp/127.0.0.1/9101)\" = 'up ready 100%' || bad=$((bad+1)); \
         done; wait; rm /run/over; test $all -gt 3; echo $bad of $all"
    );
    said(host, &line).await
}

#[tokio::test]
async fn a_host_is_available_only_when_it_is_well_and_restarts_change_nothing() {
    let Some(fleet) = RealFleet::lay_out(Machine::several(1)).await else {
        return;
    };
    let host = &fleet.hosts()[0];
    let check = "etc/cofferdam/checks.d/cache";
    host.write(check, CHECK).unwrap();
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(host.root().join(check), executable).unwrap();
    fleet.control.enrol(host).unwrap();
    let config = host.root().join("etc/cofferdam/agent.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replace(NO_RAMP, "ramp = \"2s\"\n")).unwrap();

    // Before the agent.
    host.enable("cofferdam-health.service").await.unwrap();
    host.power_on().await.unwrap();
    host.booted().await.unwrap();
    let ready = said(host, READY).await;
    assert!(
        ready.starts_with("not available: there is no state file"),
        "{ready}"
    );
    assert!(ready.ends_with(" 503"), "{ready}");
    assert!(
        said(host, LINE)
            .await
            .starts_with("stopped #there is no state file")
    );
    let order = "systemctl show --property=ActiveEnterTimestampMonotonic --value";
    let started = format!("test $({order} cofferdam-health) -le $({order} basic.target)");
    said(host, &started).await;

    // With it, held by its check, until that passes.
    fleet.control.start().await.unwrap();
    host.enable("cofferdam-agent.service").await.unwrap();
    eventually_says(host, READY, "cache: fail: waiting for its cache").await;
    said(host, "touch /run/well").await;
    eventually_says(host, LINE, "up ready").await;
    eventually_says(host, LINE, "up ready 100%").await;

    // Restarts of both, without a request that is refused or answered otherwise.
    let bad = asks_while(host, "cofferdam-agent").await;
    assert!(bad.starts_with("0 of "), "{bad}");
    let bad = asks_while(host, "cofferdam-health").await;
    assert!(bad.starts_with("0 of "), "{bad}");

    // A reboot takes it out until it is well again.
    host.reboot().await.unwrap();
    eventually_says(host, READY, "held since the boot: cache: fail").await;
    assert!(
        said(host, LINE)
            .await
            .starts_with("stopped #held since the boot")
    );
    said(host, "touch /run/well").await;
    eventually_says(host, LINE, "up ready 100%").await;
    assert!(said(host, READY).await.ends_with(" 200"));

    // A dead agent leaves it in.
    said(host, "systemctl kill --signal=SIGSTOP cofferdam-agent").await;
    assert!(said(host, READY).await.ends_with(" 200"));
    said(
        host,
        "systemctl kill --signal=SIGKILL cofferdam-agent; systemctl stop cofferdam-agent",
    )
    .await;
    assert!(said(host, READY).await.ends_with(" 200"));
    assert_eq!(said(host, LINE).await, "up ready 100%");
    fleet.take_down().unwrap();
}
