//! What operators see: pure functions from the fleet's state to the views of the wire.

mod aftermath;
mod calendar;
mod cluster;
mod cord;
mod denials;
mod evidence;
mod explain;
mod guard;
mod host;
mod plan;
mod rollback;
mod rollout;
mod said;
mod services;
mod strata;
#[cfg(test)]
pub(crate) mod tests;

pub(crate) use self::{
    calendar::calendar,
    cord::cord,
    denials::denials,
    evidence::evidence,
    explain::{explain, hosts_of},
    host::hosts,
    plan::plan,
    rollback::rollback,
    rollout::{rollout, rollout_line},
    services::services,
};

use cofferdam_engine::{fleet::Fleet, hold::Hold, time::Timestamp};

/// How the fleet stands at a moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Situation<'a> {
    /// Rollouts, cells, hosts.
    pub(crate) fleet: &'a Fleet,
    /// Why what does not move does not.
    pub(crate) holds: &'a [Hold],
    /// The moment.
    pub(crate) now: Timestamp,
}
