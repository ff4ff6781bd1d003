//! Coordinators and many agents over a fake network, in virtual time, repeatable by a seed.
//!
//! The shells are the real ones: real drivers, sessions, gRPC and mutual TLS. Fake are the network
//! (turmoil), the disks (in memory, so that no blocking work stops the clock) and what a run does
//! to its host (a script). A simulated host is a *rack* of agents, because the simulator's cost
//! grows with the third power of its hosts.

mod authority;
mod clock;
mod layout;
mod network;
mod operator;
mod rack;
mod region;
mod unruly;
mod verdict;

pub use layout::Layout;
pub use rack::{Rack, Seat};
pub use verdict::Ending;

use authority::Authority;
use cofferdam_coordinator::store::{Loaded, memory::MemoryDisk};
use cofferdam_engine::id::HostId;
use layout::Part;
use rack::Power;
use std::{cell::Cell, ops::Range, rc::Rc, time::Duration};

/// The coordinator's port.
const PORT: u16 = 7300;

/// One turn of the simulator (measured: a tick of 1 ms costs seven times as much and shows nothing
/// more).
const TICK: Duration = Duration::from_millis(10);

/// How long a message takes at most.
const QUICK: Duration = Duration::from_millis(50);

/// The same on a slow link: less than three heartbeats, which would end sessions.
const SLOW: Duration = Duration::from_secs(2);

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
    /// What a rack and its coordinator say to each other takes seconds.
    Slow(usize),
    /// It takes as long as usual again.
    Quick(usize),
    /// The process that operators dial dies: the coordinator, or the control plane.
    KillCoordinator,
    /// It starts again on its store.
    StartCoordinator,
    /// A region and the control plane no longer hear each other.
    CutRegion(usize),
    /// They hear each other again.
    MendRegion(usize),
    /// A region's coordinator dies.
    KillRegion(usize),
    /// It starts again on its store.
    StartRegion(usize),
    /// The same, and its machine booted meanwhile.
    BootRegion(usize),
    /// What the process has stored that operators dial is backed up.
    BackUpCoordinator,
    /// It starts again on the oldest of its backups that it did not start on yet.
    SetCoordinatorBack,
    /// What a region's coordinator has stored is backed up.
    BackUpRegion(usize),
    /// It starts again as [`Fault::SetCoordinatorBack`].
    SetRegionBack(usize),
}

/// What is stored, and what was backed up of it.
struct Disks {
    of: Vec<(Part, MemoryDisk)>,
    backups: Vec<(Part, Loaded)>,
}

impl Disks {
    fn of(&self, part: Part) -> &MemoryDisk {
        let mut disks = self.of.iter();
        let found = disks.find(|(of, _)| *of == part);
        &found.expect("a process of the layout").1
    }

    fn back_up(&mut self, part: Part) {
        self.backups.push((part, self.of(part).content()));
    }

    fn set_back(&mut self, part: Part) {
        let at = self.backups.iter().position(|(of, _)| *of == part);
        let (_, content) = self.backups.remove(at.expect("it was backed up"));
        self.of(part).set_back(content);
    }
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
    /// Which processes there are.
    pub layout: Layout,
    /// The rollout file.
    pub rollout: String,
    /// When, counted from the start, what happens. In order of time.
    pub faults: Vec<(Duration, Fault)>,
    /// Whether agents, coordinators and the control plane hear each other's messages twice, late and out of order.
    pub unruly: bool,
    /// From when to when the operator has the cord pulled. Absent: never.
    pub cord: Option<Range<Duration>>,
    /// A host that an operator has, and from when to when. Absent: none.
    pub taken: Option<(HostId, Range<Duration>)>,
    /// What the operator asks to be explained, and when, by the names of rollouts, cells and hosts. In order of time.
    pub asks: Vec<(Duration, Vec<String>)>,
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
            .map(|number| Rack::new(number, self.seats, self.layout))
            .collect();
        script(&racks);
        let parts = self.layout.parts().into_iter();
        let mut disks = Disks {
            of: parts.map(|part| (part, MemoryDisk::default())).collect(),
            backups: Vec::new(),
        };
        let mut sim = turmoil::Builder::new()
            .rng_seed(self.seed)
            .epoch(clock::epoch())
            .tick_duration(TICK)
            .min_message_latency(Duration::from_millis(1))
            .max_message_latency(QUICK)
            .simulation_duration(self.within)
            .tcp_capacity(4096)
            .build();
        // One count for all machines: a process reads it as it starts.
        let boots = Rc::new(Cell::new(1));
        let unruly = self.unruly.then_some(self.seed);
        for (part, disk) in &disks.of {
            region::host(&mut sim, *part, disk, &boots, &authority, unruly);
        }
        for rack in &racks {
            rack.host(&mut sim, &authority, unruly);
        }
        let seen = operator::Seen::default();
        operator::client(&mut sim, &authority, self, seen.clone());
        let mut faults = self.faults.iter();
        let mut next = faults.next();
        loop {
            while let Some((_, fault)) = next.filter(|(at, _)| sim.elapsed() >= *at) {
                fault.strike(&mut sim, &racks, self.layout, &boots, &mut disks);
                next = faults.next();
            }
            match sim.step() {
                Ok(true) => break,
                Ok(false) => {}
                Err(error) => panic!(
                    "seed {}: {error}: {:#?}",
                    self.seed,
                    verdict::holds(&disks.of)
                ),
            }
        }
        drop(sim);
        verdict::judge(self.seed, seen.take(), &disks.of, &racks)
    }
}

impl Fault {
    fn strike(
        self,
        sim: &mut turmoil::Sim<'_>,
        racks: &[Rack],
        layout: Layout,
        boots: &Cell<u32>,
        disks: &mut Disks,
    ) {
        let main = layout.of_operators().host();
        let region = |number| Part::Region(number).host();
        match self {
            Self::Cut(rack) => sim.partition(racks[rack].name(), racks[rack].dials()),
            Self::Mend(rack) => sim.repair(racks[rack].name(), racks[rack].dials()),
            Self::KillRack(rack) => racks[rack].switch(Power::Off),
            Self::StartRack(rack) => racks[rack].switch(Power::On),
            Self::Slow(rack) => set_latency(sim, &racks[rack], SLOW),
            Self::Quick(rack) => set_latency(sim, &racks[rack], QUICK),
            Self::KillCoordinator => sim.crash(main),
            Self::StartCoordinator => sim.bounce(main),
            Self::CutRegion(number) => sim.partition(region(number), main),
            Self::MendRegion(number) => sim.repair(region(number), main),
            Self::KillRegion(number) => sim.crash(region(number)),
            Self::StartRegion(number) => sim.bounce(region(number)),
            Self::BootRegion(number) => {
                boots.set(boots.get() + 1);
                sim.bounce(region(number));
            }
            Self::BackUpCoordinator => disks.back_up(layout.of_operators()),
            Self::SetCoordinatorBack => {
                disks.set_back(layout.of_operators());
                sim.bounce(main);
            }
            Self::BackUpRegion(number) => disks.back_up(Part::Region(number)),
            Self::SetRegionBack(number) => {
                disks.set_back(Part::Region(number));
                sim.bounce(region(number));
            }
        }
    }
}

fn set_latency(sim: &turmoil::Sim<'_>, rack: &Rack, most: Duration) {
    sim.set_link_max_message_latency(rack.name(), rack.dials(), most);
}
