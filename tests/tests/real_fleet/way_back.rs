//! A host goes back by itself to exactly what it had.

use super::asked::{READY, eventually_says, patch_of, said, start, until_failed};
use cofferdam_tests::{
    machine::Machine,
    real_fleet::{RealFleet, host::Host, repository::Package},
};
use std::fs;

/// A service that comes up only with what it was configured for.
const UNIT: &str = "[Service]\nExecStart=/bin/sh -c '. /etc/tea.conf; exec sleep $TIME'\n\
                    [Install]\nWantedBy=multi-user.target\n";

const POSTINST: &str = "systemctl daemon-reload\nsystemctl restart tea || true";

/// Waits before the change, until it is let go on.
const HOOK: &str = "#!/bin/sh\ntouch /run/waits\nwhile ! test -e /run/go; do sleep 0.1; done\n";

/// Versions, marks, and content, mode and owner of every file that packages of this test have.
const STATE: &str = "dpkg-query --show --showformat='${Package} ${Version} ${db:Status-Status}\\n' \
    | grep -v ^milk; apt-mark showauto | sort; \
    for file in /etc/tea* /usr/share/tea/* /usr/share/cup/* /usr/lib/systemd/system/tea.service; do \
    stat --format='%n %a %u:%g' $file; sha256sum $file; done";

/// How hard scripts press on a host.
const NICE: &str = "ps --no-headers -o ni -p $$ >/run/nice; ionice -p $$ >>/run/nice";

fn tea(version: &str, conffile: &str) -> Package {
    let needs = match version {
        "1" => "Depends: cup (= 1)",
        _ => "Depends: cup (= 2), milk",
    };
    Package::new("tea", version)
        .field(needs)
        .conffile("etc/tea.conf", conffile)
        .file("usr/lib/systemd/system/tea.service", UNIT)
        .script("postinst", &format!("{POSTINST}\n{NICE}"))
}

/// Tells the agent of a host that tea must run, and lets it wait before it changes anything.
async fn watch_tea(host: &Host) {
    let config = host.root().join("etc/cofferdam/agent.toml");
    let text = fs::read_to_string(&config).unwrap();
    let text = text.replace("signals = {", "signals = { units = [\"tea.service\"],");
    fs::write(&config, text).unwrap();
    host.write("etc/cofferdam/hooks/pre-apply.d/wait", HOOK)
        .unwrap();
    said(
        host,
        "chmod 755 /etc/cofferdam/hooks/pre-apply.d/wait; systemctl restart cofferdam-agent",
    )
    .await;
}

#[tokio::test]
async fn a_service_that_does_not_come_up_takes_its_host_back_to_exactly_what_it_was() {
    let Some(fleet) = RealFleet::boot(Machine::several(1)).await else {
        return;
    };
    let (host, repository) = (&fleet.hosts()[0], &fleet.repository);
    let firsts = [tea("1", "TIME=infinity\n"), Package::new("cup", "1")];
    for package in &firsts {
        repository.publish(package).await.unwrap();
    }
    said(
        host,
        "apt-get --quiet update && apt-get --quiet --yes install tea && apt-get clean",
    )
    .await;
    fleet.manage().await.unwrap();
    watch_tea(host).await;
    let before = said(host, STATE).await;
    assert!(
        before.contains("\ncup\n"),
        "cup was not wished for: {before}"
    );

    let seconds = [
        tea("2", "TIME=never\n"),
        Package::new("cup", "2"),
        Package::new("milk", "1").conffile("etc/milk.conf", "cold\n"),
    ];
    for package in &seconds {
        repository.publish(package).await.unwrap();
    }
    let rollout = patch_of(host, "tea", "first_answer = \"1s\"").replace("10ms", "1s");
    start(&fleet, &rollout).await;
    eventually_says(host, "test -e /run/waits && echo it waits", "it waits").await;
    for package in &firsts {
        repository.withdraw(package).await.unwrap();
    }
    said(
        host,
        "apt-get --quiet update && apt-get clean && touch /run/go",
    )
    .await;

    let told = until_failed(&fleet, "tea").await;
    assert!(told.contains("tea.service"), "{told}");
    assert_eq!(said(host, STATE).await, before);
    assert_eq!(said(host, "systemctl is-active tea").await, "active");
    let milk = "dpkg-query --show --showformat='${db:Status-Status}' milk";
    assert_eq!(said(host, milk).await, "config-files");
    let list = "sed -n '/^# /,$p' /var/lib/cofferdam-agent/transcripts/tea/rollback.log";
    let except = "# as it was before, but for:\n  /etc/milk.conf of a removed package stays";
    assert_eq!(said(host, list).await, except);
    // The agent's own 5, and 10 more.
    assert_eq!(said(host, "cat /run/nice").await, "15\nbest-effort: prio 7");
    eventually_says(host, READY, "200").await;
    fleet.take_down().unwrap();
}
