//! Which part of a fleet a process has, and what may happen to it there.
//!
//! One process may have all of it. Where control plane and regions are processes of their own, each
//! region has its cells, and the control plane has the rollouts and a *mirror* of every region's cells: a
//! copy that follows what the region tells, so that plans, late hosts and explanations are worked out by
//! the same rules in both forms. Only the region decides for its cells, only the control plane for its
//! rollouts.

use super::{Fleet, FleetError, FleetEvent, LinkEvent};
use crate::{
    by_name::ByName,
    cell::CellEvent,
    id::{Incarnation, RolloutId},
    rollout::RolloutEvent,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Which part of a fleet a process has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// All of it: control plane and regions are one process.
    #[default]
    Whole,
    /// The control plane: rollouts, and mirrors of the regions' cells.
    Control,
    /// A region: its cells.
    Region,
}

impl Form {
    pub(super) fn is_whole(&self) -> bool {
        *self == Self::Whole
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Whole => "control plane and region in one",
            Self::Control => "a control plane",
            Self::Region => "a region",
        })
    }
}

impl Fleet {
    /// Which part of the fleet it is.
    pub fn form(&self) -> Form {
        self.form
    }

    /// What tells its store from one that was made anew. Nothing where it has all of the fleet: nobody
    /// asks.
    pub fn store(&self) -> Option<Incarnation> {
        self.store
    }

    /// Takes another part of a fleet on, as when one process is taken apart.
    ///
    /// # Errors
    /// [`FleetError::StillAtWork`] while a rollout is not over or still at work in a cell: what one
    /// part would know of it the other would not.
    pub(super) fn take_form(&mut self, form: Form, store: Incarnation) -> Result<(), FleetError> {
        if form == self.form {
            return Ok(());
        }
        if let Some(rollout) = self.unfinished().cloned() {
            return Err(FleetError::StillAtWork { rollout, form });
        }
        match form {
            Form::Whole => {}
            Form::Control => self.leave_cells(),
            Form::Region => self.rollouts.clear(),
        }
        self.form = form;
        self.store = Some(store);
        self.links = Default::default();
        self.uplink = Default::default();
        Ok(())
    }

    /// A rollout that is not over, or still at work in a cell.
    fn unfinished(&self) -> Option<&RolloutId> {
        let mut works = self.cells.values().flat_map(|cell| cell.work().keys());
        let mut rollouts = self.rollouts.iter();
        let live = rollouts.find(|(_, rollout)| rollout.is_live());
        live.map(|(name, _)| name).or_else(|| works.next())
    }

    /// Its cells become those of regions, which tell of them when they are first heard.
    fn leave_cells(&mut self) {
        let cells: Vec<_> = self.cells.keys().cloned().collect();
        for cell in cells {
            self.cells.remove(&cell);
        }
        self.homes = ByName::default();
        self.apart.clear();
        self.silent.clear();
    }

    /// Refuses what is another part's to take in.
    pub(super) fn check_form(&self, event: &FleetEvent) -> Result<(), FleetError> {
        let is_fit = match self.form {
            Form::Whole => !matches!(event, FleetEvent::Link { .. }),
            Form::Control => matches!(taker(event), Taker::Control | Taker::Either),
            Form::Region => matches!(taker(event), Taker::Region | Taker::Either),
        };
        match is_fit {
            true => Ok(()),
            false => Err(FleetError::OfAnotherPart { form: self.form }),
        }
    }
}

/// Who takes an event in where the two are apart.
enum Taker {
    Control,
    Region,
    Either,
}

/// What a control plane tells a region, and a region its control plane, comes by the link.
fn taker(event: &FleetEvent) -> Taker {
    let control_if = |is_controls| match is_controls {
        true => Taker::Control,
        false => Taker::Region,
    };
    match event {
        FleetEvent::Cell { event, .. } => control_if(is_told_by_control(event)),
        FleetEvent::Link { event } => control_if(event.is_heard_by_control()),
        FleetEvent::Rollout { event, .. } => {
            control_if(!matches!(event, RolloutEvent::Summarised { .. }))
        }
        FleetEvent::OwnerStarted { .. }
        | FleetEvent::FormTaken { .. }
        | FleetEvent::CordPulled { .. }
        | FleetEvent::CordReleased { .. } => Taker::Either,
        FleetEvent::CellSilent { .. }
        | FleetEvent::CellHeard { .. }
        | FleetEvent::Gathered { .. }
        | FleetEvent::CalendarDeclared { .. }
        | FleetEvent::RolloutStarted { .. }
        | FleetEvent::Amended { .. }
        | FleetEvent::ServicesDeclared { .. }
        | FleetEvent::Denied { .. }
        | FleetEvent::DenialLifted { .. } => Taker::Control,
        FleetEvent::Booted { .. }
        | FleetEvent::HostConnected { .. }
        | FleetEvent::Packages { .. }
        | FleetEvent::Host { .. }
        | FleetEvent::Reserved { .. }
        | FleetEvent::Unreserved { .. } => Taker::Region,
    }
}

impl LinkEvent {
    fn is_heard_by_control(&self) -> bool {
        match self {
            Self::Joined { .. }
            | Self::News { .. }
            | Self::Copied { .. }
            | Self::Summary { .. }
            | Self::ToldTaken { .. }
            | Self::Silent { .. }
            | Self::Heard { .. } => true,
            Self::Met { .. } | Self::Told { .. } | Self::SummariesTaken { .. } => false,
        }
    }
}

/// Whether an event of a cell is something that a rollout tells it.
pub(super) fn is_told_by_control(event: &CellEvent) -> bool {
    told_of(event).is_some()
}

/// The rollout that tells a cell this. Nothing: none does.
pub(super) fn told_of(event: &CellEvent) -> Option<&RolloutId> {
    if let CellEvent::Assigned { assignment } = event {
        return Some(&assignment.rollout);
    }
    if let CellEvent::Excepted { exceptions } = event {
        return Some(&exceptions.rollout);
    }
    if let CellEvent::Warranted { warrant } = event {
        return Some(&warrant.rollout);
    }
    if let CellEvent::Stopped { stop } = event {
        return Some(&stop.rollout);
    }
    None
}
