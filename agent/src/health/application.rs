//! The application's own health page, as it is folded into the host's.
//!
//! Any JSON object that looks like `application/health+json` is taken: `version`, `releaseId`, and the
//! entries under `checks`, such as pools, caches and breakers. They stand in the host's page under the
//! name of the probe that found them, so that nothing of the application can pass for the host's own.
//!
//! What is taken stays text, as it came: a tree of it would take many times its room, once a probe for as
//! long as the responder lives.

use serde::{
    Deserialize, Deserializer as _,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::{
    Deserializer, Value, json,
    value::{RawValue, to_raw_value},
};
use std::{fmt, sync::Arc};

/// The most entries that are taken of one page (guess: more than a person reads).
const MOST_CHECKS: usize = 100;

/// The most bytes that are kept of one page; what comes after them is left out (guess: a health page is a few
/// KB, and a responder that keeps three whole ones stays within its 3 MB).
const MOST_KEPT: usize = 8 * 1024;

/// How deep values may lie in each other in an entry (guess: health pages need five). Whoever reads the
/// host's page has a limit too, as serde_json has at 128.
const DEEPEST: usize = 32;

/// The entries of an application's page, with the keys under which they stand in the host's.
#[derive(Debug, Clone)]
pub struct Folded(Arc<[Entry]>);

/// One entry.
#[derive(Debug)]
pub struct Entry {
    /// Its key in the host's page.
    pub key: String,
    /// What stands there.
    pub value: Box<RawValue>,
}

/// As much of a page as is taken, as it came.
#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    version: Option<&'a RawValue>,
    #[serde(borrow, rename = "releaseId")]
    release: Option<&'a RawValue>,
    #[serde(borrow)]
    checks: Option<&'a RawValue>,
}

impl Folded {
    /// Takes in the page that a probe of this name found. Absent: it is no health page. Any bytes are safe.
    pub fn read(probe: &str, body: &[u8]) -> Option<Self> {
        let is_object = body.trim_ascii_start().starts_with(b"{");
        let page: Page<'_> = serde_json::from_slice(body).ok().filter(|_| is_object)?;
        let probe = component(probe);
        let texts = [("version", page.version), ("releaseId", page.release)];
        let texts = texts.into_iter().filter_map(|(name, value)| {
            let key = format!("{probe}:{name}");
            let value = of_text(value?)?;
            Some(Entry { key, value })
        });
        let checks = page.checks.map(first_checks).unwrap_or_default();
        let checks = checks.into_iter().map(|(key, value)| Entry {
            key: format!("{probe}.{key}"),
            value: value.to_owned(),
        });
        let mut kept = 0;
        let fitting = texts.chain(checks).take_while(|entry| {
            kept += entry.key.len() + entry.value.get().len();
            kept <= MOST_KEPT
        });
        Some(Self(fitting.collect()))
    }

    /// Its entries, in the order in which they came.
    pub fn entries(&self) -> &[Entry] {
        &self.0
    }
}

/// What shows a text. Absent: it is none.
fn of_text(value: &RawValue) -> Option<Box<RawValue>> {
    let text: String = serde_json::from_str(value.get()).ok()?;
    to_raw_value(&json!([{"componentType": "component", "observedValue": text}])).ok()
}

/// The first entries of an object that are of the draft's form. Something else than an object has none.
fn first_checks(checks: &RawValue) -> Vec<(String, &RawValue)> {
    let mut reader = Deserializer::from_str(checks.get());
    let mut first = reader.deserialize_map(First).unwrap_or_default();
    first.retain(|(_, entry)| is_entries(entry.get()));
    first
}

/// Takes the first [`MOST_CHECKS`] of an object.
struct First;

impl<'de> Visitor<'de> for First {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut first = Vec::new();
        while first.len() < MOST_CHECKS {
            let Some(entry) = map.next_entry()? else {
                return Ok(first);
            };
            first.push(entry);
        }
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(first)
    }
}

