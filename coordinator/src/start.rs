//! Puts a coordinator together, and takes it apart again.

use crate::{
    api::{AgentApi, Desk, OperatorApi, Signing, Standing},
    artefact::{self, ArtefactStore},
    clock::{self, Clock},
    config::Settings,
    driver::{Driver, DriverError, DriverHandle, Part},
    link::{self, Current, Dial, LinkApi, Ring, Uplink},
    metrics::Metrics,
    server::{self, Apis},
    store::Store,
    tasks::{Joiner, StopSign, Tasks, tasks},
    web::{self, Web},
};
use cofferdam_engine::{id::Incarnation, identity::Identity};
use cofferdam_proto::tls::{self, Credentials};
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    sync::{Mutex, mpsc},
    task::JoinHandle,
    time::timeout,
};
use tokio_stream::Stream;

/// How long open calls may take to end when the process stops: systemd kills after 90 s by
/// default, and nothing is lost when a call is cut off (guess).
const GRACE: Duration = Duration::from_secs(10);

/// What a coordinator is made of.
#[derive(Debug)]
pub struct Setup<S, A> {
    /// What it is told.
    pub settings: Settings,
    /// Where it keeps what happened.
    pub store: S,
    /// What the store is, for operators, as in `sled in /var/lib/cofferdam-coordinator`.
    pub store_name: String,
    /// What tells it the time.
    pub clock: Arc<dyn Clock>,
    /// What it proves itself with, and whom it trusts.
    pub credentials: tls::Server,
    /// The same, to sign warrants with where they name the control plane.
    pub own: Credentials,
    /// Where connections of agents and operators come from.
    pub sockets: A,
    /// Where metrics and health are asked for. Absent: they are not served.
    pub http: Option<TcpListener>,
    /// Where artefacts are.
    pub artefacts: ArtefactStore,
    /// What names the store if it has this part of the fleet for the first time: drawn at random.
    pub drawn: Incarnation,
    /// How a region dials its control plane. Absent where it has none.
    pub control: Option<Arc<dyn Dial>>,
}

/// Why a coordinator stopped by itself.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Its driver could not go on.
    #[error(transparent)]
    Driver(#[from] DriverError),
    /// Its driver panicked; the log says where.
    #[error("the driver panicked")]
    Panicked,
}

/// A coordinator that serves.
#[derive(Debug)]
pub struct Running {
    driver: JoinHandle<Result<(), DriverError>>,
    sign: StopSign,
    joiner: Joiner,
}

/// Replays the store, takes the fleet over and serves.
///
/// # Errors
/// [`DriverError`] when the store or its history is damaged.
pub async fn start<S, A, IO>(setup: Setup<S, A>) -> Result<Running, DriverError>
where
    S: Store,
    A: Stream<Item = io::Result<(IO, SocketAddr)>> + Unpin + Send + 'static,
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let metrics = Metrics {
        artefacts: setup.artefacts.figures().clone(),
        ..Metrics::default()
    };
    let heartbeat = setup.settings.heartbeat;
    let ring = Ring::default();
    let (answers, answered) = mpsc::channel(link::ANSWERS);
    let part = Part {
        form: setup.settings.role.form(),
        drawn: setup.drawn,
        boot_id: setup.clock.boot_id(),
        ring: ring.clone(),
        answers,
        signer: signer(setup.own),
    };
    let clock = setup.clock.clone();
    let taken = Driver::take_over(setup.store, clock, metrics.clone(), heartbeat, part);
    let (driver, handle) = taken.await?;
    let sign = StopSign::new();
    let (tasks, joiner) = tasks();
    let driver = tokio::spawn(driver.run(sign.watch()));
    let artefacts = artefact::keep(setup.artefacts.clone(), handle.clone(), sign.watch());
    tasks.spawn(artefacts);
    tasks.spawn(clock::watch(setup.clock.clone(), sign.watch()));
    if let Some(dial) = setup.control {
        let uplink = Uplink {
            driver: handle.clone(),
            ring,
            answered: Mutex::new(answered),
            dial,
            heartbeat,
        };
        tasks.spawn(uplink.keep(sign.watch()));
    }
    let clock = setup.clock.clone();
    let serving = Serving {
        driver: handle.clone(),
        artefacts: setup.artefacts,
        settings: setup.settings,
        store_name: setup.store_name,
        clock: setup.clock,
    };
    let incoming = tls::incoming(setup.sockets, setup.credentials);
    let apis = serving.apis(&tasks, &sign);
    tasks.spawn(server::serve(incoming, apis, sign.watch()));
    if let Some(listener) = setup.http {
        let web = Web {
            driver: handle,
            metrics,
            clock,
        };
        tasks.spawn(web::serve(listener, web, sign.watch()));
    }
    Ok(Running {
        driver,
        sign,
        joiner,
    })
}

/// What warrants are signed with. Nothing where agents would not take it.
fn signer(own: Credentials) -> Option<Credentials> {
    (*own.identity() == Identity::Control).then_some(own)
}

/// What the services are made of.
struct Serving {
    driver: DriverHandle,
    artefacts: ArtefactStore,
    settings: Settings,
    store_name: String,
    clock: Arc<dyn Clock>,
}

impl Serving {
    fn apis(self, tasks: &Tasks, sign: &StopSign) -> Apis {
        let (driver, heartbeat) = (self.driver, self.settings.heartbeat);
        Apis {
            agents: AgentApi {
                driver: driver.clone(),
                artefacts: self.artefacts.clone(),
                regions: self.settings.regions,
                heartbeat,
                tasks: tasks.clone(),
                stop: sign.watch(),
            },
            operators: OperatorApi {
                driver: driver.clone(),
                artefacts: self.artefacts,
                tasks: tasks.clone(),
                stop: sign.watch(),
                queries: Desk::new(driver.clone(), tasks.clone(), sign.watch()),
                standing: Standing {
                    trust_domain: self.settings.trust_domain,
                    store: self.store_name,
                    started_at: self.clock.now(),
                },
                signing: Signing {
                    settings: self.settings.signing,
                    clock: self.clock.clone(),
                },
            },
            links: LinkApi {
                driver,
                clock: self.clock,
                heartbeat,
                tasks: tasks.clone(),
                stop: sign.watch(),
                current: Current::default(),
            },
        }
    }
}

impl Running {
    /// Waits until the coordinator stops by itself, which it does only when it cannot go on.
    ///
    /// # Errors
    /// [`RunError`]: why.
    pub async fn failed(&mut self) -> RunError {
        match (&mut self.driver).await {
            Ok(Err(error)) => error.into(),
            // Nobody gave the stop sign, so a driver that ended well did not end well.
            Ok(Ok(())) | Err(_) => RunError::Panicked,
        }
    }

    /// Stops: no new calls, sessions closed, open calls ended within a grace.
    pub async fn stop(mut self) {
        self.sign.give();
        if !self.driver.is_finished() && timeout(GRACE, &mut self.driver).await.is_err() {
            tracing::warn!("the driver did not end within {} s", GRACE.as_secs());
        }
        if let Err(left) = self.joiner.join(GRACE).await {
            tracing::warn!("{left}");
        }
    }
}
