//! Signals of the machine, against what they said before the run.

use super::*;
use crate::{
    checks::verdict::{Reading, Verdict},
    flag::{CheckState, FILE_NAME, State},
    host::command::{Command, LocalFuture, Output, RunError},
    signals::settings::{Balancer, Statistics},
};
use std::{
    io::{Read, Write},
    net::TcpListener,
    os::unix::net::UnixListener,
    thread,
    time::Duration,
};

fn practice() -> Order {
    let mut order = order("practice", Content::Noop);
    order.stable_for = Duration::from_millis(100);
    order.first_answer = Duration::ZERO;
    order
}

fn with(settings: HostSettings) -> Steps {
    let artefacts = scripted::Scripted::default();
    steps_with(settings, Rc::new(space::Kernel), artefacts)
}

/// A port on which something listens, for as long as it is held.
fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

fn shown(lab: &Lab, name: &str) -> CheckState {
    let state = State::read(&lab.path("run").join(FILE_NAME)).unwrap();
    let found = state.checks.into_iter().find(|check| check.name == name);
    found.unwrap()
}

#[tokio::test]
async fn a_signal_that_got_worse_in_the_run_fails_verify() {
    let lab = Lab::new();
    let (held, port) = listener();
    let mut settings = lab.settings();
    settings.signals.ports.insert(port);
    with(settings.clone()).drain(&practice()).await.unwrap();
    with(settings.clone()).verify(&practice()).await.unwrap();
    drop(held);
    let failure = with(settings).verify(&practice()).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unhealthy);
    let says = format!("port:{port}: fail: nothing listens");
    assert!(failure.detail.ends_with(&says), "{failure}");
}

#[tokio::test]
async fn a_signal_that_was_as_bad_before_is_shown_and_set_aside() {
    let lab = Lab::new();
    let (held, port) = listener();
    drop(held);
    let mut settings = lab.settings();
    settings.signals.ports.insert(port);
    with(settings.clone()).drain(&practice()).await.unwrap();
    // A restart of the agent, or a reboot, is another start of the same.
    with(settings.clone()).verify(&practice()).await.unwrap();
    let check = shown(&lab, &format!("port:{port}"));
    assert_eq!(check.verdict, Verdict::Fail);
    assert!(check.output.contains("so before the run"), "{check:?}");
    // The next order of the same rollout is held against what it finds itself.
    let (_held, port) = listener();
    settings.signals.ports = [port].into();
    let mut next = practice();
    next.key.sequence.0 += 1;
    with(settings.clone()).drain(&next).await.unwrap();
    assert_eq!(
        with(settings).baseline(&next).unwrap().unwrap().bad,
        [].into()
    );
}

#[tokio::test]
async fn a_drain_that_goes_on_keeps_what_the_host_was_before_it() {
    let lab = Lab::new();
    let (held, port) = listener();
    let mut settings = lab.settings();
    settings.signals.ports.insert(port);
    with(settings.clone()).drain(&practice()).await.unwrap();
    drop(held);
    with(settings.clone()).drain(&practice()).await.unwrap();
    with(settings.clone())
        .verify(&practice())
        .await
        .unwrap_err();
    with(settings.clone()).release(&rollout("practice")).await;
    assert_eq!(with(settings).baseline(&practice()).unwrap(), None);
}

#[tokio::test]
async fn outside_a_run_signals_are_shown_and_change_nothing() {
    let lab = Lab::new();
    let (held, port) = listener();
    drop(held);
    let mut settings = lab.settings();
    settings.signals.ports.insert(port);
    let steps = with(settings);
    steps.state.put_up(Vec::new()).unwrap();
    assert!(steps.in_service().await.in_service);
    assert_eq!(shown(&lab, &format!("port:{port}")).verdict, Verdict::Fail);
}

/// An HAProxy that says of `web-1` what it is told to, one word a question.
fn balancer(lab: &Lab, statuses: &'static [&'static str]) -> Balancer {
    let path = lab.path("admin.sock");
    fs::remove_file(&path).ok();
    let listener = UnixListener::bind(&path).unwrap();
    thread::spawn(move || {
        for status in statuses {
            let (mut stream, _) = listener.accept().unwrap();
            assert!(stream.read(&mut [0; 64]).unwrap() > 0);
            write!(
                stream,
                "# pxname,svname,status,weight\napp,web-1,{status},100\n"
            )
            .unwrap();
        }
    });
    Balancer {
        name: "lb".to_owned(),
        statistics: Statistics::Socket(path),
        backend: None,
        server: None,
    }
}

#[tokio::test]
async fn a_run_is_over_when_the_balancer_that_saw_the_host_sees_it_again() {
    let lab = Lab::new();
    let mut settings = lab.settings();
    settings.signals.balancers = vec![balancer(&lab, &["UP", "DOWN", "UP 1/3"])];
    with(settings.clone()).drain(&practice()).await.unwrap();
    with(settings.clone()).verify(&practice()).await.unwrap();
    with(settings.clone()).readmit(&practice()).await.unwrap();
    settings.signals.balancers = vec![balancer(&lab, &["DOWN"; 9])];
    let mut impatient = practice();
    impatient.deadlines.drain = Duration::from_secs(1);
    let failure = with(settings).readmit(&impatient).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unhealthy, "{failure}");
    let says = "not all send traffic: haproxy:lb: fail: app/web-1 is DOWN";
    assert!(failure.detail.ends_with(says), "{failure}");
}

#[tokio::test]
async fn a_balancer_that_did_not_see_the_host_before_is_not_waited_for() {
    let lab = Lab::new();
    let mut settings = lab.settings();
    settings.signals.balancers = vec![balancer(&lab, &["MAINT", "MAINT"])];
    with(settings.clone()).drain(&practice()).await.unwrap();
    with(settings.clone()).verify(&practice()).await.unwrap();
    with(settings).readmit(&practice()).await.unwrap();
}

#[tokio::test]
async fn a_signal_that_nobody_can_tell_is_never_a_pass() {
    let lab = Lab::new();
    let mut settings = lab.settings();
    settings.signals.units.push("app.service".to_owned());
    let outside = Outside {
        found: telling::channel().0,
        gates: Vec::new(),
        drift: undrifted(&settings),
        runner: Rc::new(Silent),
        space: Rc::new(space::Kernel),
        artefacts: Rc::new(scripted::Scripted::default()),
    };
    let steps = Steps::open(settings, outside).unwrap();
    let readings: Vec<Reading> = steps.read_signals(None).await;
    assert_eq!(readings[0].verdict, Verdict::NoData);
    let mut order = practice();
    order.deadlines.verify = Duration::from_millis(500);
    let failure = steps.verify(&order).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::NoData, "{failure}");
}

/// A systemd that does not answer.
struct Silent;

impl Runner for Silent {
    fn run<'a>(&'a self, command: &'a Command) -> LocalFuture<'a, Result<Output, RunError>> {
        Box::pin(async move {
            Err(RunError::Late {
                command: command.to_string(),
                after: command.deadline,
            })
        })
    }
}
