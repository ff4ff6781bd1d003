//! What agents do: their steps, as the script has them go, and their deadlines.

use super::{
    super::{Does, Model, Moment, Step},
    Boots, Happening, LATENCY, World,
    owner::Input,
};
use crate::{
    failure::Failure,
    id::{HostId, OrderKey},
    report::ReportBody,
    run::{RunCommand, RunEvent, RunState},
};
use std::time::Duration;

impl<M: Model> World<M> {
    pub(super) fn agent_starts(&mut self, host: &HostId) {
        self.last_number += 1;
        let (life, now) = (self.last_number, self.now);
        let Some(agent) = self.agents.get_mut(host) else {
            return;
        };
        if agent.process.is_some() {
            return;
        }
        agent.wake_up(life, now);
        self.follow(host);
        let host = host.clone();
        self.put(LATENCY, Happening::Dial { host, life });
    }

    pub(super) fn stage(&mut self, host: &HostId, staged: impl Fn(Option<Failure>) -> ReportBody) {
        let Some(life) = self.life_of(host) else {
            return;
        };
        let (after, failure) = match self.asked(host, Step::Stage) {
            Does::Well(after) | Does::NeedsReboot(after) => (after, None),
            Does::Fails(after, kind) => (after, Some(Failure::new(kind, "in the rehearsal"))),
            Does::Hangs => return,
            Does::Dies => return self.crash_agent(host, Boots::Anew, None),
        };
        let (host, body) = (host.clone(), staged(failure));
        self.put(after, Happening::Staged { host, life, body });
    }

    /// How the model has a step go that begins now.
    fn asked(&mut self, host: &HostId, step: Step) -> Does {
        let Some(agent) = self.agents.get(host) else {
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
    fn speak(&mut self, host: &HostId) {
        let Some(agent) = self.agents.get_mut(host) else {
            return;
        };
        let mut said = Vec::new();
        while let Some(up) = agent.next_up() {
            said.push(up);
        }
        let Some(session) = agent.session().map(|session| session.number) else {
            return;
        };
        for up in said {
            let host = host.clone();
            let said = Happening::ToOwner(Input::Said { host, session, up });
            self.travel(Duration::ZERO, said);
        }
    }

    /// Lets an agent do what its history asks for: send, begin its step, watch its deadline.
    pub(super) fn follow(&mut self, host: &HostId) {
        let now = self.now;
        self.speak(host);
        if let Some(touched) = &mut self.touched {
            touched.insert(host.clone());
        }
        let Some(agent) = self.agents.get_mut(host) else {
            return;
        };
        let Some((at, decision)) = agent
            .open()
            .map(|run| ((run.order().key, run.state()), run.decide(now)))
        else {
            return;
        };
        let Some(process) = agent.process.as_mut() else {
            return;
        };
        let life = process.life;
        let is_new = process.begun.replace(at) != Some(at);
        let looks_again = process.looks_at != decision.wake;
        process.looks_at = decision.wake;
        if let (true, Some(wake)) = (looks_again, decision.wake) {
            let host = host.clone();
            self.put(wake.since(now), Happening::Look { host, life });
        }
        if let (true, Some(step)) = (is_new, decision.command.and_then(step_of(at.1))) {
            self.begin(host, life, at, step);
        }
    }

    pub(super) fn begin(&mut self, host: &HostId, life: u64, at: (OrderKey, RunState), step: Step) {
        let done = |needs_reboot| RunEvent::Done { needs_reboot };
        let (after, event) = match self.asked(host, step) {
            Does::Well(after) if step == Step::Reboot => {
                return self.crash_agent(host, Boots::Anew, Some(after));
            }
            Does::Well(after) => (after, done(false)),
            Does::NeedsReboot(after) => (after, done(true)),
            Does::Fails(after, kind) => {
                let failure = Failure::new(kind, "in the rehearsal");
                (after, RunEvent::Failed(failure))
            }
            Does::Hangs => return,
            Does::Dies => return self.crash_agent(host, Boots::Anew, None),
        };
        let host = host.clone();
        self.put(
            after,
            Happening::Stepped {
                host,
                life,
                at,
                event,
            },
        );
    }

    pub(super) fn look(&mut self, host: &HostId, life: u64) {
        let now = self.now;
        let Some(agent) = self.alive(host, life) else {
            return;
        };
        if let Some(process) = agent.process.as_mut() {
            process.looks_at = None;
        }
        let wake = agent.open().and_then(|run| run.decide(now).wake);
        if wake.is_some_and(|wake| wake <= now) {
            agent.happen(RunEvent::DeadlinePassed, now);
        }
        self.follow(host);
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
