//! What a fleet does next: what its rollouts and its cells do.

use super::{Fleet, FleetCommand, Form, Memory, asked::Rest, census::Census, memory::RolloutsRest};
use crate::{
    cell::{Ask, Troubled},
    hold::Hold,
    id::RolloutId,
    rollout::{Glance, RolloutDecision},
    time::{Timestamp, earlier},
};
use std::collections::BTreeMap;

/// What a fleet wants done, what holds what it does not, and when to ask again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[must_use]
pub struct FleetDecision {
    /// To be recorded, then carried out, in this order.
    pub commands: Vec<FleetCommand>,
    /// Why the rest is not moving.
    pub holds: Vec<Hold>,
    /// When time alone changes the decision. Nothing: only an event does.
    pub wake: Option<Timestamp>,
}

impl FleetDecision {
    fn wake_at(&mut self, at: Option<Timestamp>) {
        self.wake = earlier(self.wake, at);
    }

    /// Takes in what a rollout decided.
    fn take(&mut self, name: &RolloutId, theirs: RolloutDecision) {
        self.wake_at(theirs.wake);
        self.holds.extend(theirs.holds);
        let command = |command| FleetCommand::Rollout {
            rollout: name.clone(),
            command,
        };
        let commands = theirs.commands.into_iter().map(command);
        self.commands.extend(commands);
    }
}

impl Fleet {
    /// Decides what to do now. After the commands' events were applied there may be more: ask
    /// again until there are none.
    ///
    /// A cell decides once the rollouts have nothing left to tell it, so that it never starts what
    /// the same moment stops; and once it knows what is out in the other cells of its groups. Tokens
    /// go from cell to cell when no cell has anything to do, so that what a cell does under one is
    /// counted first.
    pub fn decide(&self, now: Timestamp) -> FleetDecision {
        let mut decision = self.decide_by(&mut Memory::default(), true, now);
        self.date_neighbours(&mut decision.holds);
        self.keep_own(&mut decision);
        decision
    }

    /// A control plane says what holds its regions' cells, as far as it knows, and decides for none.
    fn keep_own(&self, decision: &mut FleetDecision) {
        let is_own = |command: &FleetCommand| matches!(command, FleetCommand::Rollout { .. });
        if self.form == Form::Control {
            decision.commands.retain(is_own);
        }
    }

    /// Decides the same with what is kept of the decision before, and does not say what holds the rest.
    pub fn decide_again(&self, memory: &mut Memory, now: Timestamp) -> FleetDecision {
        memory.keep_up(self);
        self.decide_by(memory, false, now)
    }

    /// Decides the same as a whole, and says what holds the rest, with what is kept of how the groups stand.
    pub fn explain_again(&self, memory: &mut Memory, now: Timestamp) -> FleetDecision {
        memory.keep_up(self);
        let mut whole = memory.lend_census(self, now);
        let mut decision = self.decide_by(&mut whole, true, now);
        memory.take_back_census(whole);
        self.date_neighbours(&mut decision.holds);
        self.keep_own(&mut decision);
        decision
    }

    fn decide_by(&self, memory: &mut Memory, explains: bool, now: Timestamp) -> FleetDecision {
        let mut decision = self.decide_rollouts_by(memory, now);
        if !decision.commands.is_empty() || (self.form == Form::Control && !explains) {
            return decision;
        }
        let Some(mut census) = memory.take_census(self, now) else {
            let nowhere = Troubled::default();
            self.decide_cells(memory, Ask::all(&nowhere, explains, now), &mut decision);
            decision.commands.extend(self.allot_nothing());
            self.gather_at_last(&mut decision);
            return decision;
        };
        self.decide_by_census(memory, &mut census, explains, &mut decision, now);
        memory.put_census(census);
        decision
    }

