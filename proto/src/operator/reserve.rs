//! Hosts that operators take and give back.

use cofferdam_engine::{id::HostId, time::Timestamp};
use std::time::Duration;

/// Take hosts, all or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReserveRequest {
    /// Which. Not empty.
    pub hosts: Vec<HostId>,
    /// Why, for people. Not empty.
    pub reason: String,
    /// For how long.
    pub lasts: Duration,
}

/// Hosts were taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReserveReply {
    /// When it ends by itself.
    pub until_ms: Timestamp,
}

/// Give hosts back, all or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseHostsRequest {
    /// Which. Not empty.
    pub hosts: Vec<HostId>,
    /// Whether those of other operators too.
    pub force: bool,
}
