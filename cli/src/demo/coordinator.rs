//! The demo's one coordinator: both regions, control plane included.

use crate::{
    client::Client,
    config::{Endpoint, Settings},
    demo::{
        processes::Processes,
        site::{Site, TRUST_DOMAIN},
    },
    file,
    pki::{Pair, ServerNames},
};
use anyhow::{Context as _, Result};
use cofferdam_engine::{id::OperatorId, identity::Identity};
use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// A free port may be taken by another program before the coordinator takes it; then another is
/// tried (guess).
const TRIES: usize = 3;

/// How long it may take until it answers (guess; it takes a tenth of a second).
const ANSWERS_WITHIN: Duration = Duration::from_secs(20);

/// How often that is looked for.
const LOOK: Duration = Duration::from_millis(50);

/// The coordinator as it runs.
pub struct Coordinator {
    /// Where agents and operators dial.
    pub address: SocketAddr,
    /// An operator's connection to it.
    pub client: Client,
    /// Its process.
    pub processes: Processes,
}

struct Ports {
    listen: SocketAddr,
    http: SocketAddr,
}

/// Starts the coordinator and connects to it as an operator.
///
/// # Errors
/// When a file cannot be written, it does not run, or it does not answer in time.
pub async fn start(site: &Site<'_>) -> Result<Coordinator> {
    file::folder(&site.folder.coordinator())?;
    let names = ServerNames {
        dns: Vec::new(),
        ip: vec![Ipv4Addr::LOCALHOST.into()],
    };
    // As the control plane it signs warrants, which the agents want.
    let pair = site.issue(&Identity::Control, &names)?;
    let operator = Identity::Operator(OperatorId::new("demo")?);
    let operator = site.issue(&operator, &ServerNames::default())?;
    let mut tries = 1;
    loop {
        match start_once(site, &pair, &operator).await {
            Err(_) if tries < TRIES => tries += 1,
            ended => return ended,
        }
    }
}

async fn start_once(site: &Site<'_>, pair: &Pair, operator: &Pair) -> Result<Coordinator> {
    let dir = site.folder.coordinator();
    let ports = free_ports().context("no ports can be had on 127.0.0.1")?;
    let config = dir.join("coordinator.toml");
    file::replace(&config, file::PUBLIC, config_text(site, pair, &ports))?;
    let mut processes = Processes::default();
    let command = site.command("cofferdam-coordinator", &config)?;
    processes.start("the coordinator", &dir.join("log"), command)?;
    let client = dial(&settings(site, operator, ports.listen), &mut processes).await?;
    Ok(Coordinator {
        address: ports.listen,
        client,
        processes,
    })
}

/// Two ports that are free now.
fn free_ports() -> std::io::Result<Ports> {
    let bind = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let (listen, http) = (bind()?, bind()?);
    Ok(Ports {
        listen: listen.local_addr()?,
        http: http.local_addr()?,
    })
}

fn config_text(site: &Site<'_>, pair: &Pair, ports: &Ports) -> String {
    let signing = site.signer.map_or_else(String::new, |signer| {
        let allowed = signer.allowed.display();
        format!("\n[signing]\nallowed_signers = \"{allowed}\"\n")
    });
    format!(
        "# The coordinator of the demo.\n\
         listen = \"{}\"\n\
         http = \"{}\"\n\
         trust_domain = \"{TRUST_DOMAIN}\"\n\
         cert = \"{}\"\n\
         key = \"{}\"\n\
         ca = \"{}\"\n\
         data_dir = \"{}\"\n{signing}",
        ports.listen,
        ports.http,
        pair.certificate.display(),
        pair.key.display(),
        site.authority_certificate().display(),
        site.folder.coordinator().join("data").display()
    )
}

fn settings(site: &Site<'_>, operator: &Pair, address: SocketAddr) -> Settings {
    let host = address.ip().to_string();
    let port = address.port();
    Settings {
        server_name: host.clone(),
        endpoint: Endpoint { host, port },
        cert: operator.certificate.clone(),
        key: operator.key.clone(),
        ca: site.authority_certificate(),
        trust_domain: Some(TRUST_DOMAIN.to_owned()),
    }
}

async fn dial(settings: &Settings, processes: &mut Processes) -> Result<Client> {
    let deadline = Instant::now() + ANSWERS_WITHIN;
    loop {
        processes.check()?;
        match Client::connect(settings).await {
            Ok(client) => return Ok(client),
            Err(error) if Instant::now() > deadline => return Err(error),
            Err(_) => sleep(LOOK).await,
        }
    }
}
