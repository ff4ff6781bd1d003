//! Who is not who it should be: each is told so, and nobody else notices.

use cofferdam_engine::{id::HostId, identity::Identity};
use cofferdam_tests::{
    fleet::Fleet,
    machine::Machine,
    pki::{Authority, Credentials, Validity},
    process::{Process, run},
};
use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// Starts a stranger beside a fleet of two: a host whose agent shows these credentials.
async fn with_stranger(
    credentials: impl FnOnce(&Fleet, &HostId) -> Credentials,
) -> (Fleet, Stranger) {
    let fleet = Fleet::start(Machine::several(2)).await;
    let machine = Machine::several(3).remove(2);
    let credentials = credentials(&fleet, &machine.host);
    Machine::lay_out(&fleet.site.agent_folder(&machine.host, "root"));
    fleet.site.enrol_with(&machine, &credentials);
    let log = fleet.site.agent_log(&machine.host);
    let process = Process::start(fleet.site.agent(&machine.host), &log);
    let host = machine.host;
    (fleet, Stranger { host, process })
}

struct Stranger {
    host: HostId,
    process: Process,
}

impl Stranger {
    /// Its agent still runs and tries, the fleet still serves, and nobody complains of more.
    async fn disturbs_nobody(mut self, mut fleet: Fleet) {
        assert_eq!(self.process.ended(), None, "{}", self.process.log());
        fleet.in_service().await;
        fleet.finish();
    }
}

#[tokio::test]
async fn an_agent_with_a_certificate_of_another_authority_says_so() {
    let (fleet, stranger) = with_stranger(|fleet, host| {
        let other = Authority::new(&fleet.site.path().join("other"));
        let ours = fleet.site.operator().ca;
        let shown = other.issue(&Identity::Agent(host.clone()));
        Credentials { ca: ours, ..shown }
    })
    .await;
    let why = "certificate of agent/web-3 is of another certificate authority";
    fleet.agent_says(&stranger.host, why).await;
    stranger.disturbs_nobody(fleet).await;
}

#[tokio::test]
async fn a_coordinator_of_another_authority_is_not_trusted() {
    let (fleet, stranger) = with_stranger(|fleet, host| {
        let other = Authority::new(&fleet.site.path().join("other"));
        other.issue(&Identity::Agent(host.clone()))
    })
    .await;
    let why = "certificate of coordinator/r1 is of another certificate authority";
    fleet.agent_says(&stranger.host, why).await;
    stranger.disturbs_nobody(fleet).await;
}

#[tokio::test]
async fn an_expired_certificate_is_named_with_its_date() {
    let (fleet, stranger) = with_stranger(|fleet, host| {
        let identity = Identity::Agent(host.clone());
        fleet
            .site
            .authority
            .issue_with(&identity, Validity::Expired)
    })
    .await;
    let why = "certificate of agent/web-3 expired on Jan  1 00:00:00 2020";
    fleet.agent_says(&stranger.host, why).await;
    stranger.disturbs_nobody(fleet).await;
}

#[test]
fn an_agent_whose_certificate_names_another_host_does_not_start() {
    let fleet = Fleet::lay_out(Machine::several(2));
    let hosts = fleet.hosts();
    let config = fleet.site.agent_config(&hosts[0]);
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("host = \"{}\"\n{text}", hosts[1])).unwrap();

    let (code, printed) = run(fleet.site.agent(&hosts[0]));

    assert_eq!(code, 1, "{printed}");
    assert!(
        printed.contains("web-1") && printed.contains("web-2"),
        "{printed}"
    );
}

#[tokio::test]
async fn garbage_on_every_port_disturbs_nobody() {
    let mut fleet = Fleet::start(Machine::several(2)).await;
    let host = fleet.hosts().remove(0);
    let log = fleet.site.path().join("health.log");
    let health = Process::start(fleet.site.health(&host), &log);
    let ports = [
        fleet.site.listen,
        fleet.site.http,
        fleet.site.health_address,
    ];
    for port in ports {
        for garbage in [
            &b"\0\xff\x16\x03\x01\xff\xff"[..],
            &[0x41; 70_000],
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        ] {
            throw(port, garbage);
        }
    }
    fleet.in_service().await;
    drop(health);
    fleet.finish();
}

/// Sends bytes and waits for the other side to close, or to say nothing for a moment.
fn throw(port: SocketAddr, garbage: &[u8]) {
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    let mut stream = loop {
        match TcpStream::connect(port) {
            Ok(stream) => break stream,
            Err(error) => assert!(std::time::Instant::now() < deadline, "{port}: {error}"),
        }
    };
    stream
        .set_read_timeout(Some(Duration::from_millis(200)))
        .unwrap();
    // It may close at the first byte that it does not like.
    stream.write_all(garbage).ok();
    let answered = stream.read(&mut [0; 1024]);
    drop(answered);
}
