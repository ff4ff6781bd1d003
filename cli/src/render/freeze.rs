//! The freeze calendar.

use crate::render::{View, table::table};
use cofferdam_engine::time::Timestamp;
use cofferdam_proto::operator::{CalendarView, FreezeView};
use serde::Serialize;

/// The freeze calendar, one line a freeze.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct Calendar {
    /// What the coordinator says of it.
    pub calendar: CalendarView,
    /// The moment at which it is looked at.
    #[serde(skip)]
    pub now: Timestamp,
}

impl View for Calendar {
    fn text(&self) -> String {
        let Self { calendar, now } = self;
        if calendar.freezes.is_empty() {
            return "no freezes: cofferdam freeze set FILE declares some\n".to_owned();
        }
        let headings = [
            "freeze",
            "on",
            "from",
            "until",
            "time zone",
            "hosts",
            "match",
            "not for",
            "owner",
            "reason",
        ];
        let mut text = table(headings, calendar.freezes.iter().map(row).collect());
        for freeze in &calendar.freezes {
            if freeze.until_ms <= *now {
                text += &format!("note: {} is over\n", freeze.name);
            } else if freeze.hosts == 0 {
                text += &format!("note: {} is for no host that is known\n", freeze.name);
            }
        }
        text
    }
}

fn row(freeze: &FreezeView) -> [String; 10] {
    [
        freeze.name.clone(),
        if freeze.is_on { "yes" } else { "no" }.to_owned(),
        freeze.from.clone(),
        freeze.until.clone(),
        freeze.time_zone.clone(),
        freeze.hosts.to_string(),
        freeze.selection.clone().unwrap_or_else(|| "all".to_owned()),
        freeze.except_profiles.join(", "),
        freeze.owner.clone(),
        freeze.reason.clone(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use cofferdam_engine::id::OperatorId;

    #[test]
    fn a_freeze_is_one_line_and_one_that_holds_nothing_is_noted() {
        let freeze = FreezeView {
            name: "black friday".to_owned(),
            is_on: true,
            from_ms: Timestamp(1),
            until_ms: Timestamp(2),
            from: "2026-11-26 18:00".to_owned(),
            until: "2026-12-01 00:00".to_owned(),
            time_zone: "America/New_York".to_owned(),
            selection: None,
            hosts: 24,
            reason: "sales".to_owned(),
            owner: "sre".to_owned(),
            except_profiles: vec!["emergency".to_owned()],
        };
        let typo = FreezeView {
            name: "typo".to_owned(),
            is_on: false,
            until_ms: Timestamp(3),
            selection: Some("zone == \"z\"".to_owned()),
            hosts: 0,
            ..freeze.clone()
        };
        let calendar = Calendar {
            calendar: CalendarView {
                declared_by: Some(OperatorId::new("anna").unwrap()),
                declared_at_ms: Some(Timestamp(0)),
                freezes: vec![freeze, typo],
            },
            now: Timestamp(2),
        };
        insta::assert_snapshot!(calendar.text(), @r#"
        FREEZE        ON   FROM              UNTIL             TIME ZONE         HOSTS  MATCH        NOT FOR    OWNER  REASON
        black friday  yes  2026-11-26 18:00  2026-12-01 00:00  America/New_York  24     all          emergency  sre    sales
        typo          no   2026-11-26 18:00  2026-12-01 00:00  America/New_York  0      zone == "z"  emergency  sre    sales
        note: black friday is over
        note: typo is for no host that is known
        "#);
    }
}
