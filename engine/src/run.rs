//! The agent's machine: one try of one order on one host.

use serde::{Deserialize, Serialize};

/// Where a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "state", content = "end", rename_all = "kebab-case")]
pub enum RunState {
    /// Asks the owner before it drains.
    Claiming,
    /// The flag is down; waits until traffic ended.
    Draining,
    /// Drained; asks the owner before it applies.
    Drained,
    /// Changes the host.
    Applying,
    /// Reboots.
    Rebooting,
    /// Proves that the host is well.
    Verifying,
    /// Goes back to what the host had.
    RollingBack,
    /// Proves that the host is well again.
    VerifyingRollback,
    /// Lets the traffic back, to end as named.
    Readmitting(Ending),
    /// Over.
    Ended(Ending),
}

/// How a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// Changed, healthy, in service.
    Patched,
    /// Back at what it had, healthy, in service.
    RolledBack,
    /// Drained and readmitted, nothing changed.
    Undone,
    /// Never drained: stopped before the point of disruption.
    Cancelled,
    /// Kept out of service for a person, because even the way back failed.
    Quarantined,
}
