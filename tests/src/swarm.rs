//! Many hosts in one process, for benchmarks: each has a session of its own, stages what it is asked to and takes its
//! order, and none begins.

use crate::{
    greeting::{self, JOURNAL},
    machine::Machine,
    pki::Credentials,
    site::Site,
};
use cofferdam_engine::{
    id::ReportSequence,
    identity::Identity,
    inventory::PackageSet,
    report::{Report, ReportBody},
};
use cofferdam_proto::{
    session::{FromAgent, Hello, ToAgent},
    tls::{Client, CredentialFiles, Credentials as Loaded, Expect, uri},
    v1::{self, agent_client::AgentClient},
};
use std::time::{Duration, Instant};
use tokio::{sync::mpsc, task::JoinSet, time::sleep};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Streaming, transport::Endpoint};

/// As often as the coordinator of a [`Site`] wants.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// Hosts with sessions. They are gone when it is dropped.
pub struct Swarm {
    size: usize,
    heard: mpsc::Receiver<Heard>,
    _sessions: JoinSet<()>,
}

/// What a host has just been told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heard {
    Order,
    Stop(Instant),
}

impl Swarm {
    /// Opens a session for each machine, and waits until all are welcome.
    ///
    /// # Panics
    /// When one is refused.
    pub async fn open(site: &Site, machines: &[Machine]) -> Self {
        let (tell, heard) = mpsc::channel(2 * machines.len());
        let mut sessions = JoinSet::new();
        for machine in machines {
            let own = site.authority.issue(&Identity::Agent(machine.host.clone()));
            let (sender, receiver) = mpsc::channel(4);
            let first = FromAgent::Hello(hello(machine));
            sender.try_send(first.into()).expect("an empty queue");
            let mut client = dial(site, &own).await;
            let session = client.session(ReceiverStream::new(receiver)).await;
            let mut session = session.expect("a session").into_inner();
            let welcome = next(&mut session).await.expect("a welcome");
            if let ToAgent::Welcome {
                want_packages: true,
                ..
            } = welcome
            {
                let packages = FromAgent::Packages(PackageSet::default());
                sender.send(packages.into()).await.expect("a session");
            }
            sessions.spawn(beat(sender.clone()));
            sessions.spawn(attend(session, sender, tell.clone()));
        }
        Self {
            size: machines.len(),
            heard,
            _sessions: sessions,
        }
    }

    /// Waits until every host has an order.
    pub async fn ordered(&mut self) {
        let mut left = self.size;
        while left > 0 {
            let heard = self.heard.recv().await.expect("sessions last");
            left -= usize::from(heard == Heard::Order);
        }
    }

    /// Waits until every host was told to stop. When the last one was.
    pub async fn stopped(&mut self) -> Instant {
        let mut stops = Vec::new();
        while stops.len() < self.size {
            if let Some(Heard::Stop(at)) = self.heard.recv().await {
                stops.push(at);
            }
        }
        stops.into_iter().max().expect("there are hosts")
    }
}

async fn dial(site: &Site, own: &Credentials) -> AgentClient<tonic::transport::Channel> {
    let credentials = Loaded::load(&CredentialFiles {
        certificate: own.cert.clone(),
        key: own.key.clone(),
        authority: own.ca.clone(),
    });
    let credentials = credentials.expect("they were just written");
    let client = Client::new(credentials, Expect::Coordinator).expect("good credentials");
    let endpoint = Endpoint::from(uri(&site.listen.to_string()).expect("a good address"));
    let channel = endpoint.connect_with_connector(client.connector()).await;
    AgentClient::new(channel.expect("a coordinator that runs"))
}

fn hello(machine: &Machine) -> Hello {
    let labels = [
        // Each is of a region of its own: in a first wave no host waits for another of its region.
        ("region", machine.host.as_str()),
        ("zone", machine.zone),
        ("service", machine.service),
        ("instance_type", machine.instance_type),
    ];
    greeting::hello(machine.host.clone(), labels)
}

async fn next(session: &mut Streaming<v1::ToAgent>) -> Option<ToAgent> {
    let message = session.message().await.ok()??;
    Some(ToAgent::try_from(message).expect("a checked message"))
}

async fn beat(sender: mpsc::Sender<v1::FromAgent>) {
    while sender.send(FromAgent::Heartbeat.into()).await.is_ok() {
        sleep(HEARTBEAT).await;
    }
}

async fn attend(
    mut session: Streaming<v1::ToAgent>,
    sender: mpsc::Sender<v1::FromAgent>,
    tell: mpsc::Sender<Heard>,
) {
    while let Some(message) = next(&mut session).await {
        if let ToAgent::Stage(asked, _) = message {
            let staged = FromAgent::Report(Report {
                incarnation: JOURNAL,
                sequence: ReportSequence(1),
                body: ReportBody::Staged {
                    rollout: asked.rollout,
                    lock_digest: asked.lock_digest,
                    failure: None,
                },
            });
            sender.send(staged.into()).await.ok();
        } else if let ToAgent::Order(..) = message {
            tell.send(Heard::Order).await.ok();
        } else if let ToAgent::Withdraw { .. } = message {
            tell.send(Heard::Stop(Instant::now())).await.ok();
        }
    }
}
