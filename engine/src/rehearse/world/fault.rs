//! What goes wrong in a world.

use super::{
    super::Model,
    Happening, LATENCY, NOTICE, World,
    owner::{Crash, Input},
};
use crate::{cell::CellEvent, fleet::FleetEvent, id::HostId};
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
        self.hang_up(host, NOTICE);
        let agent = self.agents.get_mut(host).expect("the host is there");
        agent.process = None;
        if let Some(touched) = &mut self.touched {
            touched.insert(host.clone());
        }
        agent.boot += u64::from(boots == Boots::Anew);
        if let Some(away) = away {
            self.put(away, Happening::AgentStarts { host: host.clone() });
        }
    }

    /// A host is replaced by a new one of its name.
    pub fn make_anew(&mut self, host: &HostId) {
        self.hang_up(host, NOTICE);
        let agent = self.agents.get_mut(host).expect("the host is there");
        agent.make_anew();
        let host = host.clone();
        self.put(Duration::from_secs(40), Happening::AgentStarts { host });
    }

    /// A session ends, and what was under way in it is lost.
    pub fn break_session(&mut self, host: &HostId) {
        self.hang_up(host, LATENCY);
    }

    /// Nothing comes through to a host or from it.
    pub fn cut(&mut self, host: &HostId) {
        self.hang_up(host, NOTICE);
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
        self.follow(host);
    }

    /// A person puts a host back into service.
    pub fn repair(&mut self, host: &HostId) {
        let agent = self.agents.get_mut(host).expect("the host is there");
        agent.repair();
        self.follow(host);
    }

    /// The agent starts, if it does not run.
    pub fn start_agent(&mut self, host: &HostId) {
        self.put(
            Duration::ZERO,
            Happening::AgentStarts { host: host.clone() },
        );
    }

    /// A host is deleted from the inventory. Its agent, if there is one, dials again as a new host.
    pub fn forget(&mut self, host: &HostId) {
        self.hang_up(host, LATENCY);
        self.forgotten.insert(host.clone());
        if let Some(touched) = &mut self.touched {
            touched.insert(host.clone());
        }
        self.act(FleetEvent::Host {
            host: host.clone(),
            event: CellEvent::HostForgotten { host: host.clone() },
        });
    }

    /// The coordinator died, and is back after a while.
    pub(super) fn owner_died(&mut self, away: Duration) {
        self.put(away, Happening::OwnerStarts);
        let hosts: Vec<HostId> = self.agents.keys().cloned().collect();
        for host in hosts {
            self.hang_up(&host, LATENCY);
        }
    }

    /// Ends a host's session; both ends notice after a while.
    pub(super) fn hang_up(&mut self, host: &HostId, notice: Duration) {
        let Some(session) = self.session_of(host) else {
            return;
        };
        let dropped = Happening::Dropped {
            host: host.clone(),
            session,
        };
        let closed = Input::Closed {
            host: host.clone(),
            session,
        };
        self.dead.insert(session);
        self.put(notice, dropped);
        self.put(notice, Happening::ToOwner(closed));
    }
}
