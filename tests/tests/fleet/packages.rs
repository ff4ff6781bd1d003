//! Real packages through real apt and dpkg, and repositories that fail.

use cofferdam::demo::repository::{PACKAGE, Release};
use cofferdam_proto::operator::{RolloutState, RolloutView};
use cofferdam_tests::{
    debian::Debian,
    fleet::Fleet,
    machine::Machine,
    process::run,
    rollout::{self, ALL_AT_ONCE, CANARY_FIRST},
};
use std::{fs, time::Duration};

const WITHIN: Duration = Duration::from_secs(60);

/// Plans a rollout with the operator's command: its exit code and what it printed.
fn plan(fleet: &Fleet, text: &str) -> (i32, String) {
    let file = fleet.site.path().join("rollout.toml");
    fs::write(&file, text).unwrap();
    let mut command = fleet.site.command();
    command.arg("plan").arg(file);
    run(command)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_repository_has_is_named_when_the_rollout_is_planned() {
    let (_debian, mut fleet) = Debian::fleet(Machine::neighbours(2)).await;
    fleet.start_all().await;
    for (package, version, parts) in [
        (
            "no-such-package",
            "latest",
            ["no-such-package", "debian-12"],
        ),
        (PACKAGE, "99", [PACKAGE, "99"]),
    ] {
        let (code, printed) = plan(
            &fleet,
            &(rollout::package("x", package, version) + ALL_AT_ONCE),
        );
        assert_ne!(code, 0, "{printed}");
        for part in parts {
            assert!(printed.contains(part), "{part} is not in:\n{printed}");
        }
    }
    fleet.in_service().await;
    fleet.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_that_is_down_is_named_and_nothing_is_touched() {
    let (mut debian, mut fleet) = Debian::fleet(Machine::neighbours(2)).await;
    fleet.start_all().await;
    debian.close();

    let text = rollout::package("x", PACKAGE, Release::Second.version()) + ALL_AT_ONCE;
    let (code, printed) = plan(&fleet, &text);

    assert_eq!(code, 1, "{printed}");
    assert!(printed.contains("127.0.0.1"), "{printed}");
    for host in fleet.hosts() {
        assert_eq!(debian.installed(&host).await, "1");
    }
    fleet.in_service().await;
    fleet.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_vanished_after_the_plan_holds_the_rollout_and_touches_nothing() {
    let (debian, mut fleet) = Debian::fleet(Machine::neighbours(4)).await;
    fleet
        .site
        .configure_coordinator("[artefacts]\npackages = false\n");
    fleet.start_all().await;
    let text = rollout::package("vanished", PACKAGE, "latest") + ALL_AT_ONCE;

    let vanish = || debian.drop_package(Release::Second);
    let rollout = fleet.start_rollout_after("vanished", &text, vanish).await;
    fleet
        .until("every host to be left out", &rollout, WITHIN, |view| {
            view.waves[0].left_out == 4
        })
        .await;

    let paused = |view: &RolloutView| view.state == RolloutState::Paused;
    let view = fleet.until("the pause", &rollout, WITHIN, paused).await;
    assert!(view.reason.contains("hosts_left_out"), "{view:#?}");
    let warning = view.warnings.join("\n");
    for part in ["cofferdam-demo_2_all.deb", "404"] {
        assert!(warning.contains(part), "{part} is not in:\n{warning}");
    }
    for host in fleet.hosts() {
        assert_eq!(debian.installed(&host).await, Release::First.version());
    }
    fleet.in_service().await;
    fleet.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_is_installed_once_on_every_host() {
    let (debian, mut fleet) = Debian::fleet(Machine::neighbours(4)).await;
    fleet.start_all().await;
    let text = rollout::package("good", PACKAGE, "latest") + CANARY_FIRST;

    let rollout = fleet.start_rollout("good", &text).await;
    let view = fleet.end_of(&rollout, WITHIN).await;

    assert_eq!(view.state, RolloutState::Done, "{view:#?}");
    for host in fleet.hosts() {
        assert_eq!(debian.installed(&host).await, Release::Second.version());
        assert_eq!(debian.unpacked(&host, Release::Second), 1);
    }
    fleet.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_somebody_patched_after_the_plan_is_taken_as_what_it_is_and_people_are_told() {
    let (debian, mut fleet) = Debian::fleet(Machine::neighbours(4)).await;
    fleet.start_all().await;
    let host = fleet.hosts().remove(2);
    fleet.kill_agent(&host);
    let text = rollout::package("told", PACKAGE, "latest") + CANARY_FIRST;

    let rollout = fleet.start_rollout("told", &text).await;
    debian.install_by_hand(&host, Release::Second);
    fleet.start_agent(&host, None);
    let view = fleet.end_of(&rollout, WITHIN).await;

    assert_eq!(view.state, RolloutState::Done, "{view:#?}");
    assert_eq!(view.waves.iter().map(|wave| wave.passed).sum::<u64>(), 4);
    let said = |words: &[&str]| {
        let mut command = fleet.site.command();
        command.args(words);
        run(command).1
    };
    let counted = "packages changed since the plan was made on 1 of its hosts";
    let status = said(&["status", "told"]);
    assert!(status.contains(counted), "{status}");
    let named = said(&["explain", "told"]);
    assert!(
        named.contains(&format!(
            "1: {host}; each is tried as what it was found to be"
        )),
        "{named}"
    );
    let explained = said(&["explain", host.as_str()]);
    assert!(
        explained.contains("what that assumed is no longer so"),
        "{explained}"
    );
    fleet.finish();
}
