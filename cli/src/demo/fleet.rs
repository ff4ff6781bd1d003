//! The fleet of the demo as it runs: one coordinator, 24 agents, each with a root tree.

use crate::{
    command::Session,
    demo::{
        agent,
        coordinator::{self, Coordinator},
        folder::Folder,
        host::Host,
        processes::Processes,
        repository::{Release, Source},
        rollout::Rollout,
        root::Root,
        signer::Signer,
        site::Site,
    },
    render::Output,
};
use anyhow::{Context as _, Result, bail};
use cofferdam_proto::operator::{HostView, RolloutView};
use std::{path::PathBuf, pin::pin, time::Duration};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

/// How many roots are made at once: dpkg keeps one core busy each (guess: a small machine's cores).
const ROOTS_AT_ONCE: usize = 4;

/// How long all hosts may take to be well (guess; connecting takes them a second).
const WELL_WITHIN: Duration = Duration::from_secs(30);

/// How often that is looked for.
const LOOK: Duration = Duration::from_millis(50);

/// The running fleet. Dropping it ends every process of it.
pub struct Fleet {
    /// An operator's connection to its coordinator.
    pub session: Session,
    signer: Option<Signer>,
    hosts: Vec<Rooted>,
    processes: Processes,
}

/// A host and its root tree.
struct Rooted {
    host: Host,
    root: Root,
}

/// What a host itself says of what happened to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Testimony {
    /// The host.
    pub host: Host,
    /// The version that dpkg has installed.
    pub installed: String,
    /// The releases that dpkg ever unpacked there.
    pub had: Vec<Release>,
}

impl Fleet {
    /// Makes the roots, starts all processes, and waits until every host is well.
    ///
    /// # Errors
    /// When a file cannot be written, a program fails, or they are not there in time.
    pub async fn start(
        folder: &Folder,
        fleet: Vec<Host>,
        source: &Source,
        out: Output,
    ) -> Result<Self> {
        let signer = Signer::create(folder).await?;
        if signer.is_none() {
            out.say("ssh-keygen is not installed: nothing is signed here")?;
        }
        let site = Site::create(folder, signer.as_ref())?;
        let hosts = make_roots(folder, fleet, source).await?;
        let Coordinator {
            address,
            client,
            mut processes,
        } = coordinator::start(&site).await?;
        for rooted in &hosts {
            agent::start(&site, &rooted.host, address, &mut processes)?;
        }
        let mut fleet = Self {
            session: Session { client, out },
            signer,
            hosts,
            processes,
        };
        fleet.wait_until_well().await?;
        Ok(fleet)
    }

    /// Runs a rollout, for as long as every process of the fleet runs.
    ///
    /// # Errors
    /// When a command of it fails, or a process ended.
    pub async fn roll_out(&mut self, rollout: &Rollout) -> Result<RolloutView> {
        let mut work = pin!(rollout.run(self.signer.as_ref(), &self.session));
        loop {
            tokio::select! {
                biased;
                ended = &mut work => return ended,
                () = sleep(LOOK) => self.processes.check()?,
            }
        }
    }

    /// Waits until every host is connected, in service and at rest.
    ///
    /// # Errors
    /// When a process ended, or one of them is not well in time.
    pub async fn wait_until_well(&mut self) -> Result<()> {
        let deadline = Instant::now() + WELL_WITHIN;
        loop {
            self.processes.check()?;
            let views = self.session.client.hosts().await?;
            let ill: Vec<&str> = self.names().filter(|name| !is_well(name, &views)).collect();
            if ill.is_empty() {
                return Ok(());
            }
            if Instant::now() > deadline {
                let secs = WELL_WITHIN.as_secs();
                bail!(
                    "not in service and at rest after {secs} s: {}",
                    ill.join(", ")
                );
            }
            sleep(LOOK).await;
        }
    }

    /// Asks every host's own dpkg.
    ///
    /// # Errors
    /// When dpkg or its log cannot answer.
    pub async fn testify(&self) -> Result<Vec<Testimony>> {
        let mut all = Vec::new();
        for Rooted { host, root } in &self.hosts {
            let installed = root.installed().await;
            let installed =
                installed.with_context(|| format!("cannot ask dpkg on {}", host.name))?;
            let mut had = Vec::new();
            for release in Release::ALL {
                if root.ever_had(release)? {
                    had.push(release);
                }
            }
            let host = host.clone();
            all.push(Testimony {
                host,
                installed,
                had,
            });
        }
        Ok(all)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.hosts.iter().map(|rooted| rooted.host.name.as_str())
    }
}

/// Whether a host is connected, in service, and nobody works on it.
fn is_well(name: &str, views: &[HostView]) -> bool {
    let view = views.iter().find(|view| view.host.as_str() == name);
    view.is_some_and(|view| {
        let connected = view.connected_since_ms.is_some();
        connected && view.in_service && view.run.is_none() && view.out.is_none()
    })
}

/// Makes the hosts' root trees, a few at once.
async fn make_roots(folder: &Folder, fleet: Vec<Host>, source: &Source) -> Result<Vec<Rooted>> {
    let mut made = Vec::new();
    let mut waiting = fleet.into_iter();
    let mut making = JoinSet::new();
    loop {
        while making.len() < ROOTS_AT_ONCE
            && let Some(host) = waiting.next()
        {
            let path = folder.host(&host.name).join("root");
            making.spawn(make_root(path, host, source.clone()));
        }
        let Some(ended) = making.join_next().await else {
            break;
        };
        made.push(ended.context("a task that makes a root died")??);
    }
    made.sort_by(|a, b| a.host.name.cmp(&b.host.name));
    Ok(made)
}

async fn make_root(path: PathBuf, host: Host, source: Source) -> Result<Rooted> {
    let root = Root::create(path, &source).await?;
    Ok(Rooted { host, root })
}
