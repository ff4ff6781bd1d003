//! An agent on a real host: files, certificates, signals.

use crate::{
    Agent, DriverError,
    clock::{Clock as _, SystemClock},
    config::{Settings, WarrantPolicy},
    drift::keeper::Drift,
    effect,
    evidence::watch::Watch,
    grpc::GrpcConnector,
    guard::{keeper::Keeper, places::Places},
    host::{command::Runner, durable::FileError, process::Processes, root::Root, space::Kernel},
    identity::{self, IdentityError},
    journal::{FileJournal, JournalError},
    profile::Profile,
    pulse::Pulse,
    step::{Outside, Steps},
    telling,
    trust::{self, Trust},
    warrants::Warrants,
};
use cofferdam_proto::{
    dial::Ways,
    tls::{Client, CredentialFiles, Credentials, CredentialsError, Expect},
};
use std::{convert::Infallible, io, rc::Rc, time::Duration};
use tokio::{
    runtime::{self, Runtime},
    signal::unix::{Signal, SignalKind, signal},
};
use tonic::transport::{self, Channel, Endpoint};

/// The most threads beside the one that works. With it they make the four that an agent may have; what comes
/// while all are busy waits its turn.
const MOST_BESIDE: usize = 3;

/// How long an agent that stops waits for those threads (guess: they read, and nothing is lost with them).
const ENDS_WITHIN: Duration = Duration::from_secs(2);

