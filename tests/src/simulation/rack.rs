//! A rack: one simulated host with many agents on it. What is on their disks outlives them.

use super::{
    Layout, PORT, TICK,
    authority::Authority,
    clock::SimulatedClock,
    layout::Part,
    network,
    unruly::{Draws, UnderWay, Unruly},
};
use cofferdam_agent::{
    Agent, actions::ScriptedActions, grpc::GrpcConnector, journal::MemoryJournal, profile::Profile,
    trust::Trust, warrants::Warrants,
};
use cofferdam_engine::{
    id::{HostId, Incarnation},
    identity::Identity,
};
use cofferdam_proto::{
    dial::{Place, Ways},
    session::{FromAgent, ToAgent},
    tls::Credentials,
};
use std::{cell::Cell, future::pending, rc::Rc, time::Duration};
use tokio::task::{JoinHandle, spawn_local};

/// How long each step of a run takes when it is not scripted.
const STEP: Duration = Duration::from_millis(200);

/// Many agents on one simulated host. A rack is a zone.
#[derive(Debug, Clone)]
pub struct Rack {
    name: String,
    dials: Part,
    seats: Rc<Vec<Seat>>,
    power: Rc<Cell<Power>>,
}

/// One agent's host: its name, and what outlives the agent.
#[derive(Debug, Clone)]
pub struct Seat {
    /// The host.
    pub host: HostId,
    /// What its runs do, by script.
    pub actions: ScriptedActions,
    journal: MemoryJournal,
    under_way: UnderWay<FromAgent, ToAgent>,
    zone: String,
    region: &'static str,
    dials: Part,
}

impl Rack {
    pub(super) fn new(number: usize, seats: usize, layout: Layout) -> Self {
        let (dials, region) = layout.of_rack(number);
        let zone = format!("z{number}");
        let seat = |seat: usize| Seat {
            host: HostId::new(format!("{zone}-{seat:02}")).expect("a good name"),
            actions: ScriptedActions::new(STEP),
            journal: MemoryJournal::new(Incarnation((number * 1000 + seat) as u64 + 1)),
            under_way: UnderWay::default(),
            zone: zone.clone(),
            region,
            dials,
        };
        let seats = Rc::new((0..seats).map(seat).collect());
        Self {
            name: format!("rack-{number}"),
            dials,
            seats,
            power: Rc::new(Cell::new(Power::On)),
        }
    }

    /// The rack's name on the network.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The host that its agents dial.
    pub(super) fn dials(&self) -> &'static str {
        self.dials.host()
    }

    /// Its agents' hosts.
    pub fn seats(&self) -> &[Seat] {
        &self.seats
    }

    /// Puts the rack on the network. Each time it starts, so do all its agents.
    /// Where there is a seed, what agents and coordinators say comes as unruly as it says.
    pub(super) fn host(
        &self,
        sim: &mut turmoil::Sim<'_>,
        authority: &Authority,
        unruly: Option<u64>,
    ) {
        let agents: Vec<(Seat, Credentials)> = self
            .seats
            .iter()
            .map(|seat| {
                let identity = Identity::Agent(seat.host.clone());
                (seat.clone(), authority.issue(&identity, None))
            })
            .collect();
        let power = self.power.clone();
        sim.host(self.name.clone(), move || {
            let (agents, power) = (agents.clone(), power.clone());
            async move {
                loop {
                    until(&power, Power::On).await;
                    let running = agents.iter().cloned();
                    let running: Vec<_> = running
                        .map(|(seat, credentials)| spawn_local(seat.run(credentials, unruly)))
                        .collect();
                    until(&power, Power::Off).await;
                    running.iter().for_each(JoinHandle::abort);
                }
            }
        });
    }

    /// Kills all agents of the rack, or starts them again. The simulator's own crash of a host ends
    /// its tasks in an order that no seed repeats.
    pub(super) fn switch(&self, power: Power) {
        self.power.set(power);
    }
}

/// Whether a rack's agents run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Power {
    On,
    Off,
}

async fn until(power: &Cell<Power>, wanted: Power) {
    while power.get() != wanted {
        tokio::time::sleep(TICK).await;
    }
}

impl Seat {
    async fn run(self, credentials: Credentials, unruly: Option<u64>) {
        let labels = [
            ("service", "web"),
            ("region", self.region),
            ("zone", &self.zone),
        ];
        let profile = Profile {
            host: self.host.clone(),
            labels: labels
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            boot_id: self.actions.boot_id(),
            version: "simulated".to_owned(),
            coordinators: vec![Place::Address(format!("{}:{PORT}", self.dials.host()))],
            ways: Ways::default(),
        };
        let own = credentials.clone();
        let warrants = match self.dials.hands_on_signed_warrants() {
            true => Warrants::required(move || Ok(own.clone())),
            false => Warrants::Off,
        };
        let connector =
            GrpcConnector::new(move |endpoint| network::dial(credentials.clone(), endpoint));
        let opened = self.journal.open();
        let trust = Trust::default().demanding(warrants);
        let (actions, clock) = (self.actions.clone(), SimulatedClock);
        let ended = match unruly {
            None => {
                let agent = Agent::new(profile, actions, opened, clock, connector);
                agent.trusting(trust).run(pending()).await
            }
            Some(seed) => {
                let connector = Unruly {
                    inner: connector,
                    under_way: self.under_way,
                    draws: Draws::new(format!("{seed} {}", self.host)),
                };
                let agent = Agent::new(profile, actions, opened, clock, connector);
                agent.trusting(trust).run(pending()).await
            }
        };
        ended.expect("a journal in memory can be written");
    }
}
