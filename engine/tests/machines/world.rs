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
mod calendar;
mod fault;
mod hosts;
mod journal;
mod link;
mod message;
mod owner;
mod region;
mod reserve;
mod rollout;
mod script;
mod state;
mod trace;
mod work;

pub(crate) use agent::Agent;
pub(crate) use fault::Boots;
pub(crate) use hosts::id;
pub(crate) use owner::{Crash, Owner};
pub(crate) use rollout::{CHAIN, NotStarted, file, operator, rollout_id};
pub(crate) use script::{Does, Step, fails};

use cofferdam_engine::{
    fleet::FleetEvent,
    id::{CellId, HostId, OrderKey},
    policy::CELL_SIZE,
    report::ReportBody,
    run::{RunEvent, RunState},
    time::Timestamp,
};
use message::Down;
use owner::Input;
use script::Script;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// The world's first moment.
pub(crate) const START: Timestamp = Timestamp(1_000_000);
/// How long a message travels.
const LATENCY: Duration = Duration::from_millis(10);
/// How long it takes to notice that nothing comes through: three heartbeats.
const NOTICE: Duration = Duration::from_secs(30);
/// How long an agent waits before it dials again.
const REDIAL: Duration = Duration::from_secs(2);

/// What happens at a moment.
#[derive(Debug)]
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
pub(crate) struct World {
    pub(crate) now: Timestamp,
    pub(crate) owner: Owner,
    pub(crate) agents: BTreeMap<HostId, Agent>,
    pub(crate) script: Script,
    queue: BTreeMap<(Timestamp, u64), Happening>,
    /// Hosts that cannot dial.
    cut: BTreeSet<HostId>,
    /// Sessions in which nothing comes through any more.
    dead: BTreeSet<u64>,
    /// Whether the link delivers every message twice, the second time late.
    pub(crate) repeats: bool,
    /// Hosts that were deleted from the inventory at some time.
    pub(crate) forgotten: BTreeSet<HostId>,
    last_number: u64,
    wakes_at: Option<Timestamp>,
}

impl World {
    /// An empty world with a coordinator that runs.
    pub(crate) fn new() -> Self {
        Self::with_cells_of(CELL_SIZE)
    }

    /// The same, with cells of at most so many hosts.
    pub(crate) fn with_cells_of(size: usize) -> Self {
        let mut world = Self {
            now: START,
            owner: Owner::with_cells_of(size),
            agents: BTreeMap::new(),
            script: Script::default(),
            queue: BTreeMap::new(),
            cut: BTreeSet::new(),
            dead: BTreeSet::new(),
            repeats: false,
            forgotten: BTreeSet::new(),
            last_number: 0,
            wakes_at: None,
        };
        world.owner.start(world.now);
        world
    }

    /// Lets time pass, and everything happen that is due until then.
    pub(crate) fn advance(&mut self, time: Duration) {
        let until = self.now.after(time);
        while let Some(entry) = self.queue.first_entry() {
            let (at, _) = *entry.key();
            if at > until || self.owner.is_stuck {
                break;
            }
            let happening = entry.remove();
            self.now = self.now.max(at);
            self.happen(happening);
        }
        self.now = until;
    }

    /// How long until the next thing happens.
    pub(crate) fn until_next(&self) -> Duration {
        let next = self.queue.keys().next();
        next.map_or(Duration::from_secs(1), |(at, _)| at.since(self.now))
    }

    /// Lets time pass in which nobody runs: everything that was due happens late, at its end.
    pub(crate) fn jump(&mut self, time: Duration) {
        self.now = self.now.after(time);
    }

    /// An operator does something, with the next turn.
    pub(crate) fn act(&mut self, event: FleetEvent) {
        self.put(
            Duration::ZERO,
            Happening::ToOwner(Input::Act(Box::new(event))),
        );
    }

    /// The names of all hosts.
    pub(crate) fn hosts_now(&self) -> Vec<HostId> {
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
        self.last_number += 1;
        let at = self.now.after(after);
        self.queue.insert((at, self.last_number), happening);
    }
}
