//! What goes wrong in a world.

use super::{
    super::Model,
    Happening, LATENCY, NOTICE, Number, World,
    owner::{Crash, Input},
};
use crate::{cell::CellEvent, fleet::FleetEvent, id::HostId, inventory::PackageSet};
use std::time::Duration;

/// Whether a host comes back from the same boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Boots {
    /// The process died, and not the host.
    Same,
    /// The host started anew.
    Anew,
}

impl<M: Model> World<M> {
    /// The coordinator dies at once, and comes back after a while.
    pub fn crash_owner(&mut self, crash: Crash, away: Duration) {
        self.crash_owner_next(crash, away);
        self.put(Duration::ZERO, Happening::ToOwner(Input::Wake));
    }

    /// The coordinator dies in the next turn that something else causes, and is back after a while.
    pub fn crash_owner_next(&mut self, crash: Crash, away: Duration) {
        self.owner.crash = Some((crash, away));
    }

    /// An agent dies, with its host or without, and comes back after a while; with its host, from
    /// another boot.
    pub fn crash_agent(&mut self, host: &HostId, boots: Boots, away: Option<Duration>) {
        self.crash(self.number_of(host), boots, away);
    }

    /// The same by its number.
    pub(super) fn crash(&mut self, agent: Number, boots: Boots, away: Option<Duration>) {
        self.hang_up(agent, NOTICE);
        if let Some(dead) = self.agents.at_mut(agent) {
            dead.process = None;
            dead.boot += u64::from(boots == Boots::Anew);
        }
        self.touch(agent);
        match away {
            Some(away) => self.put(away, Happening::AgentStarts { agent }),
            // Nor does it come back from a reboot that was under way.
            None => {
                self.dead.insert(agent);
            }
        }
    }

    /// A host is replaced by a new one of its name.
    pub fn make_anew(&mut self, host: &HostId) {
        let agent = self.number_of(host);
        self.hang_up(agent, NOTICE);
        self.dead.remove(&agent);
        if let Some(made) = self.agents.at_mut(agent) {
            made.make_anew();
        }
        self.put(Duration::from_secs(40), Happening::AgentStarts { agent });
    }

    /// A session ends, and what was under way in it is lost.
    pub fn break_session(&mut self, host: &HostId) {
        self.hang_up(self.number_of(host), LATENCY);
    }

    /// Nothing comes through to a host or from it.
    pub fn cut(&mut self, host: &HostId) {
        self.hang_up(self.number_of(host), NOTICE);
        self.cut.insert(host.clone());
    }

    /// Everything comes through again.
    pub fn mend(&mut self, host: &HostId) {
        self.cut.remove(host);
    }

    /// A host's own service changes.
    pub fn fall(&mut self, host: &HostId) {
        let agent = self.agents.get_mut(host).expect("the host is there");
        agent.fallen = "the application does not answer".to_owned();
        self.follow(self.number_of(host));
    }

    /// Somebody installs packages on a host, past every guard, while no run is at work there: it has `packages` from
    /// then on. Who hears of it does so with its next session, or once an order is not for them.
    pub fn install(&mut self, host: &HostId, packages: PackageSet) {
        let digest = packages.digest();
        self.owner.package_sets.insert(digest, packages);
        let agent = self.agents.get_mut(host).expect("the host is there");
        if agent.open().is_none() {
            agent.host.facts.packages = digest;
        }
    }

    /// A person puts a host back into service.
    pub fn repair(&mut self, host: &HostId) {
        let agent = self.agents.get_mut(host).expect("the host is there");
        agent.repair();
        self.follow(self.number_of(host));
    }

    /// The agent starts, if it does not run.
    pub fn start_agent(&mut self, host: &HostId) {
        let agent = self.number_of(host);
        self.dead.remove(&agent);
        self.put(Duration::ZERO, Happening::AgentStarts { agent });
    }

    /// A host is deleted from the inventory. Its agent, if there is one, dials again as a new host.
    pub fn forget(&mut self, host: &HostId) {
        if let Some(agent) = self.agents.number(host) {
            self.hang_up(agent, LATENCY);
            self.touch(agent);
        }
        self.forgotten.insert(host.clone());
        self.act(FleetEvent::Host {
            host: host.clone(),
            event: CellEvent::HostForgotten { host: host.clone() },
        });
    }

    /// The coordinator died, and is back after a while.
    pub(super) fn owner_died(&mut self, away: Duration) {
        self.put(away, Happening::OwnerStarts);
        let agents: Vec<Number> = self.agents.numbered().map(|(number, _)| number).collect();
        for agent in agents {
            self.hang_up(agent, LATENCY);
        }
    }

    /// Ends an agent's session; both ends notice after a while.
    pub(super) fn hang_up(&mut self, number: Number, notice: Duration) {
        let Some(session) = self.session_of(number) else {
            return;
        };
        let Some(agent) = self.agents.at_mut(number) else {
            return;
        };
        agent.hung_up = session;
        let dropped = Happening::Dropped {
            agent: number,
            session,
        };
        let closed = Input::Closed {
            host: agent.host.id.clone(),
            agent: number,
            session,
        };
        self.put(notice, dropped);
        self.put(notice, Happening::ToOwner(closed));
    }
}
