//! How traffic leaves a host and comes back.

use super::*;
use crate::{
    clock,
    flag::{FILE_NAME, FlagState, State, weight::Weight},
    host::settings::Ramp,
};
use cofferdam_engine::traffic::{OnExpiry, RampSteps};
use std::{
    net::{TcpListener, TcpStream},
    time::Duration,
};
use tokio::time::{sleep, timeout};

fn practice() -> Order {
    let mut order = order("practice", Content::Noop);
    order.stable_for = Duration::from_millis(100);
    order.first_answer = Duration::ZERO;
    order.deadlines.drain = Duration::from_secs(2);
    order
}

fn with(settings: HostSettings) -> Steps {
    let artefacts = scripted::Scripted::default();
    steps_with(settings, Rc::new(space::Kernel), artefacts)
}

fn state(lab: &Lab) -> State {
    State::read(&lab.path("run").join(FILE_NAME)).unwrap()
}

fn program(lab: &Lab, path: &str, script: &str) {
    let path = lab.path(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
}

/// A host with a client at a port that drain waits for.
fn with_client(lab: &Lab) -> (HostSettings, (TcpListener, TcpStream)) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let client = TcpStream::connect(address).unwrap();
    let mut settings = lab.settings();
    settings.traffic.ports.insert(address.port());
    (settings, (listener, client))
}

#[tokio::test]
async fn a_drain_that_ends_with_clients_is_undone_at_once_and_says_which() {
    let lab = Lab::new();
    let (mut settings, client) = with_client(&lab);
    program(&lab, "sessions.d/carts", "echo 3");
    program(&lab, "sessions.d/jobs", "echo no queue; exit 1");
    program(&lab, "sessions.d/logins", "echo 0");
    let port = client.0.local_addr().unwrap().port();
    let (on_its_way, _) = on_its_way_back(&lab);
    settings.ramp = on_its_way.ramp;
    let steps = with(settings);
    steps.state.prove().unwrap();
    let failure = steps.drain(&practice()).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Drain);
    let says = format!(
        "left at the end of drain: 1 connection to port {port}, 3 sessions of carts, an unknown number of \
         sessions of jobs (it ended with status 1: no queue)"
    );
    assert_eq!(failure.detail, says);
    assert_eq!(state(&lab).flag, FlagState::Draining);
    steps.readmit(&practice()).await.unwrap();
    let state = state(&lab);
    assert_eq!((state.flag, state.weights), (FlagState::Up, Vec::new()));
}

#[tokio::test]
async fn a_drain_may_be_forced_by_the_host_and_the_rollout_has_the_last_word() {
    for (host, rollout, is_forced) in [
        (OnExpiry::Force, None, true),
        (OnExpiry::Abort, Some(OnExpiry::Force), true),
        (OnExpiry::Force, Some(OnExpiry::Abort), false),
    ] {
        let lab = Lab::new();
        let (mut settings, _client) = with_client(&lab);
        settings.traffic.at_most = Some(Duration::ZERO);
        settings.traffic.on_expiry = host;
        let mut order = practice();
        order.traffic.on_expiry = rollout;
        let drained = with(settings).drain(&order).await;
        assert_eq!(drained.is_ok(), is_forced, "{host} {rollout:?}");
    }
}

#[tokio::test]
async fn a_drain_ends_when_the_last_connection_and_session_does() {
    let lab = Lab::new();
    let (settings, client) = with_client(&lab);
    let carts = lab.path("carts");
    fs::write(&carts, "1\n").unwrap();
    program(
        &lab,
        "sessions.d/carts",
        &format!("cat {}", carts.display()),
    );
    let steps = with(settings);
    let order = practice();
    let (drained, ()) = tokio::join!(steps.drain(&order), async {
        sleep(Duration::from_millis(300)).await;
        drop(client);
        sleep(Duration::from_millis(300)).await;
        assert_eq!(state(&lab).flag, FlagState::Draining);
        fs::write(&carts, "0\n").unwrap();
    });
    drained.unwrap();
}

#[tokio::test]
async fn the_flag_says_down_before_the_change_and_before_the_way_back() {
    let lab = Lab::new();
    let steps = steps(&lab);
    let order = practice();
    steps.drain(&order).await.unwrap();
    steps.stage(&request(&order)).await.unwrap();
    steps.apply(&order).await.unwrap();
    assert_eq!(state(&lab).reason, "patching practice");
    steps.rollback(&order).await.unwrap();
    assert_eq!(state(&lab).reason, "rolling back practice");
    assert_eq!(state(&lab).flag, FlagState::Down);
}

