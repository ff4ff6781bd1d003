//! A world of one coordinator and its agents, in virtual time.
//!
//! ```text
//!   operator --Act--> +-------+ --Down, after a while--> +--------+ --Step--> script
//!   time -----Wake--> | Owner |                          | Agents |
//!   sessions -Up----> +-------+ <--Up, after a while---- +--------+ <--outcome--
//! ```
//!
//! Everything that happens stands in one queue by its moment, so a world is the same each time. A
//! link is a session: in order, and lost as a whole with what is under way. A link that is cut loses
//! everything, and both ends notice after a while.

mod agent;
mod agents;
mod checked;
mod fault;
mod few;
mod journal;
mod link;
mod message;
mod owner;
mod queue;
mod region;
mod skew;
mod work;

pub use agent::{Agent, Process, Session};
pub use agents::{Agents, ByNumber, Number};
pub use checked::HeldTo;
pub use fault::Boots;
pub use few::Few;
pub use journal::Journal;
pub use message::{Down, Up};
pub use owner::{Crash, Input, Owner};
pub use skew::Skew;

use self::{queue::Queue, skew::Walls};
use super::{Model, scenario::Costs};
use crate::{
    cell::CellEvent,
    fleet::FleetEvent,
    id::{CellId, HostId, OrderKey},
    inventory::Host,
    report::ReportBody,
    run::{RunEvent, RunState},
    time::Timestamp,
};
use std::{collections::BTreeSet, time::Duration};

/// The world's first moment.
pub const START: Timestamp = Timestamp(1_000_000);
/// How long a message travels.
const LATENCY: Duration = Duration::from_millis(10);
/// How long it takes to notice that nothing comes through: three heartbeats.
const NOTICE: Duration = Duration::from_secs(30);
/// How long an agent waits before it dials again.
const REDIAL: Duration = Duration::from_secs(2);

/// What happens at a moment.
#[derive(Debug, Clone)]
enum Happening {
    ToOwner(Input),
    ToAgent {
        agent: Number,
        session: u64,
        down: Down,
    },
    Stepped {
        agent: Number,
        life: u64,
        at: (OrderKey, RunState),
        event: RunEvent,
    },
    Staged {
        agent: Number,
        life: u64,
        body: ReportBody,
    },
    Look {
        agent: Number,
        life: u64,
    },
    Dial {
        agent: Number,
        life: u64,
    },
    /// The agent notices that its session is gone.
    Dropped {
        agent: Number,
        session: u64,
    },
    AgentStarts {
        agent: Number,
    },
    OwnerStarts,
    /// The coordinator is at work no longer, and takes in what reached it meanwhile.
    OwnerFree,
    /// The rollouts notice that nothing comes from a cell.
    CellMissed {
        cell: CellId,
    },
    /// Everything comes through again between a cell and the rollouts.
    CellMended {
        cell: CellId,
    },
}

/// A coordinator, its agents, and what is under way.
#[derive(Debug)]
pub struct World<M> {
    /// The moment.
    pub now: Timestamp,
    /// The coordinator.
    pub owner: Owner,
    /// The hosts, each with its agent.
    pub agents: Agents,
    /// What the hosts do.
    pub model: M,
    queue: Queue,
    /// Hosts that cannot dial.
    cut: BTreeSet<HostId>,
    /// Whether the link delivers every message twice, the second time late.
    pub repeats: bool,
    /// Hosts that were deleted from the inventory at some time.
    pub forgotten: BTreeSet<HostId>,
    /// What coordination takes.
    pub costs: Costs,
    /// What reached the coordinator while it was at work.
    waiting: Vec<Input>,
    /// Until when the coordinator is at work, since the world's first moment.
    busy_until: Duration,
    /// The agents that something happened to since somebody took this, some of them more than once. Absent:
    /// nobody does.
    pub touched: Option<Vec<Number>>,
    /// When something last happened to an agent.
    pub touched_at: Timestamp,
    /// Agents of hosts that are dead for good, until somebody starts them.
    pub(super) dead: BTreeSet<Number>,
    walls: Walls,
    last_number: u64,
    wakes_at: Option<Timestamp>,
}

impl<M: Model> World<M> {
    /// An empty world with a coordinator, which is started.
    pub fn new(owner: Owner, model: M) -> Self {
        Self::starting_at(START, owner, model)
    }

    /// The same at another moment, at or after [`START`].
    pub fn starting_at(now: Timestamp, owner: Owner, model: M) -> Self {
        let mut world = Self {
            now,
            owner,
            agents: Agents::default(),
            model,
            queue: Queue::default(),
            cut: BTreeSet::new(),
            repeats: false,
            forgotten: BTreeSet::new(),
            costs: Costs::link_only(LATENCY),
            waiting: Vec::new(),
            busy_until: Duration::ZERO,
            touched: None,
            touched_at: now,
            dead: BTreeSet::new(),
            walls: Walls::default(),
            last_number: 0,
            wakes_at: None,
        };
        world.owner_starts();
        world
    }

