//! The simulated coordinator.

use super::{COORDINATOR, PORT, authority::Authority, clock::SimulatedClock, network};
use crate::pki::TRUST_DOMAIN;
use cofferdam_coordinator::{
    Setup,
    artefact::{ArtefactStore, Limits, Location},
    config::{Regions, Settings, Signing},
    start,
    store::memory::{MemoryDisk, MemoryStore},
};
use cofferdam_engine::{id::Region, identity::Identity};
use cofferdam_proto::tls;
use std::{sync::Arc, time::Duration};

/// A heartbeat that notices a cut link within a few simulated seconds.
const HEARTBEAT: Duration = Duration::from_secs(2);

/// Puts the coordinator on the network. Each time it starts, it replays what is on its disk.
pub(super) fn host(sim: &mut turmoil::Sim<'_>, disk: &MemoryDisk, authority: &Authority) {
    let identity = Identity::Coordinator(Region::new("r1").expect("a good name"));
    let credentials = authority.issue(&identity, Some(COORDINATOR));
    let credentials = tls::Server::new(&credentials).expect("good authorities");
    let disk = disk.clone();
    sim.host(COORDINATOR, move || {
        let (disk, credentials) = (disk.clone(), credentials.clone());
        async move {
            let artefacts = ArtefactStore::open(&Location::Memory, Limits::default());
            let artefacts = artefacts.await?;
            let setup = Setup {
                settings: settings(),
                store: MemoryStore::on(&disk),
                store_name: "memory".to_owned(),
                clock: Arc::new(SimulatedClock),
                credentials,
                sockets: network::sockets().await?,
                http: None,
                artefacts,
            };
            let mut running = start(setup).await?;
            Err(running.failed().await.into())
        }
    });
}

fn settings() -> Settings {
    Settings {
        listen: ([0, 0, 0, 0], PORT).into(),
        http: ([127, 0, 0, 1], 0).into(),
        regions: Regions::All,
        cert: "unused".into(),
        key: "unused".into(),
        ca: "unused".into(),
        trust_domain: TRUST_DOMAIN.to_owned(),
        data_dir: "unused".into(),
        heartbeat: HEARTBEAT,
        artefacts: Location::Memory,
        limits: Limits::default(),
        signing: Signing::default(),
    }
}
