//! How traffic leaves the host and comes back: `[drain]`, `ramp` and `ramp_steps`.

use super::Refusal;
use crate::host::settings::{Ramp, Traffic};
use cofferdam_engine::{
    document::Table,
    traffic::{OnExpiry, RampSteps},
};

/// Reads `[drain]`.
pub(super) fn drain(top: &mut Table<'_, Refusal>) -> Traffic {
    let mut traffic = Traffic::default();
    let Some(mut table) = top.table("drain", "[drain]") else {
        return traffic;
    };
    let ports = table.counts("ports", 1);
    traffic.ports = ports.unwrap_or_default().into_iter().collect();
    if let Some(at_least) = table.duration("at_least") {
        traffic.at_least = at_least;
    }
    traffic.at_most = table.duration("at_most");
    if traffic.at_most.is_some_and(|most| most < traffic.at_least) {
        table.refuse("at_most", Refusal::EndsBeforeItBegins);
    }
    if let Some(on_expiry) = table.choice("on_expiry", &OnExpiry::WORDS) {
        traffic.on_expiry = on_expiry;
    }
    table.finish(&[], &[]);
    traffic
}

/// Reads `ramp` and `ramp_steps`.
pub(super) fn ramp(top: &mut Table<'_, Refusal>) -> Ramp {
    let mut ramp = Ramp::default();
    if let Some(takes) = top.duration("ramp") {
        ramp.takes = takes;
    }
    if let Some(steps) = top.texts("ramp_steps") {
        match RampSteps::parse(&steps) {
            Ok(steps) => ramp.steps = steps,
            Err(why) => top.refuse("ramp_steps", why),
        }
    }
    ramp
}
