//! A release of the agent that dies at its start: on a host that serves, and on one in mid-run.

use super::{
    asked::{LINE, READY, RUN_WITHIN, eventually_says, patch_of, said, start},
    guarded::{UPGRADE, by_a_session, enforce, fleet, installed, upgraded},
};
use cofferdam_tests::{patience::eventually, real_fleet::host::Host};

/// What an upgrade of the agent's package does, with a program that exits at once. The unit goes on starting it.
const DEAD: &str = "cp --preserve /usr/bin/cofferdam-agent /root/good && \
    printf '#!/bin/sh\\nexit 1\\n' >/root/dead && chmod 755 /root/dead && \
    mv /root/dead /usr/bin/cofferdam-agent && \
    systemctl kill --kill-whom=main --signal=SIGKILL cofferdam-agent";

/// The release before is put back. Nobody starts it: its unit does.
const BACK: &str = "mv /root/good /usr/bin/cofferdam-agent";

/// A program of the host's people, for the moment in which the host is drained and nothing is changed.
const HOOK: &str = "mkdir -p /etc/cofferdam/hooks/pre-apply.d && cd /etc/cofferdam/hooks/pre-apply.d && \
    printf '#!/bin/sh\\ntouch /run/here\\nwhile ! test -e /run/go; do sleep 0.1; done\\n' >wait && chmod 755 wait";

/// Waits until the unit has tried at least twice, and given nothing.
async fn tried_again(host: &Host) {
    let restarts = "systemctl show --property=NRestarts --value cofferdam-agent";
    let before: u32 = said(host, restarts).await.parse().unwrap();
    let line = format!("test $({restarts}) -ge {} && echo tried again", before + 2);
    eventually_says(host, &line, "tried again").await;
}

/// Nobody but an order changes its packages, and what is there is whole.
async fn assert_is_as_it_was(host: &Host) {
    let refused = host.run(&by_a_session(UPGRADE)).await.unwrap();
    assert_ne!(refused.code, Some(0), "{}", refused.printed);
    assert_eq!(installed(host).await, "1");
    assert_eq!(said(host, "dpkg --audit").await, "");
    // What was refused is a unit that failed, which is none of the run's.
    said(host, "systemctl reset-failed").await;
}

#[tokio::test]
async fn a_release_that_dies_at_its_start_leaves_hosts_as_they_are_and_runs_end_with_a_good_one() {
    let Some(fleet) = fleet(1).await else {
        return;
    };
    let host = &fleet.hosts()[0];
    enforce(host).await;
    said(host, HOOK).await;
    eventually_says(host, READY, " 200").await;

    // A host that serves goes on, with its guard.
    said(host, DEAD).await;
    tried_again(host).await;
    assert!(said(host, READY).await.ends_with(" 200"));
    assert_eq!(said(host, LINE).await, "up ready 100%");
    assert_is_as_it_was(host).await;
    said(host, BACK).await;
    eventually_says(host, "systemctl is-active cofferdam-agent", "active").await;

    // One in mid-run stays as its run left it: out of traffic, and not half patched.
    start(&fleet, &patch_of(host, "tea", "")).await;
    eventually("the run to be at its hook", RUN_WITHIN, async || {
        let here = host.run("test -e /run/here").await;
        let here = here.map_err(|error| error.to_string())?;
        (here.code == Some(0)).then_some(()).ok_or(here.printed)
    })
    .await;
    said(host, DEAD).await;
    said(host, "touch /run/go").await;
    tried_again(host).await;
    let line = said(host, LINE).await;
    assert!(
        line.starts_with("drain") || line.starts_with("stopped"),
        "{line}"
    );
    assert!(said(host, READY).await.ends_with(" 503"));
    assert_is_as_it_was(host).await;

    // A release that lives ends what was begun.
    said(host, BACK).await;
    upgraded("the run to end", host).await;
    eventually_says(host, LINE, "up ready 100%").await;
    fleet.take_down().unwrap();
}
