//! Denials, one line each.

use crate::render::{
    View,
    table::{ago, brief, table},
};
use cofferdam_engine::{
    denial::{Named, Place},
    time::Timestamp,
};
use cofferdam_proto::operator::DenialView;
use serde::Serialize;

/// What is denied, and what was.
#[derive(Debug, Serialize)]
pub struct DenialList {
    /// Those that hold first, the newest first.
    pub denials: Vec<DenialView>,
    /// The moment at which they are looked at.
    #[serde(skip)]
    pub now: Timestamp,
}

impl View for DenialList {
    fn text(&self) -> String {
        if self.denials.is_empty() {
            return "nothing is denied\n".to_owned();
        }
        let headings = [
            "bits",
            "denied to",
            "by",
            "rollout",
            "when",
            "why",
            "lifted",
        ];
        let rows = self.denials.iter().map(|denial| self.row(denial));
        table(headings, rows.collect())
    }
}

impl DenialList {
    fn row(&self, denial: &DenialView) -> [String; 7] {
        let by = denial.by.as_ref().map(ToString::to_string);
        let rollout = denial.rollout.as_ref().map(ToString::to_string);
        let lifted = denial.lifted.as_ref().map(|lift| {
            let when = ago(lift.at_ms, self.now);
            format!("{when} by {} {}", lift.by, lift.reason)
        });
        [
            brief(denial.bits),
            denial.place.to_string(),
            by.unwrap_or_else(|| "itself".to_owned()),
            rollout.unwrap_or_else(|| "-".to_owned()),
            ago(denial.at_ms, self.now),
            denial.reason.clone(),
            lifted.unwrap_or_else(|| "no".to_owned()),
        ]
    }
}

/// Bits were denied, or are no longer.
#[derive(Debug, Serialize)]
pub struct Denied {
    /// Which.
    #[serde(flatten)]
    pub bits: Named,
    /// Where. Absent: wherever they were denied.
    pub place: Option<Place>,
    /// Whether they are denied now.
    pub is_denied: bool,
}

impl View for Denied {
    fn text(&self) -> String {
        let bits = &self.bits;
        match (&self.place, self.is_denied) {
            (Some(place), true) => format!("{bits} is denied to {place}\n"),
            (None, true) => format!("{bits} is denied\n"),
            (Some(place), false) => format!("{bits} may be installed again for {place}\n"),
            (None, false) => format!("{bits} may be installed again\n"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cofferdam_engine::{
        digest::Digest,
        id::{HostId, OperatorId, RolloutId},
    };
    use cofferdam_proto::operator::LiftView;

    #[test]
    fn a_denial_is_one_line_that_says_who_where_when_and_why() {
        let anna = OperatorId::new("anna").unwrap();
        let of_fleet = DenialView {
            bits: Digest::of("bits"),
            place: Place::Fleet,
            by: Some(anna.clone()),
            rollout: RolloutId::new("ssl").ok(),
            reason: "slow queries".to_owned(),
            at_ms: Timestamp(1_000),
            lifted: None,
        };
        let of_host = DenialView {
            place: Place::Host {
                host: HostId::new("web-1").unwrap(),
            },
            by: None,
            reason: "unhealthy: port 80".to_owned(),
            lifted: Some(LiftView {
                by: anna,
                reason: "new disk".to_owned(),
                at_ms: Timestamp(41_000),
            }),
            ..of_fleet.clone()
        };
        let list = DenialList {
            denials: vec![of_fleet, of_host],
            now: Timestamp(61_000),
        };
        let text = list.text();
        let lines: Vec<&str> = text.lines().collect();
        let brief = brief(Digest::of("bits"));
        let cells = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(
            lines.iter().map(|line| cells(line)).collect::<Vec<_>>(),
            [
                "BITS DENIED TO BY ROLLOUT WHEN WHY LIFTED".to_owned(),
                format!("{brief} the fleet anna ssl 1m ago slow queries no"),
                format!(
                    "{brief} host web-1 itself ssl 1m ago unhealthy: port 80 20s ago by anna new disk"
                ),
            ]
        );
    }
}
