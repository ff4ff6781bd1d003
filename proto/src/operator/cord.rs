//! The cord.

use cofferdam_engine::{
    cord::Span,
    id::{HostId, OperatorId, Region},
    time::Timestamp,
};
use serde::Serialize;

/// Pull the cord, or release it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CordRequest {
    /// Why. May be empty.
    pub reason: String,
}

/// How the cord stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CordView {
    /// Every cord that is pulled, as far as the coordinator knows. Empty: none is.
    pub pulled: Vec<PulledCord>,
    /// The regions that have not heard of the cord that was pulled there. Empty: all have, or none was.
    pub untold: Vec<UntoldRegion>,
    /// Hosts without a session that have an order and were not past the point of disruption. They cannot
    /// pass it without a yes.
    pub away: Vec<HostId>,
    /// The moment of all this, by the coordinator's clock, as are all moments in it. Absent: the coordinator is of
    /// an older release.
    pub now_ms: Option<Timestamp>,
}

/// A cord that is pulled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PulledCord {
    /// Who pulled it.
    pub by: OperatorId,
    /// When.
    pub at_ms: Timestamp,
    /// Why. May be empty.
    pub reason: String,
    /// What it stops.
    pub span: Span,
    /// A region with a cord of its own. Absent: it is of the whole fleet, or of the region that answers.
    pub region: Option<Region>,
}

/// A region that has not heard of the cord.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UntoldRegion {
    /// Which.
    pub region: Region,
    /// Since when nothing is heard of it. Absent: it is linked, and has not answered yet.
    pub silent_since_ms: Option<Timestamp>,
    /// Hosts that it may still start.
    pub hosts_at_risk: u64,
    /// When the last of its warrants ends. Absent: it may start none.
    pub until_ms: Option<Timestamp>,
}
