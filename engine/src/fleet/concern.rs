//! What an event may change: most are about one cell.

use super::{Fleet, FleetEvent, LinkEvent, News, Told};
use crate::{cell::CellEvent, id::RolloutId, inventory::Host, rollout::RolloutEvent};

/// What an event may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Concerns {
    /// At most one cell, which counts its changes itself. A rollout that it makes news for is counted there.
    Cell,
    /// Rollouts, and cells that they tell something.
    Rollouts,
    /// Anything.
    All,
}

impl Fleet {
    /// What an event may change that is about to be applied.
    pub(super) fn concerns(&self, event: &FleetEvent) -> Concerns {
        match event {
            FleetEvent::HostConnected { hello } if self.knows(&hello.host) => Concerns::Cell,
            FleetEvent::Host { event, .. } | FleetEvent::Cell { event, .. } => of_cell(event),
            FleetEvent::Link { event } => self.of_link(event),
            FleetEvent::Rollout { rollout, event } if self.goes_on_after(rollout, event) => {
                Concerns::Cell
            }
            FleetEvent::Rollout { .. } => Concerns::Rollouts,
            FleetEvent::OwnerStarted { .. }
            | FleetEvent::Booted { .. }
            | FleetEvent::FormTaken { .. }
            | FleetEvent::HostConnected { .. }
            | FleetEvent::Packages { .. }
            | FleetEvent::Reserved { .. }
            | FleetEvent::Unreserved { .. }
            | FleetEvent::CellSilent { .. }
            | FleetEvent::CellHeard { .. }
            | FleetEvent::Gathered { .. }
            | FleetEvent::CalendarDeclared { .. }
            | FleetEvent::CordPulled { .. }
            | FleetEvent::CordReleased { .. }
            | FleetEvent::RolloutStarted { .. }
            | FleetEvent::Amended { .. }
            | FleetEvent::Denied { .. }
            | FleetEvent::DenialLifted { .. }
            | FleetEvent::ServicesDeclared { .. } => Concerns::All,
        }
    }

    fn of_link(&self, event: &LinkEvent) -> Concerns {
        match event {
            LinkEvent::News { news, .. } => match news.as_ref() {
                News::Cell { event, .. } => self.of_news(event),
                News::Made { .. }
                | News::Moved { .. }
                | News::Dropped { .. }
                | News::Packages { .. } => Concerns::All,
            },
            LinkEvent::Told { told, .. } => match told.as_ref() {
                Told::Cell { event, .. } => of_cell(event),
                Told::Gathered { .. }
                | Told::Calendar { .. }
                | Told::Cord { .. }
                | Told::Denials { .. } => Concerns::All,
            },
            LinkEvent::Summary { .. } => Concerns::Rollouts,
            LinkEvent::ToldTaken { .. }
            | LinkEvent::Met { .. }
            | LinkEvent::SummariesTaken { .. } => Concerns::Cell,
            LinkEvent::Joined { .. }
            | LinkEvent::Copied { .. }
            | LinkEvent::Silent { .. }
            | LinkEvent::Heard { .. } => Concerns::All,
        }
    }

    fn of_news(&self, event: &CellEvent) -> Concerns {
        if let CellEvent::HostConnected { hello } = event
            && self.knows(&hello.host)
        {
            return Concerns::Cell;
        }
        of_cell(event)
    }

    /// Whether a rollout to which something is about to happen has nothing to do after it that it had not before,
    /// but for renewals.
    fn goes_on_after(&self, rollout: &RolloutId, event: &RolloutEvent) -> bool {
        let Some(known) = self.rollouts.get(rollout) else {
            return false;
        };
        match event {
            RolloutEvent::Summarised { summary } => known.goes_on_after(summary),
            RolloutEvent::Warranted {
                warrant,
                opens,
                opinion,
            } => known.is_renewal(warrant, *opens, opinion.as_ref()),
            RolloutEvent::Asked { .. }
            | RolloutEvent::Approved { .. }
            | RolloutEvent::Promoted { .. }
            | RolloutEvent::Excepted { .. }
            | RolloutEvent::ExceptionsTold { .. }
            | RolloutEvent::Assigned { .. }
            | RolloutEvent::Stopped { .. }
            | RolloutEvent::Braked { .. }
            | RolloutEvent::BakeBegan { .. }
            | RolloutEvent::WavePassed { .. }
            | RolloutEvent::Ended { .. } => false,
        }
    }

    /// Whether a host is known by the same labels, so that it is in the same groups as before.
    fn knows(&self, host: &Host) -> bool {
        let known = self.host(&host.id);
        known.is_some_and(|(_, member)| member.host.labels == host.labels)
    }
}

fn of_cell(event: &CellEvent) -> Concerns {
    match event {
        CellEvent::HostDisconnected { .. }
        | CellEvent::GuardTold { .. }
        | CellEvent::DriftTold { .. }
        | CellEvent::EffectTold { .. }
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
        | CellEvent::CordTold { .. }
        | CellEvent::Warranted { .. }
        | CellEvent::Stopped { .. }
        | CellEvent::Braked { .. }
        | CellEvent::Allotted { .. } => Concerns::Cell,
        CellEvent::OwnerStarted { .. }
        | CellEvent::Booted
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
