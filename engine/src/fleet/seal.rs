//! Warrants are signed before a cell is told of them. Shells hold the key; what is signed is decided here.

use super::{Fleet, FleetCommand, FleetEvent};
use crate::{
    cell::CellEvent,
    rollout::{RolloutCommand, RolloutEvent},
    time::Timestamp,
    warrant::{Seal, WarrantTerms},
};

impl Fleet {
    /// What is to be signed of a command, before its events are applied. Nothing of commands that give no
    /// leave to start hosts.
    pub fn terms_of(&self, command: &FleetCommand, now: Timestamp) -> Option<WarrantTerms> {
        let FleetCommand::Rollout { rollout, command } = command else {
            return None;
        };
        let RolloutCommand::Warrant { warrant, .. } = command else {
            return None;
        };
        let plan = self.rollouts.get(rollout)?.plan();
        Some(warrant.terms(plan.rollout_digest, now))
    }
}

impl FleetCommand {
    /// The same, signed. Other commands than those that give leave to start hosts have no place for it.
    pub fn seal(&mut self, seal: Seal) {
        if let Self::Rollout {
            command: RolloutCommand::Warrant { warrant, .. },
            ..
        } = self
        {
            warrant.seal = seal;
        }
    }
}

impl FleetEvent {
    /// The same as it was decided, before a shell signed it.
    pub(crate) fn unsealed(&self) -> Self {
        let mut event = self.clone();
        if let Self::Rollout {
            event: RolloutEvent::Warranted { warrant, .. },
            ..
        }
        | Self::Cell {
            event: CellEvent::Warranted { warrant },
            ..
        } = &mut event
        {
            warrant.seal = Seal::default();
        }
        event
    }
}
