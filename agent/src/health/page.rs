//! The pages that the health responder shows, as pure functions of the state file.
//!
//! `/healthz` is `application/health+json` (draft-inadarei-api-health-check-06): how the host is.
//! `/ready` is a word for load balancers: whether to send traffic. The two are separate: a host may
//! be well and drained.

use super::{
    application::{Folded, component},
    seen::{Seen, Standing},
};
use crate::{
    checks::verdict::{Verdict, of_verdicts},
    flag::FlagState,
};
use cofferdam_proto::error_chain;
use serde_json::{Map, Value, json};

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The HTTP status.
    pub status: u16,
    /// The media type of the body.
    pub media_type: &'static str,
    /// The body.
    pub body: String,
}

impl Page {
    /// The page under a path.
    pub fn of(path: &str, seen: &Seen) -> Self {
        match path {
            "/healthz" => healthz(seen),
            "/ready" => ready(&seen.standing()),
            _ => Self::plain(404, "there are /healthz and /ready"),
        }
    }

    /// A page of one line.
    pub fn plain(status: u16, line: &str) -> Self {
        Self {
            status,
            media_type: "text/plain; charset=utf-8",
            body: format!("{line}\n"),
        }
    }

    /// The answer's bytes; without the body, as `HEAD` wants it, with its length all the same.
    pub fn to_http(&self, with_body: bool) -> Vec<u8> {
        let allow = if self.status == 405 {
            "Allow: GET, HEAD\r\n"
        } else {
            ""
        };
        let head = format!(
            "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n{allow}\
             Cache-Control: no-store\r\nConnection: close\r\n\r\n",
            self.status,
            phrase(self.status),
            self.media_type,
            self.body.len()
        );
        let body = if with_body { self.body.as_str() } else { "" };
        [head.as_bytes(), body.as_bytes()].concat()
    }
}

fn phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        431 => "Request Header Fields Too Large",
        _ => "Service Unavailable",
    }
}

/// Whether to send traffic: 200 only while the flag is up and the application answers well.
fn ready(standing: &Standing) -> Page {
    match standing {
        Standing::Serves(_) => Page::plain(200, "ready"),
        Standing::Drains(reason) | Standing::Stopped(reason) | Standing::Ails(reason) => {
            Page::plain(503, &format!("not available: {reason}"))
        }
    }
}

/// How the host is: 200 with `pass` or `warn`, 503 with `fail`.
fn healthz(seen: &Seen) -> Page {
    let mut page = Map::new();
    let status = match &seen.state {
        Ok(state) => {
            page.insert("version".into(), json!(state.agent));
            page.insert("serviceId".into(), json!(state.host));
            page.insert("description".into(), json!("a host managed by Cofferdam"));
            if let Some(release) = &state.release {
                page.insert("releaseId".into(), json!(release));
            }
            if state.flag != FlagState::Up {
                page.insert(
                    "notes".into(),
                    json!([format!("not available: {}", state.reason)]),
                );
            }
            of_verdicts(entries(seen).map(|entry| entry.verdict))
        }
        Err(error) => {
            page.insert("output".into(), json!(error_chain(error)));
            Verdict::Fail
        }
    };
    page.insert("status".into(), word(status));
    page.insert("checks".into(), checks(seen));
    Page {
        status: if status == Verdict::Fail { 503 } else { 200 },
        media_type: "application/health+json",
        body: Value::Object(page).to_string() + "\n",
    }
}

fn checks(seen: &Seen) -> Value {
    let mut checks = Map::new();
    let address = seen.address.to_string();
    checks.insert(
        "host:address".into(),
        json!([{"componentType": "system", "observedValue": address, "status": "pass"}]),
    );
    checks.insert(
        "system:uptime".into(),
        json!([{
            "componentType": "system", "observedValue": seen.uptime_ms / 1000,
            "observedUnit": "s", "status": "pass",
        }]),
    );
    for entry in entries(seen) {
        let key = format!("{}:verdict", component(entry.name));
        let entry = json!([{
            "componentType": "component", "observedValue": entry.verdict,
            "status": word(entry.verdict), "output": entry.output,
        }]);
        checks.insert(key, entry);
    }
    for Folded(page) in seen.application.iter().filter_map(|a| a.page.as_ref()) {
        for (key, entry) in page {
            // What the host says of itself is never replaced.
            checks.entry(key).or_insert_with(|| entry.clone());
        }
    }
    Value::Object(checks)
}

/// What one check or probe says.
struct Entry<'a> {
    name: &'a str,
    verdict: Verdict,
    output: &'a str,
}

/// The agent's last verdicts, and in place of those of the application's probes what it says now.
fn entries(seen: &Seen) -> impl Iterator<Item = Entry<'_>> {
    let probes = seen.application.iter().map(|answer| Entry {
        name: &answer.reading.name,
        verdict: answer.reading.verdict,
        output: &answer.reading.output,
    });
    let is_probe = |name: &str| seen.application.iter().any(|a| a.reading.name == name);
    let checks = seen.state.iter().flat_map(|state| &state.checks);
    let checks = checks.filter(move |check| !is_probe(&check.name));
    let checks = checks.map(|check| Entry {
        name: &check.name,
        verdict: check.verdict,
        output: &check.output,
    });
    checks.chain(probes)
}

/// The draft's word for a verdict.
fn word(verdict: Verdict) -> Value {
    match verdict {
        Verdict::Pass => json!("pass"),
        Verdict::NoData => json!("warn"),
        Verdict::Fail => json!("fail"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        checks::verdict::Reading,
        flag::{CheckState, FORMAT, Ramp, State, StateError},
        health::seen::Answer,
    };
    use std::net::{IpAddr, Ipv4Addr};

    fn seen(flag: FlagState, verdicts: &[(&str, Verdict)]) -> Seen {
        let check = |&(name, verdict): &(&str, Verdict)| CheckState {
            name: name.to_owned(),
            verdict,
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
                ramp: None,
                release: Some("r0".to_owned()),
                checks: verdicts.iter().map(check).collect(),
            }),
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            application: Vec::new(),
            uptime_ms: 7_999,
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
            state.ramp = Some(Ramp {
                began_ms: 7_000,
                takes_ms: 3_000,
            });
        }
        assert_eq!(seen.standing(), Standing::Serves(30));
        assert_eq!(Page::of("/ready", &seen).status, 200);
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
}
