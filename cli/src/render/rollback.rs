//! What a rollback would do.

use crate::render::{
    View,
    table::{counted, short, table},
};
use cofferdam_proto::operator::RollbackPreview;
use serde::Serialize;
use std::time::Duration;

/// What taking a rollout back would do now.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct Preview(pub RollbackPreview);

impl View for Preview {
    fn text(&self) -> String {
        let RollbackPreview {
            rollout,
            cells,
            not_now,
            at_most_ms,
        } = &self.0;
        let hosts: u64 = cells.iter().map(|cell| cell.hosts).sum();
        let hosts = counted(usize::try_from(hosts).unwrap_or(usize::MAX), "host");
        let at_most = short(Duration::from_millis(*at_most_ms));
        let mut text = format!("{rollout}: {hosts} would go back, in at most {at_most}\n");
        let rows = cells
            .iter()
            .map(|cell| [cell.cell.to_string(), cell.hosts.to_string()]);
        text += &table(["cell", "hosts"], rows.collect());
        let rows = not_now
            .iter()
            .map(|host| [host.host.to_string(), host.why.clone()]);
        text += &table(["not now", "why"], rows.collect());
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cofferdam_engine::id::{CellId, HostId, RolloutId};
    use cofferdam_proto::operator::{NotTakenBack, PlannedSlice};

    #[test]
    fn a_preview_says_how_many_where_and_who_does_not_go_back() {
        let preview = Preview(RollbackPreview {
            rollout: RolloutId::new("ssl").unwrap(),
            cells: vec![PlannedSlice {
                cell: CellId::new("r1-a-1").unwrap(),
                hosts: 12,
            }],
            not_now: vec![NotTakenBack {
                host: HostId::new("web-3").unwrap(),
                why: "not connected: it goes back when it is".to_owned(),
            }],
            at_most_ms: 5_400_000,
        });
        let text = preview.text();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "ssl: 12 hosts would go back, in at most 1h30m",
                "CELL    HOSTS",
                "r1-a-1  12",
                "NOT NOW  WHY",
                "web-3    not connected: it goes back when it is",
            ]
        );
    }
}
