//! What changed on hosts without an order.

use crate::render::{
    View,
    hosts::NO_HOSTS,
    table::{ago, counted, indented, table},
};
use cofferdam_engine::{drift::DriftSummary, time::Timestamp};
use cofferdam_proto::operator::HostView;
use serde::Serialize;

/// What changed on hosts without an order, in order of their names.
#[derive(Debug, Serialize)]
pub struct DriftList {
    /// The hosts.
    pub hosts: Vec<HostView>,
    /// The moment at which they are looked at.
    #[serde(skip)]
    pub now: Timestamp,
}

impl View for DriftList {
    fn text(&self) -> String {
        if self.hosts.is_empty() {
            return NO_HOSTS.to_owned();
        }
        let rows = self.hosts.iter().map(|host| self.row(host));
        let text = table(["host", "connected", "drift", "since"], rows.collect());
        let changed = self.hosts.iter().filter_map(changes);
        text + &changed.collect::<String>()
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
        let list = DriftList {
            hosts: vec![
                host("a-1"),
                of("a-2", 0, 0, &[]),
                of("a-4", 0, 0, &["its seal is damaged"]),
                of(
                    "a-3",
                    1,
                    2,
                    &["tea 1 -> 2, by apt full-upgrade", "/etc/tea.conf changed"],
                ),
            ],
            now: Timestamp(61_000),
        };
        insta::assert_snapshot!(list.text(), @r"
    HOST  CONNECTED  DRIFT               SINCE
    a-1   yes        unknown
    a-2   yes        none
    a-4   yes        cannot be told      1m ago
    a-3   yes        1 package, 2 files  1m ago

    a-4
      its seal is damaged

    a-3
      tea 1 -> 2, by apt full-upgrade
      /etc/tea.conf changed
      and 1 more: the host itself has all of them
    ");
    }
}