    fn decide_by_census(
        &self,
        memory: &mut Memory,
        census: &mut Census,
        explains: bool,
        decision: &mut FleetDecision,
        now: Timestamp,
    ) {
        decision.wake_at(census.settles_at);
        decision.commands.extend(self.correct(census, now));
        if !decision.commands.is_empty() {
            return;
        }
        let troubled = census.troubled();
        self.decide_cells(memory, Ask::all(&troubled, explains, now), decision);
        self.put_off(census, &mut decision.commands);
        census.explain(&mut decision.holds, memory.cells.lacking());
        let lacking = memory.cells.lacking_of(census.cells_of_changed());
        decision
            .commands
            .extend(self.hand_out(census, &lacking, now));
        if decision.commands.is_empty() {
            decision
                .commands
                .extend(self.take_back(census, &lacking, now));
        }
        self.gather_at_last(decision);
        if decision.commands.is_empty() {
            census.rest();
            memory.cells.rest();
        }
    }

    /// What the rollouts do, of which none is asked again that nothing happened to, but for a glance.
    fn decide_rollouts_by(&self, memory: &mut Memory, now: Timestamp) -> FleetDecision {
        let glances = self.rollouts.values().map(|rollout| rollout.glance(now));
        let glance = glances.fold(Glance::default(), Glance::and);
        if let Some(rest) = memory.rollouts_rest(now).filter(|_| !glance.finds) {
            let mut decision = self.renew_warrants(rest, now);
            decision.wake_at(earlier(rest.rest.wake, glance.wake));
            return decision;
        }
        let mut renewals = BTreeMap::new();
        let mut decision = self.decide_rollouts(&mut renewals, now);
        let renews_at = renewals.values().min().copied();
        if decision.commands.is_empty() {
            let wake = decision.wake;
            let rest = Rest { wake };
            memory.note_rollouts(RolloutsRest { rest, renewals });
            decision.wake_at(glance.wake);
        }
        decision.wake_at(renews_at);
        decision
    }

    /// What the rollouts do. Notes for each of them when it has a warrant to renew.
    fn decide_rollouts(
        &self,
        renewals: &mut BTreeMap<RolloutId, Timestamp>,
        now: Timestamp,
    ) -> FleetDecision {
        let mut decision = FleetDecision::default();
        for (name, rollout) in &self.rollouts {
            let mut theirs = rollout.decide(self.cord.as_ref(), now);
            self.await_later(rollout, &mut theirs);
            renewals.extend(theirs.renews_at.map(|at| (name.clone(), at)));
            decision.take(name, theirs);
        }
        decision
    }

    /// Renews the warrants whose time has come, where the rollouts have nothing else to do.
    fn renew_warrants(&self, rest: &mut RolloutsRest, now: Timestamp) -> FleetDecision {
        let mut decision = FleetDecision::default();
        rest.renewals.retain(|name, at| {
            let Some(rollout) = self.rollouts.get(name).filter(|_| *at <= now) else {
                return *at > now;
            };
            let theirs = rollout.renewals(now);
            let is_done = theirs.commands.is_empty();
            // What is renewed now is to be renewed again: when, the next decision sees.
            *at = theirs.renews_at.filter(|_| is_done).unwrap_or(*at);
            let is_left = !is_done || theirs.renews_at.is_some();
            decision.take(name, theirs);
            is_left
        });
        decision.wake_at(rest.renewals.values().min().copied());
        decision
    }

    /// A group comes together when there is nothing else to do: what else is decided holds for the cells
    /// as they are.
    fn gather_at_last(&self, decision: &mut FleetDecision) {
        if decision.commands.is_empty() && self.form == Form::Whole {
            decision.commands.extend(self.gather());
        }
    }

    /// What the cells do that may have something to do.
    fn decide_cells(&self, memory: &mut Memory, ask: Ask<'_>, decision: &mut FleetDecision) {
        memory.heed(ask.troubled);
        let mut at_work = memory.at_work(self);
        let asked = &mut memory.cells;
        for place in asked.due(&self.cells, &at_work, ask.now) {
            let Some((name, cell)) = asked.name(place).and_then(|n| self.cells.get_key_value(n))
            else {
                continue;
            };
            let theirs = asked.ask(place, cell, &mut at_work, ask);
            decision.wake_at(theirs.wake);
            decision.holds.extend(theirs.holds);
            let command = |command| FleetCommand::Cell {
                cell: name.clone(),
                command,
            };
            decision
                .commands
                .extend(theirs.commands.into_iter().map(command));
        }
        decision.wake_at(asked.next_wake());
    }
}
