//! What a rollback would do.

use super::Situation;
use cofferdam_engine::{
    fleet::FleetError,
    id::{OperatorId, RolloutId},
    time::millis,
};
use cofferdam_proto::operator::{NotTakenBack, PlannedSlice, RollbackPreview};

/// What taking a rollout back would do now.
///
/// # Errors
/// [`FleetError`] when it cannot be taken back now.
pub(crate) fn rollback(
    situation: Situation<'_>,
    rollout: &RolloutId,
    by: &OperatorId,
) -> Result<RollbackPreview, FleetError> {
    let preview = situation
        .fleet
        .preview_rollback(rollout, by, situation.now)?;
    let slice = |(cell, hosts)| PlannedSlice {
        cell,
        hosts: u64::try_from(hosts).unwrap_or(u64::MAX),
    };
    let not_now = preview.not_now.into_iter();
    Ok(RollbackPreview {
        rollout: rollout.clone(),
        cells: preview.cells.into_iter().map(slice).collect(),
        not_now: not_now
            .map(|(host, why)| NotTakenBack {
                host,
                why: why.to_string(),
            })
            .collect(),
        at_most_ms: millis(preview.at_most),
    })
}
