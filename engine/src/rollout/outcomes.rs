//! How the hosts of a rollout stand, and which of them stand so that the rollout looks at them again and
//! again.

use crate::{by_name::ByHost, counts::Counts, id::HostId, warrant::Outcome};
use serde::{Deserialize, Serialize, Serializer};
use std::{collections::BTreeSet, iter, ops::Deref};

/// The outcome of each host that the rollout ever took or left out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(from = "ByHost<Outcome>")]
pub(super) struct Outcomes {
    by_host: ByHost<Outcome>,
    running: BTreeSet<HostId>,
    failed: BTreeSet<HostId>,
    attempted: usize,
}

impl Outcomes {
    /// Takes in what became of a host. What it was before.
    pub(super) fn insert(&mut self, host: HostId, outcome: Outcome) -> Option<Outcome> {
        let attempts = usize::from(is_attempted(&outcome));
        let is_running = outcome == Outcome::Running;
        let has_failed = matches!(outcome, Outcome::Failed { .. });
        let before = self.by_host.insert(host.clone(), outcome);
        if let Some(before) = &before {
            self.uncount(&host, before);
        }
        self.attempted += attempts;
        if is_running {
            self.running.insert(host);
        } else if has_failed {
            self.failed.insert(host);
        }
        before
    }

    /// Forgets what became of a host.
    pub(super) fn remove(&mut self, host: &HostId) -> Option<Outcome> {
        let before = self.by_host.remove(host)?;
        self.uncount(host, &before);
        Some(before)
    }

    fn uncount(&mut self, host: &HostId, before: &Outcome) {
        self.attempted -= usize::from(is_attempted(before));
        if *before == Outcome::Running {
            self.running.remove(host);
        } else if matches!(before, Outcome::Failed { .. }) {
            self.failed.remove(host);
        }
    }

    /// The hosts that are ordered and not over.
    pub(super) fn running(&self) -> &BTreeSet<HostId> {
        &self.running
    }

    /// The hosts that failed past the point of disruption.
    pub(super) fn failed(&self) -> &BTreeSet<HostId> {
        &self.failed
    }

    /// How many hosts the brake holds failures against.
    pub(super) fn attempted(&self) -> usize {
        self.attempted
    }

    /// Whether a host is one of those.
    pub(super) fn is_attempted(&self, host: &HostId) -> bool {
        self.by_host.get(host).is_some_and(is_attempted)
    }
}

/// Whether a host with this outcome was ordered, as the brake counts it.
fn is_attempted(outcome: &Outcome) -> bool {
    Counts::of(iter::once(outcome)).attempted() > 0
}

impl Deref for Outcomes {
    type Target = ByHost<Outcome>;

    fn deref(&self) -> &Self::Target {
        &self.by_host
    }
}

impl From<ByHost<Outcome>> for Outcomes {
    fn from(all: ByHost<Outcome>) -> Self {
        let mut outcomes = Self::default();
        for (host, outcome) in &all {
            outcomes.insert(host.clone(), outcome.clone());
        }
        outcomes
    }
}

impl Serialize for Outcomes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.by_host.serialize(serializer)
    }
}
