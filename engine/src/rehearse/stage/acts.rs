//! What operators do in a rehearsal.

use super::{Stage, rollout};
use crate::{
    denial::Scope,
    exception::Word,
    fleet::FleetEvent,
    id::{HostId, OperatorId, RolloutId},
    plan::Plan,
    rehearse::{Modelled, play::operator, scenario::Deed, world::World},
    rollout::{Action, Phase, RolloutEvent},
    select::Selection,
};
use std::collections::BTreeSet;

impl Stage<'_> {
    pub(super) fn act(&mut self, world: &mut World<Modelled>, does: &Deed) {
        match does {
            Deed::Resume => self.ask(world, Action::Resume),
            Deed::Pause => self.ask(world, Action::Pause),
            Deed::Abort => self.ask(world, Action::Abort),
            Deed::Rollback => self.ask(world, Action::Rollback),
            Deed::Exclude(selection) => {
                let said = RolloutEvent::Excepted {
                    word: Word::Exclude,
                    hosts: self.matched(selection),
                    by: operator(),
                    reason: String::new(),
                };
                self.tell(world, said);
                let rollout = rollout(world, &self.plan.rollout);
                if rollout.is_some_and(|rollout| matches!(rollout.phase(), Phase::Paused { .. })) {
                    self.ask(world, Action::Resume);
                }
            }
            Deed::StartAgain => self.start_again(world),
            Deed::Approve => self.approve(world),
            Deed::Promote => self.promote(world),
        }
    }

    /// For each host that waits somebody says yes who may.
    fn approve(&mut self, world: &mut World<Modelled>) {
        let rollout = rollout(world, &self.plan.rollout);
        let waiting = rollout.into_iter().flat_map(|rollout| {
            let hosts = rollout.plan().approvals.keys();
            hosts.filter_map(|host| rollout.awaits_approval(host))
        });
        let by = waiting.filter_map(|needed| needed.by.first().cloned());
        let by: BTreeSet<OperatorId> = by.collect();
        if by.is_empty() {
            self.refused
                .push("nothing waits for an approval".to_owned());
        }
        for by in by {
            let reason = String::new();
            self.tell(world, RolloutEvent::Approved { by, reason });
        }
    }

    fn promote(&mut self, world: &mut World<Modelled>) {
        let Some(by) = self.plan.approvers.first().cloned() else {
            let refusal = "nobody may end a bake: the file names no approvers";
            self.refused.push(refusal.to_owned());
            return;
        };
        let reason = String::new();
        self.tell(world, RolloutEvent::Promoted { by, reason });
    }

    fn matched(&self, selection: &Selection) -> BTreeSet<HostId> {
        let hosts = self.rehearsal.hosts.iter();
        let matched = hosts.filter(|host| selection.matches(host));
        let planned = matched.filter(|host| self.plan.hosts.contains_key(&host.id));
        planned.map(|host| host.id.clone()).collect()
    }

    fn ask(&self, world: &mut World<Modelled>, action: Action) {
        let said = RolloutEvent::Asked {
            action,
            reach: Scope::default(),
            by: operator(),
            reason: String::new(),
        };
        self.tell(world, said);
    }

    fn tell(&self, world: &mut World<Modelled>, event: RolloutEvent) {
        let rollout = self.plan.rollout.clone();
        world.act(FleetEvent::Rollout { rollout, event });
    }

    /// Starts the same bits again under another name. What refuses that stands in the report.
    fn start_again(&mut self, world: &mut World<Modelled>) {
        let again = self
            .rehearsal
            .plan(world)
            .map_err(|errors| errors.to_string());
        match again.and_then(renamed) {
            Err(refusal) => self.refused.push(refusal),
            Ok(plan) => world.act(FleetEvent::RolloutStarted {
                plan: Box::new(plan),
                by: operator(),
            }),
        }
    }
}

/// A plan under another name.
fn renamed(mut plan: Plan) -> Result<Plan, String> {
    let name = RolloutId::new(format!("{}-again", plan.rollout));
    let name = name.map_err(|mistake| mistake.to_string())?;
    for assignment in plan.assignments.values_mut() {
        assignment.rollout = name.clone();
    }
    plan.rollout = name;
    Ok(plan)
}
