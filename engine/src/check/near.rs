//! What carrying a command out would break of what concerns its own host, its cell's stops and its rollout's
//! leave: all that can be told without a look at other hosts, so that it costs the same in every fleet.

use super::{
    Broken, Disturbance, cord, denial, exception, freeze, key, late, leave, repair, reservation,
    settle, silence, stop, stratum, turn, wave,
};
use crate::{fleet::Fleet, fleet::FleetCommand, time::Timestamp};

/// Every promise to do with its own host that carrying one command out would break: left out are floors,
/// zones, dependencies, pace and windows, which [`super::broken_by`] counts or reckons over many.
pub fn broken_nearby(fleet: &Fleet, command: &FleetCommand, now: Timestamp) -> Vec<Broken> {
    let mut all = Vec::new();
    let FleetCommand::Cell { cell, command } = command else {
        return all;
    };
    let Some(cell) = fleet.cells().get(cell) else {
        return all;
    };
    settle::by_giving_up(cell, command, now, &mut all);
    cord::by_staging(fleet, command, &mut all);
    let disturbance = Disturbance::of(fleet, cell, command);
    if let Some(disturbance) = disturbance.and_then(|found| found.checked(&mut all)) {
        by(&disturbance, &[], now, &mut all);
    }
    all
}

/// The same of one disturbance, after the commands that come before it in its decision.
pub(super) fn by(
    of: &Disturbance<'_>,
    before: &[FleetCommand],
    now: Timestamp,
    all: &mut Vec<Broken>,
) {
    reservation::by(of, all);
    repair::by(of, all);
    wave::by_disturbing(of, all);
    turn::by_disturbing(of, all);
    stop::by(of, all);
    cord::by(of, all);
    silence::by(of, all);
    exception::by(of, all);
    key::by(of, before, all);
    leave::by(of, now, all);
    freeze::by(of, now, all);
    stratum::by(of, all);
    denial::by(of, all);
    late::by(of, all);
    settle::by(of, now, all);
}
