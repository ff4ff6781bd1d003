//! A coordinator in this process, with callers whose certificates the test chooses.

use cofferdam_coordinator::{
    Running, Setup,
    artefact::{ArtefactStore, Limits, Location},
    clock::AnchoredClock,
    config::{Regions, Role, Settings, Signing},
    production::dial_control,
    start,
    store::{MemoryStore, memory::MemoryDisk},
};
use cofferdam_engine::{
    id::{HostId, Incarnation},
    identity::Identity,
};
use cofferdam_proto::{
    dial::{Place, Ways},
    session::{FromAgent, Hello, ToAgent},
    tls::{Client, CredentialFiles, Credentials, Expect, Server, sockets, uri},
    v1::{self, agent_client::AgentClient, operator_client::OperatorClient},
};
use cofferdam_tests::{
    greeting,
    patience::eventually,
    pki::{Authority, TRUST_DOMAIN},
};
use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle, time::timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{
    Status, Streaming,
    transport::{Channel, Endpoint},
};

/// Short, so that a silent session is noticed within a test's patience.
pub(crate) const HEARTBEAT: Duration = Duration::from_millis(100);

/// The folder of the region's artefacts.
const ARTEFACTS: &str = "artefacts";

/// How long a test waits for anything.
const PATIENCE: Duration = Duration::from_secs(20);

/// A coordinator of region r1, in one process or two, and the authority of everybody's certificates.
pub(crate) struct Bench {
    /// Where agents dial.
    pub(crate) address: SocketAddr,
    /// Where operators dial.
    pub(crate) operators: SocketAddr,
    authority: Authority,
    running: Vec<Running>,
    folder: tempfile::TempDir,
}

impl Bench {
    /// Control plane and region in one process.
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new(&folder.path().join("pki"));
        let region = Identity::Coordinator(name("r1"));
        let (address, running) = process(&folder, &authority, &region, Role::Both).await;
        Self {
            address,
            operators: address,
            authority,
            running: vec![running],
            folder,
        }
    }

    /// Control plane and region in a process each.
    pub(crate) async fn apart() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new(&folder.path().join("pki"));
        let control = process(&folder, &authority, &Identity::Control, Role::Control).await;
        let (operators, control) = control;
        let region = Identity::Coordinator(name("r1"));
        let role = Role::Region {
            control: vec![Place::Address(operators.to_string())],
            ways: Ways::default(),
        };
        let (address, region) = process(&folder, &authority, &region, role).await;
        Self {
            address,
            operators,
            authority,
            running: vec![region, control],
            folder,
        }
    }

    /// One of each kind: what operators see and can do is the same.
    pub(crate) async fn both() -> [Self; 2] {
        [Self::start().await, Self::apart().await]
    }

    /// Where its artefacts are.
    pub(crate) fn artefacts(&self) -> PathBuf {
        self.folder.path().join(ARTEFACTS)
    }

    pub(crate) async fn stop(self) {
        for running in self.running {
            running.stop().await;
        }
    }

    /// Ends the region's process, where it has one.
    pub(crate) async fn stop_region(&mut self) {
        self.running.remove(0).stop().await;
    }

    pub(crate) async fn operator(&self) -> OperatorClient<Channel> {
        let ana = Identity::Operator(name("ana"));
        OperatorClient::new(self.dial(&ana, self.operators).await)
    }

    pub(crate) async fn agent(&self, host: &str) -> AgentClient<Channel> {
        AgentClient::new(self.channel(&Identity::Agent(name(host))).await)
    }

    pub(crate) async fn channel(&self, identity: &Identity) -> Channel {
        self.dial(identity, self.address).await
    }

    pub(crate) async fn dial(&self, identity: &Identity, address: SocketAddr) -> Channel {
        dial(&self.authority.issue(identity), address).await
    }

    /// The same, of a host that was enrolled as one that Cofferdam runs on.
    pub(crate) async fn patcher(&self, host: &str) -> AgentClient<Channel> {
        let files = self.authority.issue_to_patcher(name(host));
        AgentClient::new(dial(&files, self.address).await)
    }

    /// Opens a session of a host of r1 and waits for its welcome, and until operators see it.
    pub(crate) async fn session(&self, host: &str) -> Session {
        let mut session = Session::open(&mut self.agent(host).await, hello(host))
            .await
            .unwrap();
        assert!(matches!(
            session.next().await,
            Some(ToAgent::Welcome { .. })
        ));
        let mut operator = self.operator().await;
        eventually("operators to see the host", PATIENCE, async || {
            let request = v1::ExplainRequest {
                subject: host.to_owned(),
            };
            let explained = operator.explain(request).await;
            explained.map(|_| ()).map_err(|unseen| unseen.to_string())
        })
        .await;
        session
    }
}

