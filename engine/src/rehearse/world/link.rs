//! Sessions: who dials, what travels, who notices their end.

use super::{
    super::Model,
    Agents, Happening, Number, REDIAL, START, World,
    message::Down,
    owner::{Died, Input},
};
use crate::{
    order::Order,
    report::{Refusal, ReportBody},
};
use std::time::Duration;

impl<M: Model> World<M> {
    /// A turn of the coordinator, with everything that reaches it at this moment.
    pub(super) fn reach_owner(&mut self, first: Input) {
        let is_awaited = !self.waiting.is_empty();
        self.waiting.push(first);
        let is_input = |next: &Happening| matches!(next, Happening::ToOwner(_));
        while let Some((_, Happening::ToOwner(input))) = self.queue.take_if(self.now, is_input) {
            self.waiting.push(input);
        }
        let busy = self.busy();
        if busy.is_zero() {
            self.turn_owner();
        } else if !is_awaited {
            self.put(busy, Happening::OwnerFree);
        }
    }

    /// How long the coordinator is still at work, in whole milliseconds.
    fn busy(&self) -> Duration {
        let left = self.busy_until.saturating_sub(self.now.since(START));
        Duration::from_millis(
            u64::try_from(left.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX),
        )
    }

    /// A turn of the coordinator with everything that waits for it.
    pub(super) fn turn_owner(&mut self) {
        let mut inputs = std::mem::take(&mut self.waiting);
        if !self.owner.is_up {
            // What an operator asks finds nobody and is asked again.
            for input in inputs
                .into_iter()
                .filter(|i| matches!(i, Input::Act { .. }))
            {
                self.put(REDIAL, Happening::ToOwner(input));
            }
            return;
        }
        inputs.retain(|input| match input {
            Input::Said { agent, session, .. } => !is_dead(&self.agents, *agent, *session),
            Input::Closed { .. } | Input::Act { .. } | Input::Wake => true,
        });
        let begins = self.busy_until.max(self.now.since(START));
        self.busy_until = begins + self.costs.of_turn(inputs.len());
        let outbound = match self.owner.turn(inputs, self.owner_now()) {
            Ok(outbound) => outbound,
            Err(Died { away }) => return self.owner_died(away),
        };
        let busy = self.busy();
        for (agent, down) in outbound.answers {
            self.send(busy, agent, down);
        }
        for (host, down) in outbound.commands {
            if let Some(agent) = self.agents.number(&host) {
                self.send(busy, agent, down);
            }
        }
        self.wake_owner();
    }

    /// Sends a message to an agent, if it has a session.
    fn send(&mut self, after: Duration, agent: Number, down: Down) {
        if let Some(session) = self.owner.sessions.get(agent).copied() {
            let message = Happening::ToAgent {
                agent,
                session,
                down,
            };
            self.travel(after, message);
        }
    }

    /// Sends a message on its way; where the link repeats messages, twice.
    pub(super) fn travel(&mut self, after: Duration, message: Happening) {
        let link = self.costs.link;
        let again = self.repeats.then(|| message.clone());
        self.put(after + link, message);
        if let Some(again) = again {
            self.put(after + link * 5, again);
        }
    }

    pub(super) fn wake_owner(&mut self) {
        let Some(wake) = self.owner.rest.wake else {
            return;
        };
        let after = self.until_owners(wake);
        let wake = self.now.after(after);
        if self.wakes_at.is_none_or(|at| at > wake || at <= self.now) {
            self.wakes_at = Some(wake);
            self.put(after, Happening::ToOwner(Input::Wake));
        }
    }

    pub(super) fn reach_agent(&mut self, agent: Number, session: u64, down: Down) {
        let now = self.agent_now(agent);
        if is_dead(&self.agents, agent, session) || self.session_of(agent) != Some(session) {
            return;
        }
        if let Down::Stage {
            rollout,
            lock_digest,
        } = &down
        {
            let staged = |failure| ReportBody::Staged {
                rollout: rollout.clone(),
                lock_digest: *lock_digest,
                failure,
            };
            self.stage(agent, staged);
        }
        let unfit = match &down {
            Down::Order(order) => self.unfit(agent, order),
            Down::Welcome
            | Down::Acknowledge(_)
            | Down::Stage { .. }
            | Down::Withdraw { .. }
            | Down::Answer { .. }
            | Down::Release(_) => None,
        };
        if let Some(agent) = self.agents.at_mut(agent) {
            agent.hear(down, unfit, now);
        }
        self.follow(agent);
    }

    /// Why an order is not for what an agent has installed. Nothing: it is, or nobody knows.
    pub(super) fn unfit(&self, agent: Number, order: &Order) -> Option<Refusal> {
        let facts = &self.agents.at(agent)?.host.facts;
        let installed = self.owner.package_sets.get(&facts.packages)?;
        order.refused_for_delta(&facts.platform, installed)
    }

    pub(super) fn dial(&mut self, agent: Number, life: u64) {
        let number = self.last_number + 1;
        let at = self.agents.at(agent);
        let can_reach = self.owner.is_up && at.is_some_and(|at| !self.cut.contains(&at.host.id));
        let Some(dials) = self.alive(agent, life) else {
            return;
        };
        if dials.session().is_some() {
            return;
        }
        let hello = match can_reach {
            true => dials.dial(number),
            false => None,
        };
        let Some(up) = hello else {
            return self.put(REDIAL, Happening::Dial { agent, life });
        };
        let said = Input::Said {
            host: dials.host.id.clone(),
            agent,
            session: number,
            up,
        };
        self.last_number = number;
        self.put(self.costs.link, Happening::ToOwner(said));
    }

    pub(super) fn dropped(&mut self, agent: Number, session: u64) {
        if self.session_of(agent) != Some(session) {
            return;
        }
        let dropped = self.agents.at_mut(agent);
        if let Some(process) = dropped.and_then(|agent| agent.process.as_mut()) {
            process.session = None;
            let life = process.life;
            self.put(REDIAL, Happening::Dial { agent, life });
        }
    }
}

/// Whether nothing comes through any more in a session of an agent. A new one is dialled only after that.
fn is_dead(agents: &Agents, agent: Number, session: u64) -> bool {
    let agent = agents.at(agent);
    agent.is_none_or(|agent| session <= agent.hung_up)
}
