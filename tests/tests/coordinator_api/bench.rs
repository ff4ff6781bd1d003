//! A coordinator in this process, with callers whose certificates the test chooses.

use cofferdam_coordinator::{
    Running, Setup,
    artefact::{ArtefactStore, Limits, Location},
    clock::AnchoredClock,
    config::{Regions, Settings, Signing},
    start,
    store::{MemoryStore, memory::MemoryDisk},
};
use cofferdam_engine::{
    id::{HostId, Incarnation, Region},
    identity::Identity,
    inventory::{Facts, PackageSet, Platform},
};
use cofferdam_proto::{
    session::{FromAgent, Hello, ToAgent},
    tls::{Client, CredentialFiles, Credentials, Expect, Server, sockets, uri},
    v1::{self, agent_client::AgentClient, operator_client::OperatorClient},
};
use cofferdam_tests::pki::{Authority, TRUST_DOMAIN};
use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle, time::timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{
    Status, Streaming,
    transport::{Channel, Endpoint},
};

/// Short, so that a silent session is noticed within a test's patience.
pub(crate) const HEARTBEAT: Duration = Duration::from_millis(100);

/// How long a test waits for anything.
const PATIENCE: Duration = Duration::from_secs(20);

/// A coordinator of region r1 and the authority of everybody's certificates.
pub(crate) struct Bench {
    pub(crate) address: SocketAddr,
    authority: Authority,
    running: Running,
    folder: tempfile::TempDir,
}

impl Bench {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new(&folder.path().join("pki"));
        let region = Region::new("r1").unwrap();
        let files = authority.issue(&Identity::Coordinator(region.clone()));
        let credentials = load(&files);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let settings = Settings {
            listen: address,
            http: address,
            regions: Regions::Only([region].into()),
            cert: files.cert,
            key: files.key,
            ca: files.ca,
            trust_domain: TRUST_DOMAIN.to_owned(),
            data_dir: folder.path().to_owned(),
            heartbeat: HEARTBEAT,
            artefacts: Location::Folder(folder.path().join("artefacts")),
            limits: Limits::default(),
            signing: Signing::default(),
        };
        let store = ArtefactStore::open(&settings.artefacts, settings.limits.clone());
        let artefacts = store.await.unwrap();
        let setup = Setup {
            settings,
            store: MemoryStore::on(&MemoryDisk::default()),
            store_name: "memory".to_owned(),
            clock: Arc::new(AnchoredClock::start()),
            credentials: Server::new(&credentials).unwrap(),
            sockets: sockets(listener),
            http: None,
            artefacts,
        };
        Self {
            address,
            authority,
            running: start(setup).await.unwrap(),
            folder,
        }
    }

    /// Where its artefacts are.
    pub(crate) fn artefacts(&self) -> PathBuf {
        self.folder.path().join("artefacts")
    }

    pub(crate) async fn stop(self) {
        self.running.stop().await;
    }

    pub(crate) async fn operator(&self) -> OperatorClient<Channel> {
        OperatorClient::new(self.channel(&Identity::Operator(name("ana"))).await)
    }

    pub(crate) async fn agent(&self, host: &str) -> AgentClient<Channel> {
        AgentClient::new(self.channel(&Identity::Agent(name(host))).await)
    }

    pub(crate) async fn channel(&self, identity: &Identity) -> Channel {
        let credentials = load(&self.authority.issue(identity));
        let client = Client::new(credentials, Expect::Coordinator).unwrap();
        Endpoint::from(uri(&self.address.to_string()).unwrap())
            .connect_with_connector(client.connector())
            .await
            .unwrap()
    }

    /// Opens a session of a host of r1 and waits for its welcome.
    pub(crate) async fn session(&self, host: &str) -> Session {
        let mut session = Session::open(&mut self.agent(host).await, hello(host))
            .await
            .unwrap();
        assert!(matches!(
            session.next().await,
            Some(ToAgent::Welcome { .. })
        ));
        session
    }
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
        self.sender.send(message.into()).await.unwrap();
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
    Hello {
        host: name(host),
        incarnation: Incarnation(7),
        boot_id: "boot-1".to_owned(),
        version: "1.0".to_owned(),
        labels: labels.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
        facts: Facts {
            platform: Platform {
                os_release: "debian-12".to_owned(),
                architecture: "amd64".to_owned(),
            },
            kernel: "6.1".to_owned(),
            packages: PackageSet::default().digest(),
        },
        in_service: true,
        detail: String::new(),
        takes_reservations: false,
        open: None,
        newest: None,
    }
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

fn load(files: &cofferdam_tests::pki::Credentials) -> Credentials {
    Credentials::load(&CredentialFiles {
        certificate: files.cert.clone(),
        key: files.key.clone(),
        authority: files.ca.clone(),
    })
    .unwrap()
}
