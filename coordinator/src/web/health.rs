//! The coordinator's own health, as `application/health+json` (draft-inadarei-api-health-check).

use cofferdam_engine::{id::OwnerEpoch, time::WallStep};
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
    Warn,
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
    /// ends with the first that does not. A system's clock that was set is for people to look at.
    pub(super) fn well(epoch: OwnerEpoch, step: Option<WallStep>) -> Self {
        let well = Self::of(Status::Pass, "", &format!("owner epoch {epoch}"));
        let Some(step) = step else {
            return well;
        };
        let mut checks = well.checks;
        checks.insert("clock", [Check::of(Status::Warn, &step.to_string())]);
        Self {
            status: Status::Warn,
            output: step.to_string(),
            checks,
            ..well
        }
    }

    /// The driver did not answer.
    pub(super) fn bad(why: &str) -> Self {
        Self::of(Status::Fail, why, why)
    }

    /// Whether no check fails.
    pub(super) fn is_well(&self) -> bool {
        match self.status {
            Status::Pass | Status::Warn => true,
            Status::Fail => false,
        }
    }

    /// The document.
    pub(super) fn json(&self) -> String {
        serde_json::to_string(self).expect("a health document has text keys alone")
    }

    fn of(status: Status, output: &str, driver: &str) -> Self {
        let checks = [
            ("driver", [Check::of(status, driver)]),
            ("store", [Check::of(status, output)]),
        ];
        Self {
            status,
            version: env!("CARGO_PKG_VERSION"),
            service_id: "cofferdam-coordinator",
            output: output.to_owned(),
            checks: checks.into(),
        }
    }
}

impl Check {
    fn of(status: Status, output: &str) -> Self {
        Self {
            status,
            output: output.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coordinator_that_answers_is_well() {
        let health = Health::well(OwnerEpoch(3), None);
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

    #[test]
    fn a_clock_that_was_set_is_a_warning() {
        let step = WallStep::Behind(std::time::Duration::from_secs(7_200));
        let health = Health::well(OwnerEpoch(3), Some(step));
        assert!(health.is_well());
        let json = health.json();
        assert!(json.contains("\"status\":\"warn\""), "{json}");
        assert!(json.contains("the system's clock is 2h behind"), "{json}");
    }
}
