//! What hosts answer, as it comes, and what it comes to.

use crate::render::{View, first::first};
use cofferdam_engine::id::HostId;
use cofferdam_proto::operator::{FailedHost, QueryAnswer, QuerySummary};
use serde::Serialize;
use std::collections::BTreeMap;

/// So many hosts, and ways to fail, are named in the text; JSON has all.
const NAMED: usize = 5;

/// One answer. A host that failed is shown to people at the end.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct Shown<'a> {
    /// The answer.
    pub answer: &'a QueryAnswer,
    /// The hosts that failed until now.
    #[serde(skip)]
    pub failed: &'a [FailedHost],
}

impl View for Shown<'_> {
    fn text(&self) -> String {
        match self.answer {
            QueryAnswer::Matched(matched) if matched.evidence.is_empty() => {
                format!("{}\n", matched.host)
            }
            QueryAnswer::Matched(matched) => format!("{}: {}\n", matched.host, matched.evidence),
            QueryAnswer::Failed(_) => String::new(),
            QueryAnswer::Summary(summary) => footer(summary, self.failed),
        }
    }
}

fn footer(summary: &QuerySummary, failed: &[FailedHost]) -> String {
    let unanswered = summary.offline.len() + summary.silent.len();
    let mut text = format!(
        "{}{}, {}{}, {} failed, {unanswered} did not answer{}\n",
        verb(summary.matched, "matches", "match"),
        by_labels(summary.matched_by_labels),
        verb(summary.not_matched, "does not", "do not"),
        by_labels(summary.not_matched_by_labels),
        summary.failed,
        names(summary),
    );
    let mut alike: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for FailedHost { host, failure } in failed {
        let hosts = alike.entry(failure.to_string()).or_default();
        hosts.push(host.to_string());
    }
    for (failure, hosts) in alike.iter().take(NAMED) {
        text += &format!("failed: {}: {failure}\n", first(NAMED, hosts, ", "));
    }
    if let more @ 1.. = alike.len().saturating_sub(NAMED) {
        text += &format!("failed: in {more} other ways, which -o json names\n");
    }
    text
}

fn verb(count: u64, one: &str, many: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        _ => format!("{count} {many}"),
    }
}

fn by_labels(count: u64) -> String {
    match count {
        0 => String::new(),
        _ => format!(" ({count} by labels alone)"),
    }
}

/// Who did not answer, and why.
fn names(summary: &QuerySummary) -> String {
    let because = |hosts: &'_ [HostId], why: &str| -> Vec<String> {
        hosts.iter().map(|host| format!("{host} ({why})")).collect()
    };
    let mut names = because(&summary.silent, "silent");
    names.extend(because(&summary.offline, "offline"));
    match names.is_empty() {
        true => String::new(),
        false => format!(": {}", first(NAMED, &names, ", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cofferdam_engine::failure::{Failure, FailureKind};

    fn hosts(prefix: &str, count: usize) -> Vec<HostId> {
        let host = |number| HostId::new(format!("{prefix}-{number}")).unwrap();
        (1..=count).map(host).collect()
    }

    #[test]
    fn the_end_counts_every_host_and_names_the_first_that_did_not_answer() {
        let summary = QuerySummary {
            matched: 1,
            matched_by_labels: 0,
            not_matched: 30,
            not_matched_by_labels: 20,
            failed: 6,
            offline: hosts("db", 4),
            silent: hosts("web", 3),
        };
        let failed: Vec<FailedHost> = hosts("lb", 6)
            .into_iter()
            .map(|host| FailedHost {
                host,
                failure: Failure::new(FailureKind::Service, "no systemd"),
            })
            .collect();
        let shown = Shown {
            answer: &QueryAnswer::Summary(summary),
            failed: &failed,
        };
        insta::assert_snapshot!(shown.text(), @r"
        1 matches, 30 do not (20 by labels alone), 6 failed, 7 did not answer: web-1 (silent), web-2 (silent), web-3 (silent), db-1 (offline), db-2 (offline) and 2 more
        failed: lb-1, lb-2, lb-3, lb-4, lb-5 and 1 more: service: no systemd
        ");
        let nothing = QueryAnswer::Summary(QuerySummary::default());
        let shown = Shown {
            answer: &nothing,
            failed: &[],
        };
        assert_eq!(
            shown.text(),
            "0 match, 0 do not, 0 failed, 0 did not answer\n"
        );
    }
}
