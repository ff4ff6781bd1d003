//! The cord, as operators see it.

use super::Situation;
use cofferdam_engine::{
    cord::Cord,
    fleet::{CordReach, NotTold},
    id::Region,
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
