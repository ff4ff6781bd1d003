//! The guard owns every way by which a real host's packages change.

use super::{
    asked::{said, start, until_shown},
    guarded::{
        FURTHER, UPGRADE, by_a_session, enforce, fleet, fleet_with, installed, say_enforce, status,
        upgraded, written_down,
    },
};
use cofferdam_tests::rollout::{self, ALL_AT_ONCE};

/// What clears apt's hooks, and what a unit asks before it starts.
const TAKES_BACK: &str = "echo '#clear DPkg::Pre-Install-Pkgs;' >/etc/apt/apt.conf.d/zzz && \
    printf '[Service]\\nExecCondition=\\n' >/etc/systemd/system/apt-daily.service.d/60-x.conf && \
    systemctl daemon-reload";

#[tokio::test]
async fn an_upgrade_by_its_timer_is_refused_and_named_and_happens_without_the_guard() {
    let Some(fleet) = fleet(2).await else {
        return;
    };
    let [guarded, free] = fleet.hosts() else {
        panic!("two hosts are expected");
    };
    enforce(guarded).await;
    let soon = "[Timer]\nOnCalendar=\nOnActiveSec=1s\nAccuracySec=1ms\nRandomizedDelaySec=0\nPersistent=no\n";
    for host in [guarded, free] {
        said(host, "apt-get --quiet update").await;
        host.write(
            "etc/systemd/system/apt-daily-upgrade.timer.d/soon.conf",
            soon,
        )
        .unwrap();
        said(
            host,
            "systemctl daemon-reload && systemctl start apt-daily-upgrade.timer",
        )
        .await;
    }

    upgraded("the free host to be upgraded", free).await;
    written_down(guarded, &["not started: apt-daily-upgrade.service"]).await;
    assert_eq!(installed(guarded).await, "1");
    let told = ["not started: apt-daily-upgrade.service"];
    until_shown(&fleet, &["explain", guarded.name().as_str()], &told).await;
    let failed = said(guarded, "systemctl list-units --state=failed --no-legend").await;
    assert_eq!(failed, "", "what was meant to be skipped is no failure");
    fleet.take_down().unwrap();
}

#[tokio::test]
async fn a_person_is_refused_told_what_to_do_and_passes_in_a_window() {
    let Some(fleet) = fleet(1).await else {
        return;
    };
    let host = &fleet.hosts()[0];
    said(host, "cd /root && apt-get --quiet download tea=2").await;
    said(host, "cofferdam-agent guard install").await;
    let observed = host.run(&by_a_session(UPGRADE)).await.unwrap().well();
    assert!(observed.contains("only observes"), "{observed}");
    assert_eq!(installed(host).await, "2");
    said(
        host,
        "apt-get --quiet --yes --allow-downgrades install tea=1",
    )
    .await;
    enforce(host).await;

    let script = "printf \"#!/bin/sh\\ndpkg --install /root/tea_2_all.deb\\n\" >/root/update; sh /root/update";
    for (line, who) in [
        (UPGRADE, "apt-get --quiet --yes dist-upgrade"),
        (script, "dpkg --install /root/tea_2_all.deb"),
    ] {
        let refused = host.run(&by_a_session(line)).await.unwrap();
        assert_ne!(refused.code, Some(0), "{}", refused.printed);
        let told = &refused.printed;
        assert!(told.contains(&format!("tried by   {who}")), "{told}");
        assert!(
            told.contains("cofferdam-agent guard allow --for 30m"),
            "{told}"
        );
        assert!(told.contains("bash"), "its parents are named: {told}");
        assert_eq!(installed(host).await, "1");
    }

    said(
        host,
        "cofferdam-agent guard allow --for 30m --reason 'tea is out'",
    )
    .await;
    assert!(status(host).await.contains("window    open for another"));
    said(host, &by_a_session(UPGRADE)).await;
    assert_eq!(installed(host).await, "2");
    let seen = status(host).await;
    assert!(seen.contains("allowed: apt-get"), "{seen}");
    assert!(seen.contains("tea is out"), "{seen}");

    said(host, "cofferdam-agent guard deny").await;
    let back = by_a_session("apt-get --quiet --yes --allow-downgrades install tea=1");
    assert_ne!(host.run(&back).await.unwrap().code, Some(0));
    assert_eq!(installed(host).await, "2");
    // A window that is over lets nothing pass, and another root is nobody's business.
    said(
        host,
        "cofferdam-agent guard allow --for 1s --reason brief; sleep 1.1",
    )
    .await;
    assert_ne!(host.run(&back).await.unwrap().code, Some(0));
    said(
        host,
        "mkdir -p /srv/r/var/lib/dpkg/{info,updates} && touch /srv/r/var/lib/dpkg/status",
    )
    .await;
    said(host, "dpkg --root=/srv/r --install /root/tea_2_all.deb").await;
    fleet.take_down().unwrap();
}

