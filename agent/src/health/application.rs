//! The application's own health page, as it is folded into the host's.
//!
//! Any JSON object that looks like `application/health+json` is taken: `version`, `releaseId`, and the
//! entries under `checks`, such as pools, caches and breakers. They stand in the host's page under the
//! name of the probe that found them, so that nothing of the application can pass for the host's own.

use serde_json::{Map, Value, json};

/// The most entries that are taken of one page (guess: more than a person reads).
const MOST_CHECKS: usize = 100;

/// The entries of an application's page, by the keys under which they stand in the host's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folded(pub Map<String, Value>);

impl Folded {
    /// Takes in the page that a probe of this name found. Absent: it is no health page. Any bytes are safe.
    pub fn read(probe: &str, body: &[u8]) -> Option<Self> {
        let Ok(Value::Object(page)) = serde_json::from_slice(body) else {
            return None;
        };
        let probe = component(probe);
        let mut folded = Map::new();
        for name in ["version", "releaseId"] {
            if let Some(text) = page.get(name).and_then(Value::as_str) {
                let entry = json!([{"componentType": "component", "observedValue": text}]);
                folded.insert(format!("{probe}:{name}"), entry);
            }
        }
        let checks = page.get("checks").and_then(Value::as_object);
        for (key, entries) in checks.into_iter().flatten().take(MOST_CHECKS) {
            if is_entries(entries) {
                folded.insert(format!("{probe}.{key}"), entries.clone());
            }
        }
        Some(Self(folded))
    }
}

/// A name as the part of a key before its colon, which must not hold another.
pub fn component(name: &str) -> String {
    name.replace(':', "_")
}

/// The draft wants an array of objects.
fn is_entries(value: &Value) -> bool {
    value
        .as_array()
        .is_some_and(|entries| entries.iter().all(Value::is_object))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_and_checks_stand_under_the_probes_name() {
        let body = br#"{"status": "pass", "version": "4.2", "releaseId": "b17", "checks": {
            "pool:connections": [{"observedValue": 3}], "odd": 5, "odder": [1]}}"#;
        let Folded(folded) = Folded::read("web:80", body).unwrap();
        let keys: Vec<&str> = folded.keys().map(String::as_str).collect();
        assert_eq!(
            keys,
            [
                "web_80.pool:connections",
                "web_80:releaseId",
                "web_80:version"
            ]
        );
        assert_eq!(folded["web_80:version"][0]["observedValue"], "4.2");
    }

    #[test]
    fn what_is_no_health_page_is_left_out() {
        for body in [&b""[..], b"ok", b"[1]", b"{", b"\xff", &[b'['; 70_000]] {
            assert_eq!(Folded::read("web", body), None);
        }
        let Folded(nothing) = Folded::read("web", b"{\"checks\": 3}").unwrap();
        assert!(nothing.is_empty());
    }

    #[test]
    fn a_page_of_thousands_of_entries_is_cut() {
        let checks: Map<String, Value> =
            (0..5_000).map(|n| (format!("c{n}:x"), json!([]))).collect();
        let body = json!({"checks": checks}).to_string();
        let Folded(folded) = Folded::read("web", body.as_bytes()).unwrap();
        assert_eq!(folded.len(), MOST_CHECKS);
    }
}
