//! What operators see: pure functions from the fleet's state to the views of the wire.

mod aftermath;
mod calendar;
mod changed;
mod cluster;
mod cord;
mod denials;
mod evidence;
mod explain;
mod guard;
mod host;
mod plan;
mod region;
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

use cofferdam_engine::{
    fleet::Fleet,
    hold::Hold,
    time::{Timestamp, WallStep},
};
use std::cell::OnceCell;

/// How the fleet stands at a moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Situation<'a> {
    /// Rollouts, cells, hosts.
    pub(crate) fleet: &'a Fleet,
    /// Why what does not move does not, as far as that was asked for since something happened.
    pub(crate) kept: &'a Holds,
    /// How far the system's clock was set from the one that this process counts by. Absent: it was not.
    pub(crate) step: Option<WallStep>,
    /// The moment.
    pub(crate) now: Timestamp,
}

/// Why what does not move does not: worked out when somebody asks, since it costs a look at every rollout and
/// cell, and kept for whoever asks next.
#[derive(Debug, Default)]
pub(crate) struct Holds(OnceCell<Vec<Hold>>);

#[cfg(test)]
impl Holds {
    /// These.
    pub(crate) fn known(holds: impl Into<Vec<Hold>>) -> Self {
        Self(OnceCell::from(holds.into()))
    }
}

impl<'a> Situation<'a> {
    /// Why what does not move does not.
    pub(crate) fn holds(&self) -> &'a [Hold] {
        let holds = || self.fleet.decide(self.now).holds;
        self.kept.0.get_or_init(holds)
    }

    /// That the system's clock was set, in words. Nothing: it was not.
    fn clock(&self) -> Option<String> {
        let step = self.step?;
        Some(format!(
            "the coordinator's clock was set: {step}, and windows, freezes and deadlines go by"
        ))
    }
}
