//! Alike things together: a thousand hosts held by one rule are one line.

use cofferdam_engine::{
    fleet::Fleet,
    hold::{Hold, Subject},
    id::HostId,
    rollout::Rollout,
    warrant::Outcome,
};
use cofferdam_proto::operator::{FailureCluster, HoldView};
use std::collections::BTreeMap;

/// The most hosts that one line names.
const NAMED: usize = 5;

/// The first few of some hosts, and how many more there are.
pub(super) fn listed(hosts: &[&HostId]) -> String {
    let first: Vec<_> = hosts.iter().take(NAMED).map(|host| host.as_str()).collect();
    let first = first.join(", ");
    match hosts.len().saturating_sub(NAMED) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

/// The holds as lines: those of hosts held for the same reason in the same rollout are one.
pub(super) fn holds<'a>(fleet: &Fleet, holds: impl Iterator<Item = &'a Hold>) -> Vec<HoldView> {
    let mut lines: Vec<HoldView> = Vec::new();
    let mut places: BTreeMap<(String, String), usize> = BTreeMap::new();
    for hold in holds {
        let (whole, hosts) = match &hold.subject {
            Subject::Host { rollout, .. } => (format!("rollout {rollout}"), 1),
            Subject::Rollout { .. } | Subject::Wave { .. } | Subject::Slice { .. } => {
                (named(fleet, &hold.subject), 0)
            }
        };
        let reason = hold.reason.to_string();
        let key = (whole.clone(), reason.clone());
        match places.get(&key).and_then(|place| lines.get_mut(*place)) {
            Some(line) => {
                line.hosts += hosts;
                line.since_ms = line.since_ms.min(hold.since);
                line.until_ms = line.until_ms.max(hold.reason.until());
                if hosts > 0 {
                    line.subject = format!("{whole}: {} hosts", line.hosts);
                }
            }
            None => {
                places.insert(key, lines.len());
                lines.push(HoldView {
                    subject: named(fleet, &hold.subject),
                    reason,
                    rule: hold.reason.rule().to_owned(),
                    since_ms: hold.since,
                    hosts,
                    until_ms: hold.reason.until(),
                });
            }
        }
    }
    lines
}

/// What is held, in the rollout file's words: waves have names there.
fn named(fleet: &Fleet, subject: &Subject) -> String {
    let Subject::Wave { rollout, wave } = subject else {
        return subject.to_string();
    };
    let plan = fleet.rollouts().get(rollout).map(Rollout::plan);
    let planned = plan.and_then(|plan| plan.wave(*wave));
    match planned {
        Some(planned) => format!("rollout {rollout} wave {}", planned.name),
        None => subject.to_string(),
    }
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
        if let Outcome::LeftOut { reason, .. } = outcome {
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

/// Which hosts operators said something of, a line a word.
pub(super) fn exceptions(rollout: &Rollout) -> Vec<String> {
    let mut words: BTreeMap<String, Vec<&HostId>> = BTreeMap::new();
    for (host, exception) in rollout.exceptions() {
        words.entry(exception.to_string()).or_default().push(host);
    }
    let line = |(word, hosts): (String, Vec<&HostId>)| match hosts.as_slice() {
        [host] => format!("host {host} was {word}"),
        hosts => format!(
            "{} hosts were {word}; {} is among them",
            hosts.len(),
            hosts[0]
        ),
    };
    words.into_iter().map(line).collect()
}
