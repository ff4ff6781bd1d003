//! A coordinator on a real machine: files, ports, signals.

use crate::{
    artefact::{ArtefactStore, OpenError as ArtefactsError},
    clock::{AnchoredClock, Clock as _},
    config::{Role, Settings},
    driver::DriverError,
    link::{Dial, DialInTurn},
    start::{RunError, Setup, start},
    store::{SledStore, sled::OpenError},
};
use cofferdam_engine::{id::Incarnation, identity::Identity};
use cofferdam_proto::{
    dial::Turns,
    tls::{
        self, CertificateRefusal, CredentialFiles, Credentials, CredentialsError, Expect, sockets,
    },
};
use std::{
    fs::File,
    io::{self, Read as _},
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::{
    net::TcpListener,
    runtime::Runtime,
    signal::unix::{SignalKind, signal},
};

/// Where random numbers come from.
const RANDOM: &str = "/dev/urandom";

/// The file in `data_dir` that keeps the anchor of the process's clock.
const CLOCK: &str = "clock";

/// Why a coordinator did not start, or stopped by itself. Displays with what to do where that is
/// not plain.
#[derive(Debug, thiserror::Error)]
pub enum ProductionError {
    /// Certificate, key or authorities are of no use.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// The certificate is not valid now.
    #[error("{} is of no use now: issue a new one with `cofferdam pki issue`", path.display())]
    Certificate {
        /// The certificate's file.
        path: PathBuf,
        /// Why.
        #[source]
        source: CertificateRefusal,
    },
    /// The certificate is somebody else's.
    #[error(
        "{} is for {identity} of {found}: that of {expected} is needed",
        path.display()
    )]
    NotOurs {
        /// The certificate's file.
        path: PathBuf,
        /// Whom it is for.
        identity: Identity,
        /// Of which trust domain.
        found: String,
        /// Whose is needed.
        expected: String,
    },
    /// A port cannot be had.
    #[error("cannot listen on {address}: stop what does, or change `{key}` in the config file")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The config key that gives it.
        key: &'static str,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The artefact store cannot be opened.
    #[error(transparent)]
    Artefacts(#[from] ArtefactsError),
    /// The store or its history is damaged.
    #[error(transparent)]
    Start(#[from] DriverError),
    /// It stopped by itself.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The system gave no threads, or no signals.
    #[error("the system refused what every process needs")]
    System(#[source] io::Error),
}

/// Runs a coordinator until SIGTERM or SIGINT.
///
/// # Errors
/// [`ProductionError`]: why it did not start, or stopped by itself.
pub fn run(settings: Settings) -> Result<(), ProductionError> {
    let own = credentials(&settings)?;
    let drawn = draw().map_err(ProductionError::System)?;
    warn_unsigned(&settings, &own);
    let store_dir = settings.data_dir.join("store");
    let store = SledStore::open(&store_dir)?;
    let clock = AnchoredClock::kept_at(&settings.data_dir.join(CLOCK));
    let clock = Arc::new(clock.map_err(ProductionError::System)?);
    let own = judged(own, Arc::clone(&clock), &settings)?;
    let credentials = tls::Server::new(&own)?;
    let control = dial_control(&settings, own.clone())?;
    let runtime = Runtime::new().map_err(ProductionError::System)?;
    runtime.block_on(async {
        let artefacts = ArtefactStore::open(&settings.artefacts, settings.limits.clone()).await?;
        let listener = listen(settings.listen, "listen").await?;
        let http = listen(settings.http, "http").await?;
        tracing::info!(listen = %settings.listen, http = %settings.http, "listens");
        let setup = Setup {
            settings,
            store,
            store_name: format!("sled in {}", store_dir.display()),
            clock,
            credentials,
            own,
            sockets: sockets(listener),
            http: Some(http),
            artefacts,
            drawn,
            control,
        };
        let mut running = start(setup).await?;
        let told = tokio::select! {
            biased;
            error = running.failed() => Err(error.into()),
            told = told_to_stop() => told.map_err(ProductionError::System),
        };
        running.stop().await;
        told
    })
}

/// The same credentials, which judge by the process's own clock, and are valid by it.
fn judged(
    own: Credentials,
    clock: Arc<AnchoredClock>,
    settings: &Settings,
) -> Result<Credentials, ProductionError> {
    let own = own.judged_by(move || clock.now());
    let path = settings.cert.clone();
    let checked = own.check();
    checked.map_err(|source| ProductionError::Certificate { path, source })?;
    Ok(own)
}

/// How the control plane of a region is dialled: over mutual TLS and TCP. Nothing where there is none to
/// dial.
///
/// # Errors
/// [`CredentialsError`] where the authorities cannot be used.
pub fn dial_control(
    settings: &Settings,
    own: Credentials,
) -> Result<Option<Arc<dyn Dial>>, CredentialsError> {
    let Role::Region { control, ways } = &settings.role else {
        return Ok(None);
    };
    let turns = Turns::new(control.clone(), ways.clone(), own.identity().to_string());
    let client = tls::Client::new(own, Expect::Only(Identity::Control))?;
    Ok(Some(Arc::new(DialInTurn::new(client, turns, ways.clone()))))
}

/// Says where warrants are not signed that would be under another certificate.
fn warn_unsigned(settings: &Settings, own: &Credentials) {
    let identity = own.identity();
    if matches!(settings.role, Role::Both) && *identity != Identity::Control {
        tracing::warn!(
            "warrants are not signed, since the certificate is for {identity}: hosts with `warrants = \"required\"` \
             take orders of one for control alone"
        );
    }
}

/// A number that no other store has.
fn draw() -> io::Result<Incarnation> {
    let mut bytes = [0; 8];
    File::open(RANDOM)?.read_exact(&mut bytes)?;
    Ok(Incarnation(u64::from_ne_bytes(bytes)))
}

fn credentials(settings: &Settings) -> Result<Credentials, ProductionError> {
    let credentials = Credentials::load(&CredentialFiles {
        certificate: settings.cert.clone(),
        key: settings.key.clone(),
        authority: settings.ca.clone(),
    })?;
    let path: &Path = &settings.cert;
    let identity = credentials.identity();
    let is_coordinator = match settings.role {
        Role::Both => matches!(identity, Identity::Coordinator(_) | Identity::Control),
        Role::Control => *identity == Identity::Control,
        Role::Region { .. } => matches!(identity, Identity::Coordinator(_)),
    };
    if !is_coordinator || credentials.trust_domain() != settings.trust_domain {
        return Err(ProductionError::NotOurs {
            path: path.to_owned(),
            identity: identity.clone(),
            found: credentials.trust_domain().to_owned(),
            expected: match settings.role {
                Role::Both => format!("a coordinator of {}", settings.trust_domain),
                Role::Control => format!("the control plane of {}", settings.trust_domain),
                Role::Region { .. } => {
                    format!("a region's coordinator of {}", settings.trust_domain)
                }
            },
        });
    }
    Ok(credentials)
}

async fn listen(address: SocketAddr, key: &'static str) -> Result<TcpListener, ProductionError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| ProductionError::Listen {
            address,
            key,
            source,
        })
}

async fn told_to_stop() -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        biased;
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("told to stop");
    Ok(())
}
