//! The coordinator's own health, as `application/health+json` (draft-inadarei-api-health-check).

use cofferdam_engine::id::OwnerEpoch;
use serde::Serialize;
use std::collections::BTreeMap;

/// What `GET /healthz` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Health {
    status: Status,
    version: &'static str,
    #[serde(rename = "serviceId")]
    service_id: &'static str,
    /// The output of the first check that fails. Empty: none does.
    #[serde(skip_serializing_if = "String::is_empty")]
    output: String,
    checks: BTreeMap<&'static str, [Check; 1]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Status {
    Pass,
    Fail,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Check {
    status: Status,
    #[serde(skip_serializing_if = "String::is_empty")]
    output: String,
}

impl Health {
    /// The driver answered: it is running, and its last append to the store succeeded, since it
    /// ends with the first that does not.
    pub(super) fn well(epoch: OwnerEpoch) -> Self {
        Self::of(Status::Pass, "", &format!("owner epoch {epoch}"))
    }

    /// The driver did not answer.
    pub(super) fn bad(why: &str) -> Self {
        Self::of(Status::Fail, why, why)
    }

    /// Whether every check passes.
    pub(super) fn is_well(&self) -> bool {
        self.status == Status::Pass
    }

    /// The document.
    pub(super) fn json(&self) -> String {
        serde_json::to_string(self).expect("a health document has text keys alone")
    }

    fn of(status: Status, output: &str, driver: &str) -> Self {
        let check = |output: &str| {
            [Check {
                status,
                output: output.to_owned(),
            }]
        };
        Self {
            status,
            version: env!("CARGO_PKG_VERSION"),
            service_id: "cofferdam-coordinator",
            output: output.to_owned(),
            checks: [("driver", check(driver)), ("store", check(output))].into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coordinator_that_answers_is_well() {
        let health = Health::well(OwnerEpoch(3));
        assert!(health.is_well());
        let json = health.json();
        assert!(
            json.starts_with(r#"{"status":"pass","version":""#),
            "{json}"
        );
        assert!(json.contains("owner epoch 3"), "{json}");
    }

    #[test]
    fn one_that_does_not_says_why() {
        let health = Health::bad("no answer within 5 s");
        assert!(!health.is_well());
        assert!(health.json().contains(r#""output":"no answer within 5 s""#));
    }
}
