//! Agents run on hosts as their packages would have them run.

use super::asked::{READY, eventually_says, said, until_shown};
use cofferdam_tests::{
    machine::Machine,
    patience::eventually,
    process::run,
    real_fleet::{RealFleet, host::BOOTED_WITHIN},
};
use serde_json::Value;

/// The hosts that the coordinator has a session with, by the operator's command.
fn connected(fleet: &RealFleet) -> Result<Vec<String>, String> {
    let mut command = fleet.control.operator();
    command.args(["hosts", "--output", "json"]);
    let (code, printed) = run(command);
    if code != 0 {
        return Err(printed);
    }
    let hosts: Value = serde_json::from_str(&printed).map_err(|error| error.to_string())?;
    let hosts = hosts["hosts"].as_array().ok_or(printed)?;
    let is_connected = |host: &&Value| !host["connected_since_ms"].is_null();
    let name = |host: &Value| host["host"].as_str().unwrap_or_default().to_owned();
    Ok(hosts.iter().filter(is_connected).map(name).collect())
}

async fn eventually_connected(fleet: &RealFleet, wanted: &[&str]) {
    let what = format!("{wanted:?} to be connected");
    eventually(&what, BOOTED_WITHIN, async || {
        let seen = connected(fleet)?;
        let all = (seen == wanted).then_some(());
        all.ok_or_else(|| format!("{seen:?} are"))
    })
    .await;
}

#[tokio::test]
async fn agents_of_real_hosts_are_seen_by_their_coordinator() {
    let Some(fleet) = RealFleet::lay_out(Machine::several(2)).await else {
        return;
    };
    let [first, second] = fleet.hosts() else {
        panic!("two hosts are expected");
    };
    // One is enrolled while it is on, the other before it boots.
    first.power_on().await.unwrap();
    first.booted().await.unwrap();
    fleet.manage().await.unwrap();
    fleet.switch_on().await.unwrap();
    eventually_connected(&fleet, &["web-1", "web-2"]).await;

    for host in [first, second] {
        let line = "systemctl is-active cofferdam-agent cofferdam-health";
        assert_eq!(host.run(line).await.unwrap().well(), "active\nactive\n");
        let whose = "ps --no-headers -o user:20= -C cofferdam-agent,cofferdam-health | sort";
        let whose = host.run(whose).await.unwrap().well();
        assert_eq!(
            whose.split_whitespace().collect::<Vec<_>>(),
            ["cofferdam-health", "root"]
        );
        eventually_says(host, READY, " 200").await;
    }

    let fail = "systemd-run --quiet --wait --unit broken false";
    assert_ne!(first.run(fail).await.unwrap().code, Some(0));
    let query = "unit broken failed and package dpkg >= 1.20 and kernel > 3";
    let evidence = "web-1: broken.service failed, dpkg 1.";
    let counts = "1 matches, 1 does not, 0 failed, 0 did not answer";
    until_shown(&fleet, &["query", query], &[evidence, counts]).await;

    second.unplug().await.unwrap();
    eventually_connected(&fleet, &["web-1"]).await;
    second.plug_in().await.unwrap();
    eventually_connected(&fleet, &["web-1", "web-2"]).await;

    first.cut_power().unwrap();
    eventually_connected(&fleet, &["web-2"]).await;
    first.power_on().await.unwrap();
    eventually_connected(&fleet, &["web-1", "web-2"]).await;
    fleet.take_down().unwrap();
}

/// Gives the agent's watchdog seconds in place of minutes.
const IMPATIENT: &str = "mkdir -p /run/systemd/system/cofferdam-agent.service.d && \
    printf '[Service]\\nWatchdogSec=3\\n' >/run/systemd/system/cofferdam-agent.service.d/soon.conf && \
    systemctl daemon-reload && systemctl restart cofferdam-agent";

#[tokio::test]
async fn an_agent_that_hangs_is_started_again_and_one_that_works_is_not() {
    let Some(fleet) = RealFleet::boot(Machine::several(1)).await else {
        return;
    };
    let host = &fleet.hosts()[0];
    fleet.manage().await.unwrap();
    said(host, IMPATIENT).await;
    let show = |what: &str| format!("systemctl show --property={what} --value cofferdam-agent");
    let (last, restarts) = (show("WatchdogTimestampMonotonic"), show("NRestarts"));
    // It is heard of for longer than it may be silent.
    for _ in 0..4 {
        let before = said(host, &last).await;
        let heard = format!("test \"$({last})\" != {before} && echo heard");
        eventually_says(host, &heard, "heard").await;
    }
    assert_eq!(said(host, &restarts).await, "0");

    said(host, "systemctl kill --signal=SIGSTOP cofferdam-agent").await;

    let again = format!("test \"$({restarts})\" -ge 1 && systemctl is-active cofferdam-agent");
    eventually_says(host, &again, "active").await;
    let journal = host.journal("cofferdam-agent").await.unwrap();
    assert!(journal.contains("Watchdog timeout"), "{journal}");
    fleet.take_down().unwrap();
}