/// Why an agent did not start, or stopped by itself.
#[derive(Debug, thiserror::Error)]
pub enum ProductionError {
    /// Certificate, key or authority are of no use.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// The certificate is not this host's.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// A file of its own cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// The journal cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The event loop or its signals cannot be had.
    #[error("the agent could not start")]
    Start(#[source] io::Error),
    /// The loop could not go on.
    #[error(transparent)]
    Driver(#[from] DriverError),
}

/// A channel to a coordinator was not opened.
#[derive(Debug, thiserror::Error)]
enum OpenError {
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    #[error(transparent)]
    Transport(#[from] transport::Error),
}

/// Runs the agent of this host on a root tree until SIGTERM or SIGINT.
///
/// # Errors
/// [`ProductionError`] when it cannot start, or its journal cannot be written.
pub fn run(settings: Settings, root: Root) -> Result<(), ProductionError> {
    trust::check(&settings);
    let runtime = runtime().map_err(ProductionError::Start)?;
    let ended = runtime.block_on(async {
        let mut stop = stop_signals().map_err(ProductionError::Start)?;
        let [terminate, interrupt] = &mut stop;
        let shutdown = async {
            tokio::select! {
                biased;
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            tracing::info!("told to stop; an open run stays in the journal");
        };
        serve(settings, root, shutdown).await
    });
    // A thread beside that hangs in the kernel keeps no agent from stopping.
    runtime.shutdown_timeout(ENDS_WITHIN);
    ended
}

/// One thread that does the work, and those that wait for disks and names beside it.
fn runtime() -> io::Result<Runtime> {
    runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(MOST_BESIDE)
        .build()
}

async fn serve(
    mut settings: Settings,
    root: Root,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ProductionError> {
    let credentials = Credentials::load(&settings.credentials)?;
    let host = identity::host(&settings, &credentials)?;
    identity::mark(&mut settings, &credentials);
    let boot_id = identity::boot_id()?;
    let opened = FileJournal::open(&settings.state_dir, identity::draw_incarnation()?)?;
    let not_before = opened.history.latest();
    let clock = SystemClock::start(&settings.state_dir.join("clock"), &boot_id, not_before)?;
    let warrants = warrants(&settings);
    let (files, judge) = (settings.credentials.clone(), clock.clone());
    let by = settings.ways.clone();
    let connector = GrpcConnector::new(move |endpoint| {
        open(files.clone(), judge.clone(), by.clone(), endpoint)
    });
    let places = Places::new(&settings.state_dir, &settings.run_dir);
    let (found, telling) = telling::channel();
    let keeper = Keeper::new(root.clone(), places.clone());
    let guard = keeper.keep(settings.guard.clone(), &Processes, found.clone());
    let drift = Drift::new(root.clone(), &settings.state_dir, &settings.drift);
    let runner: Rc<dyn Runner> = Rc::new(Processes);
    let drift = drift.heeding(&places).telling(found.clone());
    let drift = Rc::new(drift.asking(Rc::clone(&runner)));
    drift.start().await;
    let evidence = settings.drift.boot_evidence.and_then(|window| {
        let (state_dir, runner) = (&settings.state_dir, Rc::clone(&runner));
        Watch::begin(window, &boot_id, state_dir, runner)
    });
    let outside = Outside {
        gates: vec![Rc::<Drift>::clone(&drift)],
        drift: Rc::clone(&drift),
        runner,
        space: Rc::new(Kernel),
        artefacts: Rc::new(connector.current()),
        found: found.clone(),
    };
    let effect = effect::watch::watch(root.clone(), found);
    let steps = Steps::open(settings.host_settings(host.clone(), root), outside)?;
    let profile = Profile {
        host,
        labels: settings.labels,
        boot_id,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        coordinators: settings.coordinators,
        ways: settings.ways,
    };
    tracing::info!(host = %profile.host, incarnation = %opened.history.incarnation(), "started");
    let pulse = Pulse::of_this_process().map_err(ProductionError::Start)?;
    let agent = Agent::new(profile, steps, opened, clock, connector);
    let agent = agent.telling(telling).with_pulse(pulse);
    let trust = Trust::in_signers(settings.allowed_signers);
    let agent = agent.trusting(trust.demanding(warrants));
    tokio::select! {
        biased;
        ended = agent.run(shutdown) => Ok(ended?),
        never = guard => match never {},
        never = drift.watch() => match never {},
        never = effect => match never {},
        never = watch_boot(evidence) => match never {},
    }
}

/// Whether the control plane's word is needed, by the authorities that the host's files name.
fn warrants(settings: &Settings) -> Warrants {
    let files = settings.credentials.clone();
    match settings.warrants {
        WarrantPolicy::Off => Warrants::Off,
        WarrantPolicy::Required => Warrants::required(move || Credentials::load(&files)),
    }
}

/// Watches the first minutes of a boot, if that is asked for.
async fn watch_boot(evidence: Option<Watch>) -> Infallible {
    if let Some(evidence) = evidence {
        evidence.watch().await;
    }
    std::future::pending().await
}

/// Opens a channel with what the credentials are now: a certificate that was renewed is taken with
/// the next session, without a restart. Certificates are judged by the agent's own clock.
async fn open(
    files: CredentialFiles,
    clock: SystemClock,
    ways: Ways,
    endpoint: Endpoint,
) -> Result<Channel, OpenError> {
    let credentials = Credentials::load(&files)?.judged_by(move || clock.now());
    let client = Client::new(credentials, Expect::Coordinator)?;
    Ok(endpoint
        .connect_with_connector(client.connector_by(ways))
        .await?)
}

fn stop_signals() -> io::Result<[Signal; 2]> {
    Ok([
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        sync::atomic::{AtomicUsize, Ordering::SeqCst},
        thread,
    };

    #[test]
    fn an_agent_has_four_threads_at_most() {
        static NOW: AtomicUsize = AtomicUsize::new(0);
        static MOST: AtomicUsize = AtomicUsize::new(0);
        let wait = || {
            MOST.fetch_max(NOW.fetch_add(1, SeqCst) + 1, SeqCst);
            thread::sleep(Duration::from_millis(20));
            NOW.fetch_sub(1, SeqCst);
        };
        runtime().unwrap().block_on(async {
            let waiting: Vec<_> = (0..8).map(|_| tokio::task::spawn_blocking(wait)).collect();
            for one in waiting {
                one.await.unwrap();
            }
        });
        assert_eq!(1 + MOST.load(SeqCst), 4);
    }
}
