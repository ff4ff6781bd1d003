//! How the guard of a host stands.

use cofferdam_engine::{
    guard::{GuardEvent, GuardMode, LostChannel},
    id::HostId,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// A host's guard, as it was last heard of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GuardView {
    /// What it does.
    pub mode: GuardMode,
    /// The channels that it is not in control of. Empty: none, as far as it is installed.
    pub lost: Vec<LostChannel>,
    /// When it was first heard to stand so.
    pub since_ms: Timestamp,
    /// The last tries that nobody had asked for and the last of all else that it saw, oldest first: of alike
    /// tries the last.
    pub events: Vec<GuardEvent>,
    /// How many more there were that the host had dropped before it could tell them.
    pub missed: u64,
    /// How many tries that nobody had asked for the coordinator kept and keeps no more, since others came.
    pub dropped: u64,
    /// The window that is open there. Absent: none is.
    pub window: Option<GuardWindowView>,
}

/// A window that a person opened at a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GuardWindowView {
    /// Who, as the host tells it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When it ends.
    pub until_ms: Timestamp,
}

/// Somebody changes packages unasked on a host, or its guard lost control.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    /// The host.
    pub host: HostId,
    /// What its guard saw.
    #[serde(flatten)]
    pub event: GuardEvent,
}
