//! The rule of freezes: nothing is started or drained on a host that a freeze of the calendar binds.
//!
//! The cell keeps the calendar itself, so one that is cut off keeps to the last that it heard of. As
//! with windows, time does not run out on a host while it is frozen.

use crate::{
    calendar::{Calendar, Freeze},
    hold::Reason,
    inventory::Host,
    order::Direction,
    policy::Profile,
    time::Timestamp,
};

/// Whether a host may be started and drained: since when its last freeze is over, or why not. What
/// goes back is not bound.
pub(super) fn allow(
    calendar: &Calendar,
    host: &Host,
    profile: Profile,
    direction: Direction,
    now: Timestamp,
) -> Result<Timestamp, Reason> {
    if direction == Direction::Rollback {
        return Ok(Timestamp::default());
    }
    let began = calendar.freezes.iter().filter(|freeze| freeze.from <= now);
    let last = began
        .filter(|freeze| freeze.binds(host, profile))
        .max_by_key(|freeze| freeze.until);
    match last {
        Some(Freeze { name, until, .. }) if now < *until => Err(Reason::Freeze {
            name: name.clone(),
            until: *until,
        }),
        Some(over) => Ok(over.until),
        None => Ok(Timestamp::default()),
    }
}
