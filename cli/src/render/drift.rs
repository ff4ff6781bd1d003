//! What changed on hosts without an order.

use crate::render::{
    View,
    ranked::{Ranked, Standing},
    table::{ago, counted, indented, table},
};
use clap::ValueEnum;
use cofferdam_engine::drift::DriftSummary;
use cofferdam_proto::operator::HostView;
use serde::Serialize;

/// How far a host is what its image was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum DriftIs {
    /// Something changed without an order
    Drifted,
    /// It cannot be told
    Untold,
    /// The host has not told: it is not sealed, or was never heard of
    Unknown,
    /// Nothing changed
    None,
}

impl Standing for DriftIs {
    fn of(host: &HostView) -> Vec<Self> {
        vec![match &host.drift {
            None => Self::Unknown,
            Some(drift) if drift.is_unknown() => Self::Untold,
            Some(drift) if drift.changes() == 0 => Self::None,
            Some(_) => Self::Drifted,
        }]
    }

    /// How much changed.
    fn weight(host: &HostView) -> u64 {
        host.drift.as_ref().map_or(0, DriftSummary::changes)
    }
}

/// What changed on hosts without an order.
pub type DriftList = Ranked<DriftIs>;

impl View for DriftList {
    fn text(&self) -> String {
        self.shown(|| {
            let rows = self.hosts.iter().map(|host| self.row(host));
            let text = table(["host", "connected", "drift", "since"], rows.collect());
            let changed = self.hosts.iter().filter_map(changes);
            text + &changed.collect::<String>()
        })
    }
}

impl DriftList {
    fn row(&self, host: &HostView) -> [String; 4] {
        let is_connected = host.connected_since_ms.is_some();
        let connected = if is_connected { "yes" } else { "no" };
        let (what, since) = match &host.drift {
            None => ("unknown".to_owned(), String::new()),
            Some(drift) if drift.is_unknown() => {
                ("cannot be told".to_owned(), ago(drift.at, self.now))
            }
            Some(drift) if drift.changes() == 0 => ("none".to_owned(), String::new()),
            Some(drift) => (count(drift), ago(drift.at, self.now)),
        };
        [host.host.to_string(), connected.to_owned(), what, since]
    }
}

fn count(drift: &DriftSummary) -> String {
    let of = |number, thing| match number {
        0 => None,
        number => Some(counted(
            usize::try_from(number).unwrap_or(usize::MAX),
            thing,
        )),
    };
    let parts = [of(drift.packages, "package"), of(drift.files, "file")];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// The lines of a host on which something changed, or why that cannot be told.
fn changes(host: &HostView) -> Option<String> {
    let drift = host.drift.as_ref().filter(|d| !d.lines.is_empty())?;
    let told = u64::try_from(drift.lines.len()).unwrap_or(u64::MAX);
    let mut lines = drift.lines.join("\n");
    match drift.changes().saturating_sub(told) {
        0 => {}
        more => lines += &format!("\nand {more} more: the host itself has all of them"),
    }
    Some(format!("\n{}\n{}", host.host, indented(&lines)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::hosts::tests::host;
    use cofferdam_engine::time::Timestamp;

    #[test]
    fn what_changed_is_counted_for_each_host_and_then_told() {
        let of = |name: &str, packages, files, lines: &[&str]| HostView {
            drift: Some(DriftSummary {
                at: Timestamp(1_000),
                packages,
                files,
                lines: lines.iter().map(|&line| line.to_owned()).collect(),
            }),
            ..host(name)
        };
        let hosts = vec![
            host("a-1"),
            of("a-2", 0, 0, &[]),
            of("a-3", 0, 1, &["/etc/tea.conf changed"]),
            of("a-4", 0, 0, &["its seal is damaged"]),
            of(
                "a-5",
                1,
                2,
                &["tea 1 -> 2, by apt full-upgrade", "/etc/tea.conf changed"],
            ),
        ];
        let list = |only: &[DriftIs]| DriftList::new(hosts.clone(), only, Timestamp(61_000));
        insta::assert_snapshot!(list(&[]).text(), @r"
    HOST  CONNECTED  DRIFT               SINCE
    a-5   yes        1 package, 2 files  1m ago
    a-3   yes        1 file              1m ago
    a-4   yes        cannot be told      1m ago
    a-1   yes        unknown
    a-2   yes        none

    a-5
      tea 1 -> 2, by apt full-upgrade
      /etc/tea.conf changed
      and 1 more: the host itself has all of them

    a-3
      /etc/tea.conf changed

    a-4
      its seal is damaged

    5 hosts: 2 drifted, 1 untold, 1 unknown, 1 none
    ");
        insta::assert_snapshot!(list(&[DriftIs::Untold]).text(), @r"
    HOST  CONNECTED  DRIFT           SINCE
    a-4   yes        cannot be told  1m ago

    a-4
      its seal is damaged

    1 of 5 hosts: 2 drifted, 1 untold, 1 unknown, 1 none
    ");
        let none = DriftList::new(vec![host("a-1")], &[DriftIs::Drifted], Timestamp(61_000));
        assert_eq!(none.text(), "0 of 1 host: 1 unknown\n");
    }
}
