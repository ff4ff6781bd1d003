//! The cord, as operators see it.

use super::Situation;
use cofferdam_engine::{
    cord::Cord,
    fleet::{CordReach, NotTold},
    id::Region,
    rollout::Rollout,
};
use cofferdam_proto::operator::{CordView, PulledCord, UntoldRegion};

/// Every cord that is pulled, and who has not heard of that which was pulled here.
pub(crate) fn cord(situation: Situation<'_>) -> CordView {
    let cords = situation.fleet.cords().into_iter();
    let reach = situation.fleet.cord_reach(situation.now);
    let CordReach { regions, away } = reach.unwrap_or_default();
    CordView {
        pulled: cords.map(pulled).collect(),
        untold: regions.into_iter().map(untold).collect(),
        away: away.into_iter().collect(),
        now_ms: Some(situation.now),
    }
}

/// What stays stopped of a rollout when the fleet's cord is released: it is pulled, and regions have pulled their own
/// beside it.
pub(super) fn beneath(situation: Situation<'_>, rollout: &Rollout) -> Vec<String> {
    let fleet = situation.fleet;
    let is_ended = !rollout.is_live();
    if is_ended || fleet.cord().is_none() {
        return Vec::new();
    }
    let has_cells_in = |of: &Region| {
        let mut cells = rollout.plan().assignments.keys();
        cells.any(|cell| fleet.region_of(cell) == Some(of))
    };
    let own = fleet.cords_of_regions().into_iter();
    let own = own.filter(|(region, _)| has_cells_in(region));
    own.map(|(region, cord)| {
        format!("when the fleet's cord is released {region} stays stopped: {cord}, and is released there")
    })
    .collect()
}

fn pulled((region, cord): (Option<&Region>, &Cord)) -> PulledCord {
    PulledCord {
        by: cord.by.clone(),
        at_ms: cord.at,
        reason: cord.reason.clone(),
        span: cord.span,
        region: region.cloned(),
    }
}

fn untold(region: NotTold) -> UntoldRegion {
    UntoldRegion {
        region: region.region,
        silent_since_ms: region.silent_since,
        hosts_at_risk: region.at_risk.len() as u64,
        until_ms: region.until,
    }
}
