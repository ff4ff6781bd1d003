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
    checks::verdict::{Reading, Verdict, of_verdicts},
    config::Basis,
    flag::{CheckState, FlagState, Source},
};
use cofferdam_engine::time_zone::iso8601;
use serde::Serialize;
use serde_json::{Map, Value, json, value::RawValue};
use std::{borrow::Cow, collections::BTreeMap};

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
            let held =
                (state.flag != FlagState::Up).then(|| format!("not available: {}", state.reason));
            let (config, concern) = match &seen.basis {
                Basis::File => (None, Verdict::Pass),
                Basis::Copy(why) => (Some(why.clone()), Verdict::NoData),
                Basis::Nothing(why) => (Some(why.clone()), Verdict::Fail),
            };
            let notes: Vec<String> = held.into_iter().chain(config).collect();
            if !notes.is_empty() {
                page.insert("notes".into(), json!(notes));
            }
            let weights = entries(seen).map(|entry| entry.weight());
            of_verdicts(weights.chain([concern]))
        }
        Err(error) => {
            page.insert("output".into(), json!(seen.why_unknown(error)));
            Verdict::Fail
        }
    };
    page.insert("status".into(), word(status));
    let checks = checks(seen);
    let page = Health { page, checks };
    Page {
        status: if status == Verdict::Fail { 503 } else { 200 },
        media_type: "application/health+json",
        body: serde_json::to_string(&page).expect("JSON and names become JSON") + "\n",
    }
}

/// The whole page.
#[derive(Serialize)]
struct Health<'a> {
    #[serde(flatten)]
    page: Map<String, Value>,
    checks: BTreeMap<Cow<'a, str>, Told<'a>>,
}

/// What stands under one key of `checks`.
#[derive(Serialize)]
#[serde(untagged)]
enum Told<'a> {
    /// What the host says of itself.
    Here(Value),
    /// What the application says.
    There(&'a RawValue),
}

fn checks(seen: &Seen) -> BTreeMap<Cow<'_, str>, Told<'_>> {
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
        checks.insert(entry.key(), json!([entry.shown(seen)]));
    }
    let own = checks
        .into_iter()
        .map(|(key, value)| (Cow::Owned(key), Told::Here(value)));
    let mut checks: BTreeMap<_, _> = own.collect();
    let pages = seen.application.iter().filter_map(|one| one.page.as_ref());
    for entry in pages.flat_map(Folded::entries) {
        // What the host says of itself is never replaced.
        let key = Cow::Borrowed(entry.key.as_str());
        checks.entry(key).or_insert(Told::There(&entry.value));
    }
    checks
}

/// What one check, probe or signal says.
enum Entry<'a> {
    /// As the agent wrote it.
    Written(&'a CheckState),
    /// As the application answered it.
    Heard(&'a Reading),
}

impl Entry<'_> {
    fn name(&self) -> &str {
        match self {
            Self::Written(check) => &check.name,
            Self::Heard(reading) => &reading.name,
        }
    }

    fn verdict(&self) -> Verdict {
        match self {
            Self::Written(check) => check.verdict,
            Self::Heard(reading) => reading.verdict,
        }
    }

    /// What it means for the host as a whole: a signal that fails is a concern, as much as one that
    /// says nothing.
    fn weight(&self) -> Verdict {
        match (self, self.verdict()) {
            (Self::Written(check), Verdict::Fail) if check.source == Source::Signal => {
                Verdict::NoData
            }
            (_, verdict) => verdict,
        }
    }

    fn key(&self) -> String {
        let measured = matches!(self, Self::Written(check) if check.measure.is_some());
        let what = if measured { "value" } else { "verdict" };
        format!("{}:{what}", component(self.name()))
    }

    /// The draft's fields, and beside them since when it has its verdict, and the threshold.
    fn shown(&self, seen: &Seen) -> Value {
        let mut entry = Map::new();
        let verdict = self.verdict();
        entry.insert("componentType".into(), json!("component"));
        entry.insert("observedValue".into(), json!(verdict));
        entry.insert("status".into(), word(verdict));
        let output = match self {
            Self::Written(check) => {
                measured(&mut entry, check, seen);
                &check.output
            }
            Self::Heard(reading) => &reading.output,
        };
        entry.insert("output".into(), json!(output));
        Value::Object(entry)
    }
}

fn measured(entry: &mut Map<String, Value>, check: &CheckState, seen: &Seen) {
    if check.source == Source::Signal {
        entry.insert("componentType".into(), json!("system"));
    }
    if let Some(measure) = &check.measure {
        entry.insert("observedValue".into(), json!(measure.value));
        if !measure.unit.is_empty() {
            entry.insert("observedUnit".into(), json!(measure.unit));
        }
        entry.insert("threshold".into(), json!(measure.limit));
    }
    for (key, moment) in [("time", check.read_ms), ("since", check.since_ms)] {
        if let Some(told) = moment.and_then(|uptime_ms| iso8601(seen.wall_at(uptime_ms))) {
            entry.insert(key.into(), json!(told));
        }
    }
}

/// The agent's last verdicts, and in place of those of the application's probes what it says now.
fn entries(seen: &Seen) -> impl Iterator<Item = Entry<'_>> {
    let is_probe = |name: &str| seen.application.iter().any(|a| a.reading.name == name);
    let checks = seen.state.iter().flat_map(|state| &state.checks);
    let checks =
        checks.filter(move |check| check.source == Source::Signal || !is_probe(&check.name));
    let probes = seen
        .application
        .iter()
        .map(|answer| Entry::Heard(&answer.reading));
    checks.map(Entry::Written).chain(probes)
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
mod tests;
