//! The pages, as what they are made of changes.

use super::*;
use crate::{
    checks::verdict::{Limit, Measure},
    flag::{FORMAT, State, StateError, weight},
    health::seen::Answer,
};
use cofferdam_engine::time::Timestamp;
use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

fn seen(flag: FlagState, verdicts: &[(&str, Verdict)]) -> Seen {
    let check = |&(name, verdict): &(&str, Verdict)| CheckState {
        name: name.to_owned(),
        source: Source::Check,
        verdict,
        measure: None,
        read_ms: None,
        since_ms: None,
        output: "said".to_owned(),
    };
    Seen {
        state: Ok(State {
            version: FORMAT,
            host: "web-1".to_owned(),
            agent: "0.1.0".to_owned(),
            flag,
            reason: "rollout r1 drains it".to_owned(),
            proved: true,
            weights: Vec::new(),
            release: Some("r0".to_owned()),
            checks: verdicts.iter().map(check).collect(),
        }),
        basis: Basis::File,
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        application: Vec::new(),
        uptime_ms: 7_999,
        // 2026-11-28T01:50:16Z.
        wall: Timestamp(1_795_830_616_000),
    }
}

fn health(seen: &Seen) -> (u16, Value) {
    let page = Page::of("/healthz", seen);
    (page.status, serde_json::from_str(&page.body).unwrap())
}

fn application(verdict: Verdict, body: &str) -> Answer {
    Answer {
        reading: Reading::new("web", verdict, "said"),
        page: Folded::read("web", body.as_bytes()),
    }
}

#[test]
fn ready_is_the_flag_and_the_application() {
    for (flag, verdict, status) in [
        (FlagState::Up, Verdict::Pass, 200),
        (FlagState::Up, Verdict::Fail, 503),
        (FlagState::Up, Verdict::NoData, 503),
        (FlagState::Draining, Verdict::Pass, 503),
        (FlagState::Down, Verdict::Pass, 503),
    ] {
        let mut seen = seen(flag, &[]);
        seen.application = vec![application(verdict, "")];
        assert_eq!(
            Page::of("/ready", &seen).status,
            status,
            "{flag:?} {verdict}"
        );
    }
}

#[test]
fn traffic_comes_back_by_the_ramp() {
    let mut seen = seen(FlagState::Up, &[]);
    assert_eq!(seen.standing(), Standing::Serves(100));
    if let Ok(state) = &mut seen.state {
        state.weights = weight::watched(30, 50, Duration::ZERO, 7_000);
    }
    assert_eq!(seen.standing(), Standing::Serves(30));
    assert_eq!(Page::of("/ready", &seen).status, 200);
    if let Ok(state) = &mut seen.state {
        state.weights = weight::held(0, 7_000);
    }
    assert!(matches!(seen.standing(), Standing::Drains(_)));
    let page = Page::of("/ready", &seen);
    assert_eq!(page.status, 503);
    assert!(page.body.contains("its agent is silent"), "{}", page.body);
}

#[test]
fn the_applications_page_is_folded_in_and_replaces_nothing() {
    let mut seen = seen(FlagState::Up, &[("web", Verdict::Fail)]);
    let page = r#"{"version": "9", "checks": {"pool:used": [{"observedValue": 3}]}}"#;
    seen.application = vec![application(Verdict::Pass, page)];
    let (status, page) = health(&seen);
    assert_eq!(status, 200, "the probe that was made now counts");
    let checks = &page["checks"];
    assert_eq!(checks["web:version"][0]["observedValue"], "9");
    assert_eq!(checks["web.pool:used"][0]["observedValue"], 3);
    assert_eq!(checks["web:verdict"][0]["observedValue"], "pass");
    assert_eq!(page["version"], "0.1.0");
}

#[test]
fn checks_of_the_agent_change_nothing_about_traffic() {
    let failing = [("app", Verdict::Fail)];
    assert_eq!(
        Page::of("/ready", &seen(FlagState::Up, &failing)).status,
        200
    );
    let down = Page::of("/ready", &seen(FlagState::Down, &[]));
    assert_eq!(down.status, 503);
    assert_eq!(down.body, "not available: rollout r1 drains it\n");
}

