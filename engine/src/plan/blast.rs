//! How much of the fleet a rollout touches, by capacity group.

use serde::{Deserialize, Serialize};

/// What a plan touches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blast {
    /// Hosts that some wave takes.
    pub hosts: usize,
    /// Hosts that the selection matches.
    pub selected: usize,
    /// Hosts in the inventory.
    pub known: usize,
    /// The capacity groups of the planned hosts, in order of region, zone and service.
    pub groups: Vec<GroupBlast>,
}

/// A capacity group of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupBlast {
    /// Its region.
    pub region: String,
    /// Its zone of that region.
    pub zone: String,
    /// Its service.
    pub service: String,
    /// How many hosts it has.
    pub members: usize,
    /// How many of them the plan takes.
    pub planned: usize,
    /// How many of them may be out at once.
    pub allowance: usize,
}
