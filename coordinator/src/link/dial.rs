//! How a region dials its control plane.

use cofferdam_proto::{
    dial::{Turns, Ways},
    tls,
};
use std::{error::Error, fmt::Debug, future::Future, pin::Pin, sync::Arc};
use tokio::sync::Mutex;
use tonic::transport::{Channel, Endpoint};

/// A channel that is being opened.
pub type Dialled =
    Pin<Box<dyn Future<Output = Result<Channel, Box<dyn Error + Send + Sync>>> + Send>>;

/// Dials the control plane: over mutual TLS and TCP in production, over a fake network in a simulation.
pub trait Dial: Debug + Send + Sync + 'static {
    /// Opens a channel.
    fn dial(&self) -> Dialled;
}

/// Dials one after the other, each time the next.
#[derive(Debug)]
pub(crate) struct DialInTurn {
    client: tls::Client,
    ways: Ways,
    turns: Arc<Mutex<Turns>>,
}

impl DialInTurn {
    /// Dials in these turns, by these ways, with these credentials.
    pub(crate) fn new(client: tls::Client, turns: Turns, ways: Ways) -> Self {
        let turns = Arc::new(Mutex::new(turns));
        Self {
            client,
            ways,
            turns,
        }
    }
}

impl Dial for DialInTurn {
    fn dial(&self) -> Dialled {
        let connector = self.client.connector_by(self.ways.clone());
        let turns = Arc::clone(&self.turns);
        Box::pin(async move {
            let address = turns.lock().await.next().await?;
            let endpoint = Endpoint::from(tls::uri(&address)?);
            Ok(endpoint.connect_with_connector(connector).await?)
        })
    }
}
