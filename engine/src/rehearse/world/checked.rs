//! What is looked at where a world is checked: that its coordinator keeps every promise, whatever happens.

use super::Owner;
use crate::{
    cell::Cell,
    check,
    fleet::{Fleet, FleetDecision},
    id::CellId,
    time::Timestamp,
};

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
}
