//! What a coordinator stored, decided again: the machines of a rehearsal come to what the real ones came to.
//!
//! A recorded history has what the coordinator was told and what it decided, each with its moment. What it
//! was told is taken in; what it decided must be what a whole decision at that moment says, in its order, and
//! when the next thing happened there must have been nothing left to do.

use crate::{
    fleet::{Fleet, FleetError, FleetEvent},
    rollout::RolloutEvent,
    time::Timestamp,
};
use std::collections::VecDeque;

/// A history that was decided again, and came to the same.
#[derive(Debug, Default)]
pub struct Recorded {
    /// The fleet after it.
    pub fleet: Fleet,
    /// How many events it has.
    pub events: usize,
    /// How many of them the coordinator decided itself.
    pub decided: usize,
}

/// Where a recorded history and what is decided go apart.
#[derive(Debug, thiserror::Error)]
pub enum Divergence {
    /// The state refuses an event that it took when it was recorded.
    #[error("event {place}, at {at}, does not fit those before it")]
    Refused {
        /// Its place in the history, from 1.
        place: usize,
        /// Its moment.
        at: Timestamp,
        /// Why.
        #[source]
        source: Box<FleetError>,
    },
    /// Something else was recorded than is decided.
    #[error("event {place}, at {at}: {recorded} was recorded, and {decided} is decided")]
    Otherwise {
        /// Its place in the history, from 1.
        place: usize,
        /// Its moment.
        at: Timestamp,
        /// What was recorded.
        recorded: String,
        /// What is decided then.
        decided: String,
    },
}

/// Decides a recorded history again, from a fleet as it was before it.
///
/// # Errors
/// [`Divergence`] at the first event at which the two go apart.
pub fn replay(
    fleet: Fleet,
    history: impl IntoIterator<Item = (Timestamp, FleetEvent)>,
) -> Result<Recorded, Divergence> {
    let mut replay = Replay {
        recorded: Recorded {
            fleet,
            ..Recorded::default()
        },
        due: VecDeque::new(),
        at: None,
    };
    for (at, event) in history {
        replay.take(at, &event)?;
    }
    replay.look_for_rest()?;
    Ok(replay.recorded)
}

struct Replay {
    recorded: Recorded,
    /// What was decided, and is to be recorded next.
    due: VecDeque<FleetEvent>,
    /// The moment of the last event. Nothing: there was none.
    at: Option<Timestamp>,
}

impl Replay {
    fn take(&mut self, at: Timestamp, event: &FleetEvent) -> Result<(), Divergence> {
        if self.at.is_some_and(|before| before != at) {
            self.look_for_rest()?;
        }
        self.at = Some(at);
        self.recorded.events += 1;
        let place = self.recorded.events;
        if event.is_decided() {
            self.recorded.decided += 1;
            if self.due.is_empty() {
                self.due = self.decided(at);
            }
            let decided = self.due.pop_front();
            // Who signs a warrant is the shell's to say.
            let is_same = |decided: &FleetEvent| decided.unsealed() == event.unsealed();
            if !decided.as_ref().is_some_and(is_same) {
                return Err(otherwise(place, at, Some(event), decided.as_ref()));
            }
        }
        let refused = |source| {
            let source = Box::new(source);
            Divergence::Refused { place, at, source }
        };
        self.recorded.fleet.apply(event, at).map_err(refused)
    }

    /// Nothing must be left to do before time goes on.
    fn look_for_rest(&self) -> Result<(), Divergence> {
        let Some(at) = self.at else { return Ok(()) };
        let due = match self.due.front() {
            Some(due) => Some(due.clone()),
            None => self.decided(at).pop_front(),
        };
        match due {
            Some(due) => Err(otherwise(self.recorded.events, at, None, Some(&due))),
            None => Ok(()),
        }
    }

    fn decided(&self, at: Timestamp) -> VecDeque<FleetEvent> {
        let commands = self.recorded.fleet.decide(at).commands;
        commands
            .iter()
            .flat_map(|command| command.events())
            .collect()
    }
}

fn otherwise(
    place: usize,
    at: Timestamp,
    recorded: Option<&FleetEvent>,
    decided: Option<&FleetEvent>,
) -> Divergence {
    let say = |event: Option<&FleetEvent>| {
        event.map_or_else(|| "nothing".to_owned(), |event| format!("{event:?}"))
    };
    Divergence::Otherwise {
        place,
        at,
        recorded: say(recorded),
        decided: say(decided),
    }
}

impl FleetEvent {
    /// Whether the coordinator decides it, and is not told.
    fn is_decided(&self) -> bool {
        match self {
            Self::Cell { .. } | Self::Gathered { .. } => true,
            Self::Rollout { event, .. } => match event {
                RolloutEvent::Asked { .. }
                | RolloutEvent::Approved { .. }
                | RolloutEvent::Promoted { .. }
                | RolloutEvent::Excepted { .. } => false,
                RolloutEvent::ExceptionsTold { .. }
                | RolloutEvent::Summarised { .. }
                | RolloutEvent::Assigned { .. }
                | RolloutEvent::Warranted { .. }
                | RolloutEvent::Stopped { .. }
                | RolloutEvent::Braked { .. }
                | RolloutEvent::BakeBegan { .. }
                | RolloutEvent::WavePassed { .. }
                | RolloutEvent::Ended { .. } => true,
            },
            Self::OwnerStarted { .. }
            | Self::Booted { .. }
            | Self::FormTaken { .. }
            | Self::Link { .. }
            | Self::HostConnected { .. }
            | Self::Packages { .. }
            | Self::Host { .. }
            | Self::Reserved { .. }
            | Self::Unreserved { .. }
            | Self::CellSilent { .. }
            | Self::CellHeard { .. }
            | Self::CalendarDeclared { .. }
            | Self::CordPulled { .. }
            | Self::CordReleased { .. }
            | Self::RolloutStarted { .. }
            | Self::Amended { .. }
            | Self::Denied { .. }
            | Self::DenialLifted { .. }
            | Self::ServicesDeclared { .. } => false,
        }
    }
}
