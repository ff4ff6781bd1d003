//! What an event may change: most are about one cell.

use super::FleetEvent;
use crate::cell::CellEvent;

/// What an event may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Concerns {
    /// One cell, which counts its changes itself.
    Cell,
    /// Rollouts, and cells that they tell something.
    Rollouts,
    /// Anything.
    All,
}

impl FleetEvent {
    /// What it may change.
    pub(super) fn concerns(&self) -> Concerns {
        match self {
            Self::Host { event, .. } | Self::Cell { event, .. } => of_cell(event),
            Self::Rollout { .. } => Concerns::Rollouts,
            Self::OwnerStarted { .. }
            | Self::HostConnected { .. }
            | Self::Packages { .. }
            | Self::Reserved { .. }
            | Self::Unreserved { .. }
            | Self::CellSilent { .. }
            | Self::CellHeard { .. }
            | Self::Gathered { .. }
            | Self::CalendarDeclared { .. }
            | Self::RolloutStarted { .. }
            | Self::Amended { .. }
            | Self::Denied { .. }
            | Self::DenialLifted { .. }
            | Self::ServicesDeclared { .. } => Concerns::All,
        }
    }
}

fn of_cell(event: &CellEvent) -> Concerns {
    match event {
        CellEvent::HostDisconnected { .. }
        | CellEvent::Reported { .. }
        | CellEvent::Claimed { .. }
        | CellEvent::StageAsked { .. }
        | CellEvent::Ordered { .. }
        | CellEvent::Resent { .. }
        | CellEvent::ClaimAnswered { .. }
        | CellEvent::Withdrawn { .. }
        | CellEvent::GaveUp { .. }
        | CellEvent::Summarised { .. }
        | CellEvent::Excepted { .. }
        | CellEvent::Warranted { .. }
        | CellEvent::Stopped { .. }
        | CellEvent::Braked { .. }
        | CellEvent::Allotted { .. } => Concerns::Cell,
        CellEvent::OwnerStarted { .. }
        | CellEvent::HostConnected { .. }
        | CellEvent::HostForgotten { .. }
        | CellEvent::PackagesChanged { .. }
        | CellEvent::Reserved { .. }
        | CellEvent::Unreserved { .. }
        | CellEvent::CalendarDeclared { .. }
        | CellEvent::Assigned { .. }
        | CellEvent::DenialsTold { .. }
        | CellEvent::Released { .. } => Concerns::All,
    }
}
