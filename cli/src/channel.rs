//! Opens the channel to a coordinator: mutual TLS, both names checked.

use crate::config::Settings;
use anyhow::{Context as _, Result, ensure};
use cofferdam_proto::tls::{self, CredentialFiles, Credentials, Expect};
use std::time::Duration;
use tokio::net::TcpStream;
use tonic::transport::{Channel, Endpoint};

/// How often an idle connection is asked whether it lives: a followed rollout may say nothing for
/// hours (guess).
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// How long it may take to answer that (guess).
const KEEP_ALIVE_ANSWER: Duration = Duration::from_secs(10);

/// Reads this operator's credentials and checks that they are of the trust domain.
///
/// # Errors
/// When a file cannot be read, is not what it should be, or is of another trust domain.
pub fn credentials(settings: &Settings) -> Result<Credentials> {
    let credentials = Credentials::load(&CredentialFiles {
        certificate: settings.cert.clone(),
        key: settings.key.clone(),
        authority: settings.ca.clone(),
    })
    .context("cannot use this operator's credentials")?;
    let own = credentials.trust_domain();
    let expected = settings.trust_domain.as_deref().unwrap_or(own);
    ensure!(
        own == expected,
        "{} is of the trust domain {own}, and trust_domain says {expected}",
        settings.cert.display()
    );
    Ok(credentials)
}

/// Dials the coordinator and shakes hands with it.
///
/// # Errors
/// When the credentials cannot be used, nobody answers, or who answers is no coordinator.
pub async fn open(settings: &Settings) -> Result<Channel> {
    let credentials = credentials(settings)?;
    let client = tls::Client::new(credentials, Expect::Coordinator)
        .context("cannot use this operator's credentials")?;
    let (host, port) = (settings.endpoint.host.clone(), settings.endpoint.port);
    let connector = client.connector_with(move |_named| TcpStream::connect((host.clone(), port)));
    let named = tls::uri(&authority(&settings.server_name, port))
        .context("the server name cannot stand in an address")?;
    Endpoint::from(named)
        .http2_keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE_ANSWER)
        .keep_alive_while_idle(true)
        .connect_with_connector(connector)
        .await
        .with_context(|| {
            format!(
                "no connection to the coordinator at {}; `cofferdam doctor` looks for the cause",
                settings.endpoint
            )
        })
}

fn authority(host: &str, port: u16) -> String {
    match host.contains(':') {
        true => format!("[{host}]:{port}"),
        false => format!("{host}:{port}"),
    }
}
