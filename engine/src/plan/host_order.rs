//! Hosts of a wave that do not go with the others: before them, or after.
//!
//! In the first wave of a rollout that has an order those that are made for it go first, the
//! validators, then one box: one host, of the rarest strata. In the last wave the patcher's own hosts go at the end, one at a time, so
//! that what takes a patch back is not what the patch has just hit.

use super::selected::{Mark, Selected};
use crate::id::HostId;
use serde::{Deserialize, Serialize};

/// Hosts of a wave that do not go with the others.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct HostOrder {
    /// Hosts that go before the others: one list after the other, none of them empty.
    pub ahead: Vec<Vec<HostId>>,
    /// Hosts that go when all others are over, one after the other.
    pub behind: Vec<HostId>,
}

impl HostOrder {
    /// The order of the hosts of a wave, which are given rarest strata first.
    pub(super) fn of(hosts: &[&Selected<'_>], is_ahead: bool) -> Self {
        let of = |mark: Option<Mark>| {
            let marked = hosts.iter().filter(move |host| host.common.mark == mark);
            marked.map(|host| host.host.id.clone())
        };
        let behind = of(Some(Mark::Patcher)).collect();
        let mut ahead: Vec<Vec<HostId>> = Vec::new();
        if is_ahead {
            ahead.push(of(Some(Mark::Validator)).collect());
            ahead.push(of(None).take(1).collect());
            ahead.retain(|hosts| !hosts.is_empty());
        }
        Self { ahead, behind }
    }

    /// Takes a host out, wherever it is.
    pub(super) fn remove(&mut self, host: &HostId) {
        for hosts in self.ahead.iter_mut().chain([&mut self.behind]) {
            hosts.retain(|other| other != host);
        }
        self.ahead.retain(|hosts| !hosts.is_empty());
    }

    /// Whether all hosts go with the others.
    pub fn is_plain(&self) -> bool {
        self.ahead.is_empty() && self.behind.is_empty()
    }

    /// Whether it names a host: one that does not go with the others.
    pub fn names(&self, host: &HostId) -> bool {
        self.ahead
            .iter()
            .flatten()
            .chain(&self.behind)
            .any(|other| other == host)
    }
}
