//! Sessions: who dials, what travels, who notices their end.

use super::{
    super::Model,
    Happening, REDIAL, START, World,
    message::Down,
    owner::{Died, Input},
};
use crate::{id::HostId, report::ReportBody};
use std::time::Duration;

impl<M: Model> World<M> {
    /// A turn of the coordinator, with everything that reaches it at this moment.
    pub(super) fn reach_owner(&mut self, first: Input) {
        let mut inputs = vec![first];
        let is_input = |next: &Happening| matches!(next, Happening::ToOwner(_));
        while let Some((_, Happening::ToOwner(input))) = self.queue.take_if(self.now, is_input) {
            inputs.push(input);
        }
        let is_awaited = !self.waiting.is_empty();
        self.waiting.append(&mut inputs);
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
            for input in inputs.into_iter().filter(|i| matches!(i, Input::Act(_))) {
                self.put(REDIAL, Happening::ToOwner(input));
            }
            return;
        }
        inputs.retain(|input| match input {
            Input::Said { session, .. } => !self.dead.contains(session),
            Input::Closed { .. } | Input::Act(_) | Input::Wake => true,
        });
        let begins = self.busy_until.max(self.now.since(START));
        self.busy_until = begins + self.costs.of_turn(inputs.len());
        let outbound = match self.owner.turn(inputs, self.now) {
            Ok(outbound) => outbound,
            Err(Died { away }) => return self.owner_died(away),
        };
        let busy = self.busy();
        for (host, down) in outbound {
            if let Some(session) = self.owner.sessions.get(&host).copied() {
                let message = Happening::ToAgent {
                    host,
                    session,
                    down,
                };
                self.travel(busy, message);
            }
        }
        self.wake_owner();
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
        if self.wakes_at.is_none_or(|at| at > wake || at <= self.now) {
            self.wakes_at = Some(wake);
            self.put(wake.since(self.now), Happening::ToOwner(Input::Wake));
        }
    }

    pub(super) fn reach_agent(&mut self, host: &HostId, session: u64, down: Down) {
        let now = self.now;
        if self.dead.contains(&session) || self.session_of(host) != Some(session) {
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
            self.stage(host, staged);
        }
        if let Some(agent) = self.agents.get_mut(host) {
            agent.hear(down, now);
        }
        self.follow(host);
    }

    pub(super) fn dial(&mut self, host: &HostId, life: u64) {
        let can_reach = self.owner.is_up && !self.cut.contains(host);
        let number = self.last_number + 1;
        let Some(agent) = self.alive(host, life) else {
            return;
        };
        if agent.session().is_some() {
            return;
        }
        let hello = match can_reach {
            true => agent.dial(number),
            false => None,
        };
        let host = host.clone();
        let Some(up) = hello else {
            return self.put(REDIAL, Happening::Dial { host, life });
        };
        self.last_number = number;
        let said = Input::Said {
            host,
            session: number,
            up,
        };
        self.put(self.costs.link, Happening::ToOwner(said));
    }

    pub(super) fn dropped(&mut self, host: &HostId, session: u64) {
        if self.session_of(host) != Some(session) {
            return;
        }
        let agent = self.agents.get_mut(host);
        if let Some(process) = agent.and_then(|agent| agent.process.as_mut()) {
            process.session = None;
            let (host, life) = (host.clone(), process.life);
            self.put(REDIAL, Happening::Dial { host, life });
        }
    }
}