/// A host whose traffic comes back by a tenth and a half, in steps of 200 ms, with a check that passes
/// while there is a mark.
fn on_its_way_back(lab: &Lab) -> (HostSettings, PathBuf) {
    let mark = lab.path("well");
    fs::write(&mark, "").unwrap();
    program(lab, "checks.d/app", &format!("test -e {}", mark.display()));
    let mut settings = lab.settings();
    settings.ramp = Ramp {
        takes: Duration::from_millis(400),
        steps: RampSteps::new(vec![10, 50]).unwrap(),
    };
    (settings, mark)
}

/// Waits until the state file is so.
async fn until(lab: &Lab, is_so: impl Fn(&State) -> bool) -> State {
    let look = async {
        loop {
            let state = state(lab);
            if is_so(&state) {
                return state;
            }
            sleep(Duration::from_millis(5)).await;
        }
    };
    let seen = timeout(Duration::from_secs(20), look).await;
    seen.unwrap_or_else(|_| panic!("{:?}", state(lab)))
}

fn has(percent: u8) -> impl Fn(&State) -> bool {
    move |state| {
        let first = state.weights.first();
        state.flag == FlagState::Up && first.is_some_and(|weight| weight.percent == percent)
    }
}

/// What becomes of the host if its agent says nothing more: a later step, if any, and the end.
fn without_agent(state: &State) -> (Option<u8>, u8) {
    let percent = |weight: &Weight| weight.percent;
    let later = &state.weights[1..];
    let step = (later.len() > 1).then(|| percent(&later[0]));
    (step, later.last().map_or(100, percent))
}

#[tokio::test]
async fn traffic_comes_back_step_by_step_and_steps_back_while_the_host_is_not_well() {
    let lab = Lab::new();
    let (settings, well) = on_its_way_back(&lab);
    let mut order = practice();
    order.deadlines.drain = Duration::from_secs(20);
    let steps = with(settings);
    steps.drain(&order).await.unwrap();
    steps.stage(&request(&order)).await.unwrap();
    steps.apply(&order).await.unwrap();
    steps.state.prove().unwrap();
    let (readmitted, ()) = tokio::join!(steps.readmit(&order), async {
        let first = until(&lab, has(10)).await;
        assert_eq!(without_agent(&first), (Some(50), 100));
        let second = until(&lab, has(50)).await;
        assert_eq!(without_agent(&second), (Some(100), 100));
        fs::remove_file(&well).unwrap();
        let back = until(&lab, has(10)).await;
        assert_eq!(without_agent(&back), (None, 0), "it was not well");
        let down = until(&lab, |state| state.flag == FlagState::Down).await;
        assert!(down.reason.contains("app: fail"), "{}", down.reason);
        fs::write(&well, "").unwrap();
        until(&lab, has(10)).await;
    });
    readmitted.unwrap();
    let last = state(&lab);
    assert_eq!((last.flag, &*last.weights), (FlagState::Up, &[][..]));
    assert_eq!(last.release.as_deref(), Some("practice"));
}

#[tokio::test]
async fn a_host_that_is_not_well_with_traffic_is_given_up_with_its_traffic_taken_back() {
    let lab = Lab::new();
    let (settings, well) = on_its_way_back(&lab);
    fs::remove_file(&well).unwrap();
    let steps = with(settings);
    steps.state.prove().unwrap();
    let failure = steps.readmit(&practice()).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unhealthy);
    let says = "with 0% of its traffic the host is not well: app: fail";
    assert_eq!(failure.detail, says);
    let state = state(&lab);
    assert_eq!(state.flag, FlagState::Down);
    assert_eq!(state.release, None, "it is not what runs here");
    assert!(state.reason.ends_with(says), "{}", state.reason);
}

#[tokio::test]
async fn an_agent_that_starts_again_goes_on_with_the_step_that_the_host_has() {
    let lab = Lab::new();
    let (settings, _well) = on_its_way_back(&lab);
    let mut order = practice();
    // Which the rollout says otherwise than the host.
    order.traffic.ramp = Some(Duration::from_millis(900));
    order.traffic.ramp_steps = Some(RampSteps::new(vec![5, 60, 90]).unwrap());
    let first = with(settings.clone());
    first.state.prove().unwrap();
    let cut_short = async {
        tokio::select! {
            biased;
            state = until(&lab, has(60)) => state,
            readmitted = first.readmit(&order) => panic!("{readmitted:?}"),
        }
    };
    cut_short.await;
    let second = with(settings);
    assert_eq!(second.state.percent(clock::uptime()), 60);
    let (readmitted, state) =
        tokio::join!(second.readmit(&order), until(&lab, |state| !has(60)(state)));
    readmitted.unwrap();
    assert!(has(90)(&state), "{state:?}");
}
