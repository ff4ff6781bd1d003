//! What agents do: their steps, as the script has them go, and their deadlines.

use super::{
    super::{Does, Model, Moment, Step},
    Agent, Boots, Happening, LATENCY, Number, World,
    owner::Input,
};
use crate::{
    failure::Failure,
    id::OrderKey,
    report::ReportBody,
    run::{RunCommand, RunEvent, RunState},
};
use std::time::Duration;

impl<M: Model> World<M> {
    pub(super) fn agent_starts(&mut self, agent: Number) {
        self.last_number += 1;
        let life = self.last_number;
        let is_running = |at: &Agent| at.process.is_some();
        if self.agents.at(agent).is_none_or(is_running) || self.dead.contains(&agent) {
            return;
        }
        self.anchor(agent);
        let now = self.agent_now(agent);
        let Some(starts) = self.agents.at_mut(agent) else {
            return;
        };
        starts.wake_up(life, now);
        self.follow(agent);
        self.put(LATENCY, Happening::Dial { agent, life });
    }

    /// A step has ended, unless its agent or its run is another by now.
    pub(super) fn stepped(
        &mut self,
        agent: Number,
        life: u64,
        at: (OrderKey, RunState),
        event: RunEvent,
    ) {
        let now = self.agent_now(agent);
        if let Some(alive) = self.alive(agent, life)
            && alive.open().map(|run| (run.order().key, run.state())) == Some(at)
        {
            alive.happen(event, now);
            self.follow(agent);
        }
    }

    pub(super) fn stage(&mut self, agent: Number, staged: impl Fn(Option<Failure>) -> ReportBody) {
        let Some(life) = self.life_of(agent) else {
            return;
        };
        let (after, failure) = match self.asked(agent, Step::Stage) {
            Does::Well(after) | Does::NeedsReboot(after) => (after, None),
            Does::Fails(after, kind) => (after, Some(Failure::new(kind, "in the rehearsal"))),
            Does::Hangs => return,
            Does::Dies => return self.crash(agent, Boots::Anew, None),
        };
        let body = staged(failure);
        self.put(after, Happening::Staged { agent, life, body });
    }

    /// How the model has a step go that begins now.
    fn asked(&mut self, agent: Number, step: Step) -> Does {
        let Some(agent) = self.agents.at(agent) else {
            return Does::Hangs;
        };
        let attempt = agent.open().map_or(0, |run| run.order().attempt);
        self.model.next(&Moment {
            host: &agent.host,
            step,
            attempt,
            now: self.now,
        })
    }

    /// Lets an agent say all that it has to say.
    fn speak(&mut self, number: Number) {
        let mut said = Vec::new();
        let Some(agent) = self.agents.at_mut(number) else {
            return;
        };
        while let Some(up) = agent.next_up() {
            said.push(up);
        }
        let host = agent.host.id.clone();
        let Some(session) = agent.session().map(|session| session.number) else {
            return;
        };
        for up in said {
            let said = Input::Said {
                host: host.clone(),
                agent: number,
                session,
                up,
            };
            self.travel(Duration::ZERO, Happening::ToOwner(said));
        }
    }

    /// Lets an agent do what its history asks for: send, begin its step, watch its deadline.
    pub(super) fn follow(&mut self, agent: Number) {
        let now = self.agent_now(agent);
        self.speak(agent);
        self.touch(agent);
        let Some(follows) = self.agents.at_mut(agent) else {
            return;
        };
        let Some((at, decision)) = follows
            .open()
            .map(|run| ((run.order().key, run.state()), run.decide(now)))
        else {
            return;
        };
        let Some(process) = follows.process.as_mut() else {
            return;
        };
        let life = process.life;
        let is_new = process.begun.replace(at) != Some(at);
        let looks_again = process.looks_at != decision.wake;
        process.looks_at = decision.wake;
        if let (true, Some(wake)) = (looks_again, decision.wake) {
            self.put(wake.since(now), Happening::Look { agent, life });
        }
        if let (true, Some(step)) = (is_new, decision.command.and_then(step_of(at.1))) {
            self.begin(agent, life, at, step);
        }
    }

    fn begin(&mut self, agent: Number, life: u64, at: (OrderKey, RunState), step: Step) {
        if step == Step::Apply && self.owner.is_checked {
            self.note_mistake(agent);
        }
        let done = RunEvent::done;
        let (after, event) = match self.asked(agent, step) {
            Does::Well(after) if step == Step::Reboot => {
                return self.crash(agent, Boots::Anew, Some(after));
            }
            Does::Well(after) => (after, done(false)),
            Does::NeedsReboot(after) => (after, done(true)),
            Does::Fails(after, kind) => {
                let failure = Failure::new(kind, "in the rehearsal");
                (after, RunEvent::Failed(failure))
            }
            Does::Hangs => return,
            Does::Dies => return self.crash(agent, Boots::Anew, None),
        };
        self.put(
            after,
            Happening::Stepped {
                agent,
                life,
                at,
                event,
            },
        );
    }

    /// Notes where an agent begins to patch its host as what that is not.
    fn note_mistake(&mut self, number: Number) {
        let run = self.agents.at(number).and_then(Agent::open);
        let is_mistaken = run.is_some_and(|run| self.unfit(number, run.order()).is_some());
        if let Some(agent) = self.agents.at_mut(number) {
            agent.is_mistaken |= is_mistaken;
        }
    }

    pub(super) fn look(&mut self, number: Number, life: u64) {
        let now = self.agent_now(number);
        let Some(agent) = self.alive(number, life) else {
            return;
        };
        if let Some(process) = agent.process.as_mut() {
            process.looks_at = None;
        }
        let wake = agent.open().and_then(|run| run.decide(now).wake);
        if wake.is_some_and(|wake| wake <= now) {
            agent.happen(RunEvent::DeadlinePassed, now);
        }
        self.follow(number);
    }
}

/// The step that a command is in a state. Nothing of a claim.
fn step_of(state: RunState) -> impl Fn(RunCommand) -> Option<Step> {
    move |command| match command {
        RunCommand::Claim(_) => None,
        RunCommand::Drain => Some(Step::Drain),
        RunCommand::Apply => Some(Step::Apply),
        RunCommand::Reboot => Some(Step::Reboot),
        RunCommand::Verify if state == RunState::VerifyingRollback => Some(Step::VerifyRollback),
        RunCommand::Verify => Some(Step::Verify),
        RunCommand::RollBack => Some(Step::RollBack),
        RunCommand::Readmit => Some(Step::Readmit),
    }
}