#[tokio::test]
async fn an_operator_sees_who_was_refused_and_who_took_a_host_and_when_it_is_given_back() {
    let Some(fleet) = fleet(1).await else {
        return;
    };
    let host = &fleet.hosts()[0];
    enforce(host).await;
    let refused = host.run(&by_a_session(UPGRADE)).await.unwrap();
    assert_ne!(refused.code, Some(0), "{}", refused.printed);
    let named = "refused: apt-get --quiet --yes dist-upgrade (tea 1 -> 2)";
    let parents = "started by bash";
    until_shown(
        &fleet,
        &["hosts", "--guard"],
        &["enforce  yes", named, parents],
    )
    .await;

    let allow = "cofferdam-agent guard allow --for 30m --reason 'tea is out'";
    said(host, allow).await;
    until_shown(&fleet, &["hosts", "--guard"], &["more, by ", "tea is out"]).await;
    until_shown(&fleet, &["hosts"], &["out: taken: tea is out"]).await;
    said(host, "cofferdam-agent guard deny").await;
    let closed = ["guard saw", "window closed by "];
    until_shown(&fleet, &["explain", host.name().as_str()], &closed).await;

    // Files that are read after the guard's take back what those say, and leave them as they are.
    said(host, TAKES_BACK).await;
    let seen = status(host).await;
    for part in [
        "LOST, taken back by",
        "/etc/apt/apt.conf.d/zz-cofferdam-guard",
        "apt-daily.service.d/50",
    ] {
        assert!(seen.contains(part), "{part}: {seen}");
    }
    assert!(!seen.contains("apt-daily-upgrade.service.d"), "{seen}");
    fleet.take_down().unwrap();
}

#[tokio::test]
async fn what_a_rollout_orders_passes_and_a_host_that_was_changed_by_nobody_else_says_so() {
    let Some(fleet) = fleet(1).await else {
        return;
    };
    let host = &fleet.hosts()[0];
    enforce(host).await;
    said(host, "systemctl restart cofferdam-agent").await;
    // Nothing stands in for the one host, and nothing needs to.
    let text = rollout::package("tea", "tea", "2").replace("50%", "0%") + ALL_AT_ONCE;
    start(&fleet, &text).await;

    upgraded("the rollout to install it", host).await;
    let seen = status(host).await;
    assert!(
        !seen.contains('#'),
        "an order is no event of the guard: {seen}"
    );
    assert!(seen.contains("control   all "), "{seen}");
    fleet.take_down().unwrap();
}

#[tokio::test]
async fn an_uninstall_puts_every_upgrade_channel_back_byte_for_byte() {
    let Some(fleet) = fleet_with(Some(FURTHER), 1).await else {
        return;
    };
    let host = &fleet.hosts()[0];
    let tree = "cd / && find etc usr/lib -xdev -printf '%p %y %m %u %g %l\\n' | sort | sha256sum; \
                find etc -xdev -type f -exec sha256sum {} + | sort | sha256sum; \
                systemctl cat apt-daily-upgrade.service apt-daily.service | sha256sum; \
                apt-config dump | sha256sum";
    say_enforce(host).await;
    let before = said(host, tree).await;
    for _ in 0..2 {
        said(host, "cofferdam-agent guard install").await;
        // It loads the guard's plugin, of which Python keeps what it made.
        said(host, "dnf --quiet repolist").await;
        assert_ne!(said(host, tree).await, before);
        said(host, "cofferdam-agent guard uninstall").await;
        assert_eq!(said(host, tree).await, before);
    }
    said(host, &by_a_session(UPGRADE)).await;
    assert_eq!(installed(host).await, "2");
    fleet.take_down().unwrap();
}

#[tokio::test]
async fn a_dead_agent_fails_as_the_policy_says_and_lost_control_is_seen() {
    let Some(fleet) = fleet(1).await else {
        return;
    };
    let host = &fleet.hosts()[0];
    enforce(host).await;
    said(host, "systemctl kill --signal=SIGSTOP cofferdam-agent").await;
    let refused = host.run(&by_a_session(UPGRADE)).await.unwrap();
    assert_ne!(refused.code, Some(0), "{}", refused.printed);
    let seen = status(host).await;
    assert!(
        seen.contains("agent     hangs; the policy is `closed`"),
        "{seen}"
    );
    let kill = "systemctl kill --signal=SIGKILL cofferdam-agent; \
                systemctl mask --now --quiet cofferdam-agent";
    said(host, kill).await;
    let refused = host.run(&by_a_session(UPGRADE)).await.unwrap();
    assert_ne!(refused.code, Some(0), "{}", refused.printed);
    assert!(status(host).await.contains("the policy is `closed`"));

    // A change of the config holds with the next install, without an agent too.
    said(
        host,
        "echo 'dead_agent = \"open\"' >>/etc/cofferdam/agent.toml",
    )
    .await;
    said(host, "cofferdam-agent guard install").await;
    said(host, &by_a_session(UPGRADE)).await;
    assert_eq!(installed(host).await, "2");
    let seen = status(host).await;
    assert!(seen.contains("passed, the agent being dead"), "{seen}");

    // A program that is gone refuses nothing either, and what was tampered with is seen.
    said(
        host,
        "mv /usr/bin/cofferdam-agent /root/; dpkg --configure --pending",
    )
    .await;
    said(host, "mv /root/cofferdam-agent /usr/bin/").await;
    said(host, "echo '#' >>/etc/dpkg/dpkg.cfg.d/zz-cofferdam-guard").await;
    let seen = status(host).await;
    assert!(
        seen.contains("LOST") && seen.contains("dpkg.cfg.d"),
        "{seen}"
    );
    let again = host.run("cofferdam-agent guard install").await.unwrap();
    assert!(again.printed.contains("move it away"), "{}", again.printed);
    let gone = said(host, "cofferdam-agent guard uninstall").await;
    assert!(gone.contains("is kept as"), "{gone}");
    fleet.take_down().unwrap();
}
