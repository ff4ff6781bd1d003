//! The flag, the checks, and practice.

use super::*;
use crate::{
    checks::verdict::Verdict,
    flag::{FILE_NAME, FlagState, State},
};
use std::{cell::Cell, net::TcpListener, path::Path, time::Duration};

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
async fn a_booted_host_is_held_until_it_is_well_and_an_agent_that_starts_again_changes_nothing() {
    let lab = Lab::new();
    let mark = lab.path("mark");
    check(&lab, &format!("test -e {} || exit 9", mark.display()));
    steps(&lab).restore(Flag::Up).await.unwrap();
    assert_eq!(flag(&lab), FlagState::Down);
    // Again, in the middle of it.
    let again = steps(&lab);
    again.restore(Flag::Up).await.unwrap();
    let early = tokio::time::timeout(Duration::from_millis(500), again.admit()).await;
    assert!(early.is_err());
    assert!(
        again
            .state
            .reason()
            .starts_with("held since the boot: app: no-data")
    );
    fs::write(&mark, "").unwrap();
    again.admit().await;
    assert_eq!(flag(&lab), FlagState::Up);
    fs::remove_file(&mark).unwrap();
    let later = steps(&lab);
    later.restore(Flag::Up).await.unwrap();
    later.admit().await;
    assert_eq!(flag(&lab), FlagState::Up);
}

#[tokio::test]
async fn a_booted_host_is_held_until_what_was_named_is_there_and_stays() {
    let lab = Lab::new();
    let free = || TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free().local_addr().unwrap().port();
    let mut settings = lab.settings();
    settings.signals.ports = [port].into();
    let steps = steps_with(
        settings,
        Rc::new(space::Kernel),
        scripted::Scripted::default(),
    );
    steps.restore(Flag::Up).await.unwrap();
    let reason = async |part: &str| {
        while !steps.state.reason().contains(part) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let there = || TcpListener::bind(("127.0.0.1", port)).unwrap();
    let host = async {
        let missing = format!("held since the boot: port:{port}: fail: nothing listens");
        reason(&missing).await;
        let once = there();
        reason("it was found well once").await;
        drop(once);
        reason(&missing).await;
        let stays = there();
        std::future::pending::<()>().await;
        drop(stays);
    };
    tokio::select! {
        biased;
        () = host => {}
        () = steps.admit() => {}
    }
    assert_eq!(flag(&lab), FlagState::Up);
}

/// Holds the host until it is told otherwise.
struct Held(Cell<Verdict>);

impl Gate for Held {
    fn judge(&self) -> Reading {
        Reading::new("drift", self.0.get(), "tea changed")
    }

    fn let_in(&self) {}
}

#[tokio::test]
async fn a_gate_holds_a_booted_host_and_a_power_cut_after_verify_proves_nothing() {
    let lab = Lab::new();
    let gate = Rc::new(Held(Cell::new(Verdict::Fail)));
    let mut steps = steps(&lab);
    steps.outside.gates.push(Rc::<Held>::clone(&gate));
    let order = practice();
    let readmitted = tokio::time::timeout(Duration::from_millis(300), steps.readmit(&order));
    assert!(readmitted.await.is_err());
    assert_eq!(
        steps.state.reason(),
        "held since the boot: drift: fail: tea changed"
    );
    gate.0.set(Verdict::Pass);
    steps.readmit(&order).await.unwrap();
    assert_eq!(flag(&lab), FlagState::Up);
}

#[tokio::test]
async fn a_verified_host_asks_the_gates_before_it_is_let_in_and_shows_what_they_say() {
    let lab = Lab::new();
    let gate = Rc::new(Held(Cell::new(Verdict::Fail)));
    let mut steps = steps(&lab);
    steps.outside.gates.push(Rc::<Held>::clone(&gate));
    let order = practice();
    steps.verify(&order).await.unwrap();
    let readmitted = tokio::time::timeout(Duration::from_millis(300), steps.readmit(&order));
    assert!(readmitted.await.is_err());
    assert_eq!(
        steps.state.reason(),
        "verified, and held: drift: fail: tea changed"
    );
    gate.0.set(Verdict::Pass);
    steps.readmit(&order).await.unwrap();
    assert_eq!(flag(&lab), FlagState::Up);
    steps.read_checks().await;
    let state = State::read(&lab.path("run").join(FILE_NAME)).unwrap();
    let shown = state
        .checks
        .iter()
        .map(|check| (check.verdict, check.output.as_str()));
    assert_eq!(shown.collect::<Vec<_>>(), [(Verdict::Pass, "tea changed")]);
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
async fn a_host_that_fails_its_checks_does_not_pass() {
    let lab = Lab::new();
    check(&lab, "echo wrong type; exit 1");
    let steps = steps(&lab);
    steps.state.put_up(Vec::new()).unwrap();
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
    steps.state.put_up(Vec::new()).unwrap();
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
