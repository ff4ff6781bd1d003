//! What a plan needs an approval for: single points of failure.

use crate::{id::OperatorId, services::Services, spec::Spec, time::Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What keeps a host from being taken until somebody approves it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NeededApproval {
    /// The group of which the host is the only one, as in `service=web zone=a in r1-a-1`.
    pub group: String,
    /// Who may approve it. Not empty.
    pub by: BTreeSet<OperatorId>,
    /// Since when: what was approved before is no approval of it. 0: since it was planned.
    #[serde(default)]
    pub since: Timestamp,
}

/// Who may approve what, until roles exist: those whom the rollout file names, and of a declared
/// service its owners.
#[derive(Debug, Clone, Copy)]
pub(super) struct Approvers<'a> {
    named: &'a BTreeSet<OperatorId>,
    services: &'a Services,
}

impl<'a> Approvers<'a> {
    pub(super) fn new(spec: &'a Spec, services: &'a Services) -> Self {
        Self {
            named: spec.approvers(),
            services,
        }
    }

    /// Who may approve what concerns a service. Empty: nobody.
    pub(super) fn of(&self, service: &str) -> BTreeSet<OperatorId> {
        let owners = self.services.get(service).map(|service| &service.owners);
        self.named
            .iter()
            .chain(owners.into_iter().flatten())
            .cloned()
            .collect()
    }
}
