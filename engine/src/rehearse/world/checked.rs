//! What is looked at where a world is checked: that its coordinator keeps every promise, whatever happens.

use super::Owner;
use crate::{
    cell::Cell,
    check::{self, Broken},
    fleet::{Fleet, FleetCommand, FleetDecision},
    id::CellId,
    time::Timestamp,
};

/// How closely a rehearsal's coordinator is held against the promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HeldTo {
    /// Not at all.
    #[default]
    Nothing,
    /// Each command for what concerns its own host. Costs little.
    EachCommand,
    /// Every event and every decision, for all of them. Costs as much as the fleet is large, each time.
    EachStep,
}

impl Owner {
    /// What the fleet decides. Where it is checked, as a whole, and who asks again is told the same: also at
    /// each moment at which the whole would be asked by itself.
    pub(super) fn decided(&mut self, now: Timestamp) -> FleetDecision {
        let again = self.fleet.decide_again(&mut self.memory, now);
        if !self.is_checked {
            return again;
        }
        let whole = self.fleet.decide(now);
        if again.commands != whole.commands {
            self.broken.push(format!(
                "who asks again is told otherwise: {again:?} and not {whole:?}"
            ));
        }
        whole
    }

    /// What the fleet decides, and what holds the rest.
    pub fn explained(&mut self, now: Timestamp) -> FleetDecision {
        self.fleet.explain_again(&mut self.memory, now)
    }

    /// Who asks again what holds the rest is told the same as who asks for the first time.
    pub(super) fn check_explained(&mut self, whole: &FleetDecision, now: Timestamp) {
        let again = self.explained(now);
        if again != *whole {
            self.broken.push(format!(
                "who asks again is told of other holds: {again:?} and not {whole:?}"
            ));
        }
    }

    /// What cells keep of their groups, and rollouts of their waves, is what counting anew comes to.
    pub(super) fn check_counts(&mut self) {
        let wrong =
            |(_, cell): &(&CellId, &Cell)| !cell.is_counted_right() || !cell.is_agenda_right();
        let wrong = self.fleet.cells().iter().find(wrong);
        let wrong =
            wrong.map(|(name, _)| format!("cell {name} counts its groups or its jobs wrong"));
        self.broken.extend(wrong);
        let mut rollouts = self.fleet.rollouts().iter();
        let wrong = rollouts.find(|(_, rollout)| !rollout.is_kept_right());
        let wrong = wrong.map(|(name, _)| format!("rollout {name} keeps its wave wrong"));
        self.broken.extend(wrong);
    }

    /// The fleet that the log makes.
    pub fn replayed(&self) -> Fleet {
        let mut fleet = Fleet::with_cells_of(self.cell_size);
        for (at, event) in &self.log {
            fleet
                .apply(event, *at)
                .expect("what was applied once applies again");
        }
        fleet
    }

    pub(super) fn check(&mut self, decision: &FleetDecision, now: Timestamp) {
        let broken = check::broken_by(&self.fleet, decision, now);
        self.broken.extend(broken.iter().map(ToString::to_string));
    }

    /// What a command breaks that is about to be carried out.
    pub(super) fn check_command(&mut self, command: &FleetCommand, now: Timestamp) {
        let broken = match self.held {
            HeldTo::EachStep => self.broken_by_one(command, now),
            HeldTo::Nothing if self.is_checked => self.broken_by_one(command, now),
            HeldTo::EachCommand => check::broken_nearby(&self.fleet, command, now),
            HeldTo::Nothing => return,
        };
        self.broken.extend(broken.iter().map(ToString::to_string));
    }

    fn broken_by_one(&self, command: &FleetCommand, now: Timestamp) -> Vec<Broken> {
        let one = FleetDecision {
            commands: vec![command.clone()],
            ..FleetDecision::default()
        };
        check::broken_by(&self.fleet, &one, now)
    }

    /// What the fleet breaks as it stands.
    pub(super) fn check_state(&mut self) {
        if self.is_checked || self.held == HeldTo::EachStep {
            let broken = check::broken(&self.fleet);
            self.broken.extend(broken.iter().map(ToString::to_string));
        }
    }

    /// A decision without commands, with all that it holds where each step is checked.
    pub(super) fn at_rest(&mut self, decision: FleetDecision, now: Timestamp) -> FleetDecision {
        if self.is_checked {
            self.check(&decision, now);
            self.check_explained(&decision, now);
            self.check_counts();
        } else if self.held == HeldTo::EachStep {
            let whole = self.explained(now);
            self.check(&whole, now);
            return whole;
        }
        decision
    }

    /// What the whole fleet breaks as it stands, and what it decides with all that it holds.
    pub fn check_whole(&mut self, decision: &FleetDecision, now: Timestamp) {
        let broken = check::broken(&self.fleet);
        self.broken.extend(broken.iter().map(ToString::to_string));
        self.check(decision, now);
    }
}
