//! Alike things together: a thousand hosts held by one rule are one line.

use cofferdam_engine::{
    hold::{Hold, Subject},
    id::HostId,
    rollout::Rollout,
    warrant::Outcome,
};
use cofferdam_proto::operator::{FailureCluster, HoldView};
use std::collections::BTreeMap;

/// The holds as lines: those of hosts held for the same reason in the same rollout are one.
pub(super) fn holds<'a>(holds: impl Iterator<Item = &'a Hold>) -> Vec<HoldView> {
    let mut lines: Vec<HoldView> = Vec::new();
    let mut places: BTreeMap<(String, String), usize> = BTreeMap::new();
    for hold in holds {
        let (whole, hosts) = match &hold.subject {
            Subject::Host { rollout, .. } => (format!("rollout {rollout}"), 1),
            Subject::Rollout { .. } | Subject::Wave { .. } | Subject::Slice { .. } => {
                (hold.subject.to_string(), 0)
            }
        };
        let reason = hold.reason.to_string();
        let key = (whole.clone(), reason.clone());
        match places.get(&key).and_then(|place| lines.get_mut(*place)) {
            Some(line) => {
                line.hosts += hosts;
                line.since_ms = line.since_ms.min(hold.since);
                if hosts > 0 {
                    line.subject = format!("{whole}: {} hosts", line.hosts);
                }
            }
            None => {
                places.insert(key, lines.len());
                lines.push(HoldView {
                    subject: hold.subject.to_string(),
                    reason,
                    rule: hold.reason.rule().to_owned(),
                    since_ms: hold.since,
                    hosts,
                });
            }
        }
    }
    lines
}

/// What failed in a rollout, the most frequent first.
pub(super) fn failures(rollout: &Rollout) -> Vec<FailureCluster> {
    let mut clusters: BTreeMap<_, Vec<HostId>> = BTreeMap::new();
    for (host, outcome) in rollout.outcomes() {
        if let Outcome::Failed { failure, .. } = outcome {
            let alike = (failure.kind, failure.detail.clone());
            clusters.entry(alike).or_default().push(host.clone());
        }
    }
    let mut clusters: Vec<_> = clusters
        .into_iter()
        .map(|((kind, detail), hosts)| FailureCluster {
            kind,
            detail,
            hosts,
        })
        .collect();
    clusters.sort_by_key(|cluster| std::cmp::Reverse(cluster.hosts.len()));
    clusters
}

/// Why hosts were left out, a line a reason.
pub(super) fn left_out(rollout: &Rollout) -> Vec<String> {
    let mut reasons: BTreeMap<&str, Vec<&HostId>> = BTreeMap::new();
    for (host, outcome) in rollout.outcomes() {
        if let Outcome::LeftOut { reason } = outcome {
            reasons.entry(reason).or_default().push(host);
        }
    }
    let line = |(reason, hosts): (&str, Vec<&HostId>)| match hosts.as_slice() {
        [host] => format!("host {host} was left out: {reason}"),
        hosts => format!(
            "{} hosts were left out, {} among them: {reason}",
            hosts.len(),
            hosts[0]
        ),
    };
    reasons.into_iter().map(line).collect()
}
