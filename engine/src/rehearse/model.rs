//! What the steps on modelled hosts do, and how long that takes.

use crate::{failure::FailureKind, inventory::Host, time::Timestamp};
use std::{fmt, time::Duration};

/// Something that an agent does to its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Bring the bits to the host.
    Stage,
    /// Take it out of traffic.
    Drain,
    /// Change it.
    Apply,
    /// Start it anew.
    Reboot,
    /// Watch that it is healthy.
    Verify,
    /// Take the change back.
    RollBack,
    /// Watch that it is healthy with what it had.
    VerifyRollback,
    /// Put it back into traffic.
    Readmit,
}

/// How a step goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Does {
    /// It ends well after this long.
    Well(Duration),
    /// The same, and the host needs a reboot.
    NeedsReboot(Duration),
    /// It fails after this long.
    Fails(Duration, FailureKind),
    /// It never ends.
    Hangs,
    /// The host dies under it.
    Dies,
}

/// A step that begins.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'w> {
    /// The host.
    pub host: &'w Host,
    /// The step.
    pub step: Step,
    /// Which try of the rollout on the host it is a step of: 1 is the first; 0 of staging.
    pub attempt: u32,
    /// When it begins.
    pub now: Timestamp,
}

/// Says how each step goes.
pub trait Model: fmt::Debug {
    /// How a step that begins now goes. Asked once a step.
    fn next(&mut self, moment: &Moment<'_>) -> Does;
}

impl Step {
    /// Every step, in the order in which a run takes them.
    pub const ALL: [Self; 8] = [
        Self::Stage,
        Self::Drain,
        Self::Apply,
        Self::Reboot,
        Self::Verify,
        Self::RollBack,
        Self::VerifyRollback,
        Self::Readmit,
    ];

    /// Its name, as it stands in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stage => "stage",
            Self::Drain => "drain",
            Self::Apply => "apply",
            Self::Reboot => "reboot",
            Self::Verify => "verify",
            Self::RollBack => "rollback",
            Self::VerifyRollback => "verify-rollback",
            Self::Readmit => "readmit",
        }
    }
}
