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
mod checked;
mod fault;
mod journal;
mod link;
mod message;
mod owner;
mod queue;
mod region;
mod work;

pub use agent::{Agent, Process, Session};
pub use fault::Boots;
pub use journal::Journal;
pub use message::{Down, Up};
pub use owner::{Crash, Input, Owner};

use self::queue::Queue;
use super::{Model, scenario::Costs};
use crate::{
    fleet::FleetEvent,
    id::{CellId, HostId, OrderKey},
    inventory::Host,
    report::ReportBody,
    run::{RunEvent, RunState},
    time::Timestamp,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

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
        host: HostId,
        session: u64,
        down: Down,
    },
    Stepped {
        host: HostId,
        life: u64,
        at: (OrderKey, RunState),
        event: RunEvent,
    },
    Staged {
        host: HostId,
        life: u64,
        body: ReportBody,
    },
    Look {
        host: HostId,
        life: u64,
    },
    Dial {
        host: HostId,
        life: u64,
    },
    /// The agent notices that its session is gone.
    Dropped {
        host: HostId,
        session: u64,
    },
    AgentStarts {
        host: HostId,
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
    pub agents: BTreeMap<HostId, Agent>,
    /// What the hosts do.
    pub model: M,
    queue: Queue,
    /// Hosts that cannot dial.
    cut: BTreeSet<HostId>,
    /// Sessions in which nothing comes through any more.
    dead: BTreeSet<u64>,
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
    /// The hosts whose agents something happened to since somebody took this. Absent: nobody does.
    pub touched: Option<BTreeSet<HostId>>,
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
            agents: BTreeMap::new(),
            model,
            queue: Queue::default(),
            cut: BTreeSet::new(),
            dead: BTreeSet::new(),
            repeats: false,
            forgotten: BTreeSet::new(),
            costs: Costs::link_only(LATENCY),
            waiting: Vec::new(),
            busy_until: Duration::ZERO,
            touched: None,
            last_number: 0,
            wakes_at: None,
        };
        world.owner.start(world.now);
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
        self.put(
            Duration::ZERO,
            Happening::ToOwner(Input::Act(Box::new(event))),
        );
    }

    /// Adds a host and starts its agent.
    pub fn join(&mut self, host: Host) {
        let name = host.id.clone();
        self.agents.insert(name.clone(), Agent::new(host));
        self.put(Duration::ZERO, Happening::AgentStarts { host: name });
    }

    /// The names of all hosts.
    pub fn hosts_now(&self) -> Vec<HostId> {
        self.agents.keys().cloned().collect()
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::ToOwner(input) => self.reach_owner(input),
            Happening::ToAgent {
                host,
                session,
                down,
            } => self.reach_agent(&host, session, down),
            Happening::Stepped {
                host,
                life,
                at,
                event,
            } => {
                let now = self.now;
                if let Some(agent) = self.alive(&host, life)
                    && agent.open().map(|run| (run.order().key, run.state())) == Some(at)
                {
                    agent.happen(event, now);
                    self.follow(&host);
                }
            }
            Happening::Staged { host, life, body } => {
                if let Some(agent) = self.alive(&host, life) {
                    agent.staged(body);
                    self.follow(&host);
                }
            }
            Happening::Look { host, life } => self.look(&host, life),
            Happening::Dial { host, life } => self.dial(&host, life),
            Happening::Dropped { host, session } => self.dropped(&host, session),
            Happening::AgentStarts { host } => self.agent_starts(&host),
            Happening::CellMissed { cell } => self.cell_missed(cell),
            Happening::CellMended { cell } => self.cell_mended(cell),
            Happening::OwnerFree => self.turn_owner(),
            Happening::OwnerStarts => {
                if !self.owner.is_up {
                    self.owner.start(self.now);
                    self.wake_owner();
                }
            }
        }
    }

    fn session_of(&self, host: &HostId) -> Option<u64> {
        let process = self.agents.get(host)?.process.as_ref()?;
        Some(process.session.as_ref()?.number)
    }

    fn life_of(&self, host: &HostId) -> Option<u64> {
        Some(self.agents.get(host)?.process.as_ref()?.life)
    }

    fn alive(&mut self, host: &HostId, life: u64) -> Option<&mut Agent> {
        let is_alive = self.life_of(host) == Some(life);
        self.agents.get_mut(host).filter(|_| is_alive)
    }

    fn put(&mut self, after: Duration, happening: Happening) {
        self.queue.put(self.now.after(after), happening);
    }
}
