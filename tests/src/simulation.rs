//! One coordinator and many agents over a fake network, in virtual time, repeatable by a seed.
//!
//! The shells are the real ones: real drivers, sessions, gRPC and mutual TLS. Fake are the network
//! (turmoil), the disks (in memory, so that no blocking work stops the clock) and what a run does
//! to its host (a script). A simulated host is a *rack* of agents, because the simulator's cost
//! grows with the third power of its hosts.

mod authority;
mod clock;
mod network;
mod operator;
mod rack;
mod region;
mod verdict;

pub use rack::{Rack, Seat};
pub use verdict::Ending;

use authority::Authority;
use cofferdam_coordinator::store::memory::MemoryDisk;
use rack::Power;
use std::{cell::RefCell, rc::Rc, time::Duration};

/// The name of the coordinator's host.
const COORDINATOR: &str = "coordinator";

/// The coordinator's port.
const PORT: u16 = 7300;

/// One turn of the simulator (measured: a tick of 1 ms costs seven times as much and shows nothing
/// more).
const TICK: Duration = Duration::from_millis(10);

/// What happens to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A rack and the coordinator no longer hear each other.
    Cut(usize),
    /// They hear each other again.
    Mend(usize),
    /// All agents of a rack die.
    KillRack(usize),
    /// They start again on their journals.
    StartRack(usize),
    /// The coordinator dies.
    KillCoordinator,
    /// It starts again on its store.
    StartCoordinator,
}

/// A simulation to be run.
#[derive(Debug, Clone)]
pub struct Scene {
    /// Decides every latency.
    pub seed: u64,
    /// Racks, and agents in each. Every rack is a zone.
    pub racks: usize,
    /// Agents in each rack.
    pub seats: usize,
    /// The rollout file.
    pub rollout: String,
    /// When, counted from the start, what happens. In order of time.
    pub faults: Vec<(Duration, Fault)>,
    /// How long it may last before it counts as stuck.
    pub within: Duration,
}

impl Scene {
    /// Plays the scene to its end.
    ///
    /// # Panics
    /// When something panics in it, an ERROR line is logged, a promise is broken, or the rollout is
    /// not over in time.
    pub fn play(&self) -> Ending {
        self.play_with(|_| ())
    }

    /// Plays the scene after `script` has scripted its hosts.
    ///
    /// # Panics
    /// As [`Scene::play`].
    pub fn play_with(&self, script: impl FnOnce(&[Rack])) -> Ending {
        verdict::without_error_lines(|| self.run(script))
    }

    fn run(&self, script: impl FnOnce(&[Rack])) -> Ending {
        let authority = Rc::new(Authority::new());
        let racks: Vec<Rack> = (0..self.racks)
            .map(|number| Rack::new(number, self.seats))
            .collect();
        script(&racks);
        let disk = MemoryDisk::default();
        let mut sim = turmoil::Builder::new()
            .rng_seed(self.seed)
            .epoch(clock::epoch())
            .tick_duration(TICK)
            .min_message_latency(Duration::from_millis(1))
            .max_message_latency(Duration::from_millis(50))
            .simulation_duration(self.within)
            .tcp_capacity(4096)
            .build();
        region::host(&mut sim, &disk, &authority);
        for rack in &racks {
            rack.host(&mut sim, &authority);
        }
        let seen = Rc::new(RefCell::new(None));
        operator::client(&mut sim, &authority, self, seen.clone());
        let mut faults = self.faults.iter();
        let mut next = faults.next();
        loop {
            while let Some((_, fault)) = next.filter(|(at, _)| sim.elapsed() >= *at) {
                fault.strike(&mut sim, &racks);
                next = faults.next();
            }
            match sim.step() {
                Ok(true) => break,
                Ok(false) => {}
                Err(error) => panic!("seed {}: {error}: {:#?}", self.seed, verdict::holds(&disk)),
            }
        }
        drop(sim);
        let state = seen
            .borrow_mut()
            .take()
            .expect("the operator saw how it ended");
        verdict::judge(self.seed, state, &disk, &racks)
    }
}

impl Fault {
    fn strike(self, sim: &mut turmoil::Sim<'_>, racks: &[Rack]) {
        match self {
            Self::Cut(rack) => sim.partition(racks[rack].name(), COORDINATOR),
            Self::Mend(rack) => sim.repair(racks[rack].name(), COORDINATOR),
            Self::KillRack(rack) => racks[rack].switch(Power::Off),
            Self::StartRack(rack) => racks[rack].switch(Power::On),
            Self::KillCoordinator => sim.crash(COORDINATOR),
            Self::StartCoordinator => sim.bounce(COORDINATOR),
        }
    }
}
