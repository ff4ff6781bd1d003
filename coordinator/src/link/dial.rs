//! How a region dials its control plane.

use cofferdam_proto::tls;
use std::{
    error::Error,
    fmt::Debug,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tonic::transport::{Channel, Endpoint};

/// A channel that is being opened.
pub type Dialled =
    Pin<Box<dyn Future<Output = Result<Channel, Box<dyn Error + Send + Sync>>> + Send>>;

/// Dials the control plane: over mutual TLS and TCP in production, over a fake network in a simulation.
pub trait Dial: Debug + Send + Sync + 'static {
    /// Opens a channel.
    fn dial(&self) -> Dialled;
}

/// Dials one address after the other, each time the next.
#[derive(Debug)]
pub(crate) struct DialInTurn {
    client: tls::Client,
    /// `HOST:PORT` each. Not empty.
    addresses: Arc<[String]>,
    next: AtomicUsize,
}

impl DialInTurn {
    /// Dials these addresses with these credentials.
    pub(crate) fn new(client: tls::Client, addresses: Vec<String>) -> Self {
        Self {
            client,
            addresses: addresses.into(),
            next: AtomicUsize::new(0),
        }
    }
}

impl Dial for DialInTurn {
    fn dial(&self) -> Dialled {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let address = turn
            .checked_rem(self.addresses.len())
            .and_then(|turn| self.addresses.get(turn))
            .cloned()
            .unwrap_or_default();
        let connector = self.client.connector();
        Box::pin(async move {
            let endpoint = Endpoint::from(tls::uri(&address)?);
            Ok(endpoint.connect_with_connector(connector).await?)
        })
    }
}
