//! The flag, the checks, and practice.

use super::*;
use crate::flag::{FILE_NAME, FlagState, State};
use std::{
    net::{TcpListener, TcpStream},
    path::Path,
    time::Duration,
};

fn flag(lab: &Lab) -> FlagState {
    State::read(&lab.path("run").join(FILE_NAME)).unwrap().flag
}

fn check(lab: &Lab, script: &str) {
    let folder = lab.path("checks.d");
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join("app");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
}

fn practice() -> Order {
    let mut order = order("practice", Content::Noop);
    order.stable_for = Duration::from_millis(200);
    order.first_answer = Duration::ZERO;
    order
}

#[tokio::test]
async fn practice_runs_every_step_and_changes_nothing() {
    let lab = Lab::new();
    let steps = steps(&lab);
    let order = practice();
    steps.restore(Flag::Up).await.unwrap();
    steps.stage(&request(&order)).await.unwrap();
    steps.drain(&order).await.unwrap();
    assert_eq!(flag(&lab), FlagState::Draining);
    assert!(!steps.in_service().await.in_service);
    steps.apply(&order).await.unwrap();
    assert_eq!(flag(&lab), FlagState::Down);
    steps.verify(&order).await.unwrap();
    steps.readmit(&order).await.unwrap();
    assert_eq!(flag(&lab), FlagState::Up);
    let state = State::read(&lab.path("run").join(FILE_NAME)).unwrap();
    assert_eq!(state.release.as_deref(), Some("practice"));
    steps.rollback(&order).await.unwrap();
}

#[tokio::test]
async fn an_agent_that_starts_again_in_a_drain_goes_on_draining() {
    let lab = Lab::new();
    let order = practice();
    steps(&lab).drain(&order).await.unwrap();
    steps(&lab).restore(Flag::Down).await.unwrap();
    assert_eq!(flag(&lab), FlagState::Draining);
    fs::remove_dir_all(lab.path("run")).unwrap();
    steps(&lab).restore(Flag::Down).await.unwrap();
    assert_eq!(flag(&lab), FlagState::Down);
}

#[tokio::test]
async fn the_release_outlives_a_reboot() {
    let lab = Lab::new();
    let order = practice();
    steps(&lab).apply(&order).await.unwrap();
    steps(&lab).readmit(&order).await.unwrap();
    fs::remove_dir_all(lab.path("run")).unwrap();
    steps(&lab).restore(Flag::Up).await.unwrap();
    let state = State::read(&lab.path("run").join(FILE_NAME)).unwrap();
    assert_eq!(state.release.as_deref(), Some("practice"));
}

#[tokio::test]
async fn drain_waits_for_connections_and_says_how_many_are_left() {
    let lab = Lab::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let _client = TcpStream::connect(address).unwrap();
    let mut order = practice();
    order.deadlines.drain = Duration::from_millis(500);
    let mut settings = lab.settings();
    settings.traffic.ports.insert(address.port());
    let with = |settings| {
        steps_with(
            settings,
            Rc::new(space::Kernel),
            scripted::Scripted::default(),
        )
    };
    let failure = with(settings.clone()).drain(&order).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::TimedOut);
    assert!(
        failure.detail.starts_with("1 connections are still open"),
        "{failure}"
    );
    settings.traffic.at_most = Some(Duration::ZERO);
    with(settings).drain(&order).await.unwrap();
}

#[tokio::test]
async fn a_host_that_fails_its_checks_does_not_pass() {
    let lab = Lab::new();
    check(&lab, "echo wrong type; exit 1");
    let steps = steps(&lab);
    steps.restore(Flag::Up).await.unwrap();
    let failure = steps.verify(&practice()).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unhealthy);
    assert!(
        failure.detail.contains("app: fail: wrong type"),
        "{failure}"
    );
    let service = steps.in_service().await;
    assert_eq!(
        (service.in_service, &*service.detail),
        (false, "app: fail: wrong type")
    );
}

#[tokio::test]
async fn no_data_is_never_a_pass() {
    let lab = Lab::new();
    check(&lab, "exit 9");
    let steps = steps(&lab);
    steps.restore(Flag::Up).await.unwrap();
    let mut order = practice();
    order.deadlines.verify = Duration::from_millis(500);
    let failure = steps.verify(&order).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::NoData, "{failure}");
    // ... and no reason to say that the host fell.
    assert!(steps.in_service().await.in_service);
}

#[tokio::test]
async fn a_host_that_recovers_in_time_passes() {
    let lab = Lab::new();
    let mark = lab.path("mark");
    check(
        &lab,
        &format!("test -e {0} && exit 0; touch {0}; exit 1", mark.display()),
    );
    steps(&lab).verify(&practice()).await.unwrap();
    assert!(Path::new(&mark).exists());
}

#[tokio::test]
async fn only_the_machine_itself_can_be_rebooted() {
    let lab = Lab::new();
    let failure = steps(&lab).reboot(&practice()).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unsupported);
}
