//! What load balancers hear of a real host: from its first moment, over reboots, and while its programs are
//! restarted.

use super::asked::{LINE, READY, eventually_says, said, until_shown};
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
         done; wait; rm /run/over; test $all -gt 3 && echo $bad of $all"
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

    fleet.take_down().unwrap();
}

/// Asks once a moment, from now on, until it is told to stop, and counts the answers that were not `ready`.
const ASKS: &str = "systemd-run --quiet --unit=asks bash -c '\
    while ! test -e /run/over; do echo >>/run/all; \
    curl --silent --fail --max-time 5 --output /dev/null 127.0.0.1:9100/ready || echo ready >>/run/bad; \
    test \"$(cat </dev/tcp/127.0.0.1/9101)\" = \"up ready 100%\" || echo line >>/run/bad; \
    sleep 0.05; done'";

/// How many of them there were. It has answered since it was last asked that.
async fn none_was_bad(host: &Host, since: &str) {
    let more = "before=$(wc --lines </run/all); \
                while test $(wc --lines </run/all) -lt $((before+3)); do sleep 0.05; done; \
                cat /run/bad 2>/dev/null || true";
    assert_eq!(said(host, more).await, "", "{since}");
}

#[tokio::test]
async fn an_agent_that_is_upgraded_hangs_expires_or_dies_changes_nothing_for_load_balancers() {
    let Some(fleet) = RealFleet::boot(Machine::several(1)).await else {
        return;
    };
    let host = &fleet.hosts()[0];
    fleet.manage().await.unwrap();
    eventually_says(host, LINE, "up ready 100%").await;
    said(host, ASKS).await;

    // As packages upgrade: another file in its place, and the responder is restarted by them.
    let upgrade = "for program in cofferdam-agent cofferdam-health; do \
                   cp --preserve /usr/bin/$program /usr/bin/.new && mv /usr/bin/.new /usr/bin/$program; done; \
                   systemctl try-restart cofferdam-health cofferdam-agent";
    said(host, upgrade).await;
    none_was_bad(host, "upgraded").await;
    said(host, "systemctl kill --signal=SIGSTOP cofferdam-agent").await;
    none_was_bad(host, "hung").await;
    fleet.control.expire(host).unwrap();
    said(host, "systemctl kill --signal=SIGKILL cofferdam-agent").await;
    until_shown(&fleet, &["hosts"], &["no  "]).await;
    none_was_bad(host, "expired").await;
    // A file that is no TOML keeps the agent down, and the responder up when it starts again.
    said(host, "sed --in-place '1i [[' /etc/cofferdam/agent.toml").await;
    said(
        host,
        "systemctl restart cofferdam-health; systemctl stop cofferdam-agent",
    )
    .await;
    none_was_bad(host, "dead, with a config file of no use").await;
    let page = said(host, "curl --silent 127.0.0.1:9100/healthz").await;
    assert!(page.contains("the config file is of no use: "), "{page}");

    // After a boot nobody vouches for it, and the page says why.
    host.reboot().await.unwrap();
    let why = "not available: the config file is of no use: /etc/cofferdam/agent.toml:1:";
    let page = eventually_says(host, READY, why).await;
    assert!(page.ends_with(" 503"), "{page}");
    // Nor where it never had one of use, and the folder cannot be read.
    said(
        host,
        "chmod 0 /etc/cofferdam; rm -r /var/lib/cofferdam-health/*; systemctl restart cofferdam-health",
    )
    .await;
    eventually_says(
        host,
        READY,
        "cannot read /etc/cofferdam/agent.toml: Permission",
    )
    .await;
    let line = said(host, LINE).await;
    assert!(
        line.starts_with("stopped #the config file is of no use"),
        "{line}"
    );
    fleet.take_down().unwrap();
}