    /// Lets time pass, and everything happen that is due until then.
    pub fn advance(&mut self, time: Duration) {
        let until = self.now.after(time);
        while self.step(until) {}
        self.now = until;
    }

    /// Lets the next thing happen, if it is due until then. Whether there was one.
    pub fn step(&mut self, until: Timestamp) -> bool {
        if self.owner.is_stuck {
            return false;
        }
        let Some((at, happening)) = self.queue.take_if(until, |_| true) else {
            return false;
        };
        self.now = self.now.max(at);
        self.happen(happening);
        true
    }

    /// When the next thing happens. Nothing: nothing is under way.
    pub fn next_at(&self) -> Option<Timestamp> {
        self.queue.next_at()
    }

    /// How long until the next thing happens.
    pub fn until_next(&self) -> Duration {
        let next = self.next_at();
        next.map_or(Duration::from_secs(1), |at| at.since(self.now))
    }

    /// Lets time pass in which nobody runs: everything that was due happens late, at its end.
    pub fn jump(&mut self, time: Duration) {
        self.now = self.now.after(time);
    }

    /// An operator does something, with the next turn.
    pub fn act(&mut self, event: FleetEvent) {
        let forgets = if let FleetEvent::Host { host, event } = &event
            && matches!(event, CellEvent::HostForgotten { .. })
        {
            self.agents.number(host)
        } else {
            None
        };
        let event = Box::new(event);
        let act = Input::Act { event, forgets };
        self.put(Duration::ZERO, Happening::ToOwner(act));
    }

    /// Adds a host and starts its agent.
    pub fn join(&mut self, host: Host) {
        let agent = self.agents.insert(Agent::new(host));
        self.put(Duration::ZERO, Happening::AgentStarts { agent });
    }

    /// The names of all hosts.
    pub fn hosts_now(&self) -> Vec<HostId> {
        self.agents.keys().cloned().collect()
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::ToOwner(input) => self.reach_owner(input),
            Happening::ToAgent {
                agent,
                session,
                down,
            } => self.reach_agent(agent, session, down),
            Happening::Stepped {
                agent,
                life,
                at,
                event,
            } => self.stepped(agent, life, at, event),
            Happening::Staged { agent, life, body } => {
                if let Some(alive) = self.alive(agent, life) {
                    alive.staged(body);
                    self.follow(agent);
                }
            }
            Happening::Look { agent, life } => self.look(agent, life),
            Happening::Dial { agent, life } => self.dial(agent, life),
            Happening::Dropped { agent, session } => self.dropped(agent, session),
            Happening::AgentStarts { agent } => self.agent_starts(agent),
            Happening::CellMissed { cell } => self.cell_missed(cell),
            Happening::CellMended { cell } => self.cell_mended(cell),
            Happening::OwnerFree => self.turn_owner(),
            Happening::OwnerStarts => {
                if !self.owner.is_up {
                    self.owner_starts();
                    self.wake_owner();
                }
            }
        }
    }

    fn session_of(&self, agent: Number) -> Option<u64> {
        let process = self.agents.at(agent)?.process.as_ref()?;
        Some(process.session.as_ref()?.number)
    }

    fn life_of(&self, agent: Number) -> Option<u64> {
        self.agents.at(agent)?.life()
    }

    fn alive(&mut self, agent: Number, life: u64) -> Option<&mut Agent> {
        let agent = self.agents.at_mut(agent);
        agent.filter(|agent| agent.life() == Some(life))
    }

    /// Takes note that something happens to an agent.
    fn touch(&mut self, agent: Number) {
        self.touched_at = self.now;
        if let Some(touched) = &mut self.touched {
            touched.push(agent);
        }
    }

    /// Takes the agents that something happened to since it was last asked, each once, in the order of their
    /// hosts' names. `taken` has only them then.
    pub fn take_touched(&mut self, taken: &mut Vec<Number>) {
        taken.clear();
        let Some(touched) = &mut self.touched else {
            return;
        };
        std::mem::swap(touched, taken);
        if taken.len() > 1 {
            let name = |number: &Number| self.agents.at(*number).map(|agent| &agent.host.id);
            taken.sort_by(|one, other| name(one).cmp(&name(other)));
            taken.dedup();
        }
    }

    /// The number of a host that is there.
    fn number_of(&self, host: &HostId) -> Number {
        self.agents.number(host).expect("the host is there")
    }

    fn put(&mut self, after: Duration, happening: Happening) {
        self.queue.put(self.now.after(after), happening);
    }
}
