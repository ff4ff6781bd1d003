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