/// A name as the part of a key before its colon, which must not hold another.
pub fn component(name: &str) -> String {
    name.replace(':', "_")
}

/// The draft wants an array of objects.
fn is_entries(json: &str) -> bool {
    let is_small = json.len() <= MOST_KEPT && depth(json) <= DEEPEST;
    let entries = is_small.then(|| serde_json::from_str(json));
    matches!(entries, Some(Ok(Value::Array(entries))) if entries.iter().all(Value::is_object))
}

/// How deep arrays and objects lie in each other, in JSON that is well formed. It needs no room for that.
fn depth(json: &str) -> usize {
    let (mut open, mut most) = (0_usize, 0);
    let (mut in_text, mut is_escaped) = (false, false);
    for byte in json.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => open += 1,
            b']' | b'}' if !in_text => open = open.saturating_sub(1),
            _ => {}
        }
        most = most.max(open);
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Map;

    fn keys(folded: &Folded) -> Vec<&str> {
        let entries = folded.entries().iter();
        entries.map(|entry| entry.key.as_str()).collect()
    }

    #[test]
    fn version_and_checks_stand_under_the_probes_name() {
        let body = br#"{"status": "pass", "version": "4.2", "releaseId": "b17", "checks": {
            "pool:connections": [{"observedValue": 3}], "odd": 5, "odder": [1]}}"#;
        let folded = Folded::read("web:80", body).unwrap();
        assert_eq!(
            keys(&folded),
            [
                "web_80:version",
                "web_80:releaseId",
                "web_80.pool:connections",
            ]
        );
        let version = folded.entries()[0].value.get();
        assert!(version.contains(r#""observedValue":"4.2""#), "{version}");
    }

    #[test]
    fn what_is_no_health_page_is_left_out() {
        for body in [&b""[..], b"ok", b"[1]", b"{", b"\xff", &[b'['; 70_000]] {
            assert!(Folded::read("web", body).is_none());
        }
        let nothing = Folded::read("web", b"{\"checks\": 3, \"version\": 7}").unwrap();
        assert!(nothing.entries().is_empty());
    }

    #[test]
    fn a_page_of_thousands_of_entries_or_bytes_is_cut() {
        let page = |checks: Map<String, Value>| {
            let body = json!({"version": "1", "checks": checks}).to_string();
            Folded::read("web", body.as_bytes()).unwrap()
        };
        let many = (0..5_000).map(|n| (format!("c{n}:x"), json!([])));
        assert_eq!(page(many.collect()).entries().len(), 1 + MOST_CHECKS);
        let long = (0..50).map(|n| (format!("c{n}:x"), json!([{"output": "y".repeat(1000)}])));
        let kept = page(long.collect());
        let size = |entry: &Entry| entry.key.len() + entry.value.get().len();
        let kept: usize = kept.entries().iter().map(size).sum();
        assert!((MOST_KEPT - 1100..=MOST_KEPT).contains(&kept), "{kept}");
    }

    #[test]
    fn an_entry_that_is_too_deep_for_its_readers_is_left_out_and_brackets_in_text_are_none() {
        let nested = |deep: usize| format!("{}{}", "[".repeat(deep), "]".repeat(deep));
        let bracket = r#"[{"output": "\"[[[[["}]"#;
        for (entry, taken) in [
            (format!(r#"[{{"a": {}}}]"#, nested(DEEPEST - 2)), true),
            (format!(r#"[{{"a": {}}}]"#, nested(DEEPEST - 1)), false),
            (format!(r#"[{{"a": {}}}]"#, nested(20_000)), false),
            (bracket.to_owned() + &" ".repeat(DEEPEST), true),
        ] {
            let body = format!(r#"{{"checks": {{"a:b": {entry}}}}}"#);
            let folded = Folded::read("web", body.as_bytes()).unwrap();
            assert_eq!(folded.entries().len(), usize::from(taken), "{entry}");
        }
        assert_eq!(depth(bracket), 2);
    }
}
