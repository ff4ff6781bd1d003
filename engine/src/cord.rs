//! The cord: one pull stops every rollout, everywhere that it is heard.
//!
//! While it is pulled nothing is started or staged, nothing passes the point of disruption, and no
//! rollout tells its cells anything but to stop. What has not begun to change its host is undone; what
//! has ends as it would have: patched, rolled back or in quarantine. Released, everything goes on from
//! where it was, and what was paused for another reason stays paused.
//!
//! It binds what goes back as well. Who pulls it does not know yet what is wrong, and a rollback takes
//! hosts out of service too; the wish to go back stands, and goes on with the release. Only the way back
//! of a single run, which its own agent walks after a failure, is not stopped: it is how the run ends
//! safely.
//!
//! A region that cannot reach its control plane has a cord of its own, for its cells alone. It holds
//! beside the control plane's; each is released where it was pulled.

use crate::{id::OperatorId, time::Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A pulled cord.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cord {
    /// Who pulled it.
    pub by: OperatorId,
    /// When, by the clock of the process at which it was pulled.
    pub at: Timestamp,
    /// Why. May be empty.
    pub reason: String,
    /// What it stops.
    pub span: Span,
}

/// What a cord stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Span {
    /// Every rollout, in every region.
    Fleet,
    /// Every rollout in one region: it was pulled at that region's own coordinator.
    Region,
}

impl fmt::Display for Cord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by = &self.by;
        match self.span {
            Span::Fleet => write!(f, "the cord was pulled by {by}")?,
            Span::Region => write!(f, "the region's own cord was pulled by {by}")?,
        }
        match self.reason.is_empty() {
            true => Ok(()),
            false => write!(f, " ({})", self.reason),
        }
    }
}
