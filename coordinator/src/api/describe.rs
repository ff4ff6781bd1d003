//! What a coordinator says of itself.

use crate::view;
use cofferdam_engine::{cell::Member, time::Timestamp};
use cofferdam_proto::operator::Description;

/// What a coordinator is, beside its fleet.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    pub(crate) trust_domain: String,
    pub(crate) store: String,
    pub(crate) started_at: Timestamp,
}

/// How it stands at a moment.
pub(super) fn description(situation: view::Situation<'_>, standing: Standing) -> Description {
    let fleet = situation.fleet;
    let members = fleet
        .cells()
        .values()
        .flat_map(|cell| cell.members().values());
    Description {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        epoch: fleet.epoch(),
        trust_domain: standing.trust_domain,
        store: standing.store,
        started_at_ms: standing.started_at,
        connected: members
            .filter(|member| Member::is_connected(member))
            .count() as u64,
        hosts: fleet.homes().len() as u64,
        cells: fleet.cells().len() as u64,
        rollouts: fleet.rollouts().len() as u64,
    }
}