#[test]
fn health_is_the_worst_of_the_checks() {
    for (verdict, status, word) in [
        (Verdict::Pass, 200, "pass"),
        (Verdict::NoData, 200, "warn"),
        (Verdict::Fail, 503, "fail"),
    ] {
        let (code, page) = health(&seen(
            FlagState::Up,
            &[("a", Verdict::Pass), ("b", verdict)],
        ));
        assert_eq!((code, &page["status"]), (status, &json!(word)));
    }
}

#[test]
fn a_signal_shows_its_number_threshold_and_since_when_and_is_a_concern_at_most() {
    let mut seen = seen(FlagState::Up, &[("disk:/", Verdict::Fail)]);
    if let Ok(state) = &mut seen.state {
        let check = &mut state.checks[0];
        check.source = Source::Signal;
        check.measure = Some(Measure::new(4.5, "%", Limit::AtLeast(5.0)));
        check.read_ms = Some(6_999);
        check.since_ms = Some(999);
    }
    let (status, page) = health(&seen);
    assert_eq!((status, &page["status"]), (200, &json!("warn")));
    assert_eq!(
        page["checks"]["disk_/:value"],
        json!([{
            "componentType": "system", "observedValue": 4.5, "observedUnit": "%",
            "threshold": {"at-least": 5.0}, "status": "fail", "output": "said",
            "time": "2026-11-28T01:50:15.000Z", "since": "2026-11-28T01:50:09.000Z",
        }])
    );
}

#[test]
fn health_names_version_release_address_uptime_and_checks() {
    let (_, page) = health(&seen(FlagState::Down, &[("a:b", Verdict::Pass)]));
    assert_eq!(page["version"], "0.1.0");
    assert_eq!(page["releaseId"], "r0");
    assert_eq!(
        page["checks"]["host:address"][0]["observedValue"],
        "127.0.0.1"
    );
    assert_eq!(page["checks"]["system:uptime"][0]["observedValue"], 7);
    assert_eq!(page["checks"]["a_b:verdict"][0]["output"], "said");
    assert_eq!(page["notes"][0], "not available: rollout r1 drains it");
}

#[test]
fn without_a_state_file_the_host_is_not_available() {
    let mut nothing = seen(FlagState::Up, &[]);
    nothing.state = Err(StateError::Missing("/run/x".into()));
    let (code, page) = health(&nothing);
    assert_eq!((code, &page["status"]), (503, &json!("fail")));
    assert_eq!(page["output"], "there is no state file /run/x");
    assert_eq!(Page::of("/ready", &nothing).status, 503);
}

#[test]
fn a_config_file_of_no_use_is_said_and_only_without_a_copy_takes_no_traffic() {
    let why = "the config file is of no use: agent.toml:1:3: x";
    let mut seen = seen(FlagState::Up, &[]);
    for (basis, ready, status) in [
        (Basis::Copy(why.to_owned()), 200, "warn"),
        (Basis::Nothing(why.to_owned()), 503, "fail"),
    ] {
        seen.basis = basis;
        assert_eq!(Page::of("/ready", &seen).status, ready);
        let (_, page) = health(&seen);
        assert_eq!(
            (&page["status"], &page["notes"][0]),
            (&json!(status), &json!(why))
        );
    }
    // After a boot.
    seen.state = Err(StateError::Missing("/run/state.json".into()));
    for basis in [Basis::Copy(why.to_owned()), Basis::Nothing(why.to_owned())] {
        seen.basis = basis;
        let page = Page::of("/ready", &seen);
        assert_eq!(page.status, 503);
        assert!(
            page.body.starts_with(&format!("not available: {why}")),
            "{page:?}"
        );
        let said = health(&seen).1["output"].to_string();
        assert!(
            said.contains(why) && said.contains("no state file"),
            "{said}"
        );
    }
}
