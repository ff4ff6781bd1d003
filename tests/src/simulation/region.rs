//! The simulated coordinator.

use super::{
    PORT,
    authority::Authority,
    clock::MachineClock,
    layout::Part,
    network,
    unruly::{Draws, UnderWay, UnrulyDial},
};
use crate::pki::TRUST_DOMAIN;
use cofferdam_coordinator::{
    Setup,
    artefact::{ArtefactStore, Limits, Location},
    config::{Regions, Role, Settings, Signing},
    link::{Dial, Dialled},
    start,
    store::memory::{MemoryDisk, MemoryStore},
};
use cofferdam_engine::id::Incarnation;
use cofferdam_proto::{
    dial::{Place, Ways},
    tls::{self, Credentials},
};
use std::{cell::Cell, rc::Rc, sync::Arc, time::Duration};
use tonic::transport::Endpoint;

/// A heartbeat that notices a cut link within a few simulated seconds.
const HEARTBEAT: Duration = Duration::from_secs(2);

/// Puts the coordinator on the network. Each time it starts, it replays what is on its disk, in the machine's boot of
/// then. Where there is a seed, what a region and its control plane say comes as unruly as it says.
pub(super) fn host(
    sim: &mut turmoil::Sim<'_>,
    part: Part,
    disk: &MemoryDisk,
    boots: &Rc<Cell<u32>>,
    authority: &Authority,
    unruly: Option<u64>,
) {
    let own = authority.issue(&part.identity(), Some(part.host()));
    let credentials = tls::Server::new(&own).expect("good authorities");
    let (disk, boots) = (disk.clone(), Rc::clone(boots));
    let control = control(part, &own, unruly);
    sim.host(part.host(), move || {
        let (disk, credentials) = (disk.clone(), credentials.clone());
        let (own, control) = (own.clone(), control.clone());
        let clock = MachineClock { boot: boots.get() };
        async move {
            let artefacts = ArtefactStore::open(&Location::Memory, Limits::default());
            let artefacts = artefacts.await?;
            let setup = Setup {
                settings: settings(part),
                store: MemoryStore::on(&disk),
                store_name: "memory".to_owned(),
                clock: Arc::new(clock),
                credentials,
                own,
                sockets: network::sockets().await?,
                http: None,
                artefacts,
                drawn: Incarnation(1),
                control,
            };
            let mut running = start(setup).await?;
            Err(running.failed().await.into())
        }
    });
}

/// How a region dials its control plane, each time that it starts.
fn control(part: Part, own: &Credentials, unruly: Option<u64>) -> Option<Arc<dyn Dial>> {
    let inner = DialControl(own.clone());
    match (part, unruly) {
        (Part::Whole | Part::Control, _) => None,
        (Part::Region(_), None) => Some(Arc::new(inner)),
        (Part::Region(_), Some(seed)) => Some(Arc::new(UnrulyDial {
            inner,
            under_way: UnderWay::default(),
            draws: Draws::new(format!("{seed} {}", part.host())),
        })),
    }
}

#[derive(Debug)]
struct DialControl(Credentials);

impl Dial for DialControl {
    fn dial(&self) -> Dialled {
        let own = self.0.clone();
        Box::pin(async move {
            let uri = tls::uri(&format!("{}:{PORT}", Part::Control.host()))?;
            Ok(network::dial(own, Endpoint::from(uri)).await?)
        })
    }
}

fn settings(part: Part) -> Settings {
    Settings {
        listen: ([0, 0, 0, 0], PORT).into(),
        http: ([127, 0, 0, 1], 0).into(),
        regions: Regions::All,
        role: match part {
            Part::Whole => Role::Both,
            Part::Control => Role::Control,
            // What dials is given to it: see `control`.
            Part::Region(_) => Role::Region {
                control: vec![Place::Address(format!("{}:{PORT}", Part::Control.host()))],
                ways: Ways::default(),
            },
        },
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