/// A coordinator's process, and where it is dialled.
async fn process(
    folder: &tempfile::TempDir,
    authority: &Authority,
    identity: &Identity,
    role: Role,
) -> (SocketAddr, Running) {
    let files = authority.issue(identity);
    let credentials = load(&files);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let artefacts = match role {
        Role::Control => "artefacts-of-control",
        Role::Both | Role::Region { .. } => ARTEFACTS,
    };
    let settings = Settings {
        listen: address,
        http: address,
        regions: Regions::Only([name("r1")].into()),
        role,
        cert: files.cert,
        key: files.key,
        ca: files.ca,
        trust_domain: TRUST_DOMAIN.to_owned(),
        data_dir: folder.path().to_owned(),
        heartbeat: HEARTBEAT,
        artefacts: Location::Folder(folder.path().join(artefacts)),
        limits: Limits::default(),
        signing: Signing::default(),
    };
    let store = ArtefactStore::open(&settings.artefacts, settings.limits.clone());
    let artefacts = store.await.unwrap();
    let control = dial_control(&settings, credentials.clone()).unwrap();
    let setup = Setup {
        settings,
        store: MemoryStore::on(&MemoryDisk::default()),
        store_name: "memory".to_owned(),
        clock: Arc::new(AnchoredClock::start()),
        credentials: Server::new(&credentials).unwrap(),
        own: credentials,
        sockets: sockets(listener),
        http: None,
        artefacts,
        drawn: Incarnation(1),
        control,
    };
    (address, start(setup).await.unwrap())
}

/// An agent's end of a session. Its heart beats until it falls silent, or is dropped.
pub(crate) struct Session {
    sender: mpsc::Sender<v1::FromAgent>,
    messages: Streaming<v1::ToAgent>,
    heart: JoinHandle<()>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.fall_silent();
    }
}

impl Session {
    pub(crate) async fn open(
        client: &mut AgentClient<Channel>,
        first: Hello,
    ) -> Result<Self, Status> {
        let (sender, receiver) = mpsc::channel(16);
        sender.try_send(FromAgent::Hello(first).into()).unwrap();
        let call = client.session(ReceiverStream::new(receiver));
        let response = timeout(PATIENCE, call).await.expect("an answer")?;
        Ok(Self {
            heart: tokio::spawn(beat(sender.clone())),
            sender,
            messages: response.into_inner(),
        })
    }

    /// Sends no sign of life any more.
    pub(crate) fn fall_silent(&self) {
        self.heart.abort();
    }

    pub(crate) async fn send(&self, message: FromAgent) {
        self.send_raw(message.into()).await;
    }

    /// Sends what no agent of this release would.
    pub(crate) async fn send_raw(&self, message: v1::FromAgent) {
        self.sender.send(message).await.unwrap();
    }

    /// The next message that is no heartbeat. Nothing: the session ended.
    pub(crate) async fn next(&mut self) -> Option<ToAgent> {
        loop {
            let next = timeout(PATIENCE, self.messages.message()).await;
            let message = next.expect("a message or the end").ok()??;
            let message = ToAgent::try_from(message).unwrap();
            if message != ToAgent::Heartbeat {
                return Some(message);
            }
        }
    }
}

async fn beat(sender: mpsc::Sender<v1::FromAgent>) {
    while sender.send(FromAgent::Heartbeat.into()).await.is_ok() {
        tokio::time::sleep(HEARTBEAT).await;
    }
}

pub(crate) fn hello(host: &str) -> Hello {
    let labels = [("region", "r1"), ("zone", "a"), ("service", "web")];
    greeting::hello(name(host), labels)
}

/// A name of any kind.
pub(crate) fn name<T: TryFrom<String>>(text: &str) -> T
where
    T::Error: std::fmt::Debug,
{
    T::try_from(text.to_owned()).unwrap()
}

pub(crate) fn host(text: &str) -> HostId {
    name(text)
}

async fn dial(files: &cofferdam_tests::pki::Credentials, address: SocketAddr) -> Channel {
    let client = Client::new(load(files), Expect::Coordinator).unwrap();
    Endpoint::from(uri(&address.to_string()).unwrap())
        .connect_with_connector(client.connector())
        .await
        .unwrap()
}

fn load(files: &cofferdam_tests::pki::Credentials) -> Credentials {
    Credentials::load(&CredentialFiles {
        certificate: files.cert.clone(),
        key: files.key.clone(),
        authority: files.ca.clone(),
    })
    .unwrap()
}
