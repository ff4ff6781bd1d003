//! How a region dials its control plane.

use super::MESSAGE_BYTES;
use cofferdam_proto::{
    dial::{Turns, Ways},
    tls,
    v1::{self, link_client::LinkClient},
};
use std::{error::Error, fmt::Debug, future::Future, pin::Pin, sync::Arc};
use tokio::sync::{Mutex, mpsc};
use tokio_stream::{Stream, wrappers::ReceiverStream};
use tonic::{
    Status,
    transport::{Channel, Endpoint},
};

/// A channel that is being opened.
pub type Dialled =
    Pin<Box<dyn Future<Output = Result<Channel, Box<dyn Error + Send + Sync>>> + Send>>;

/// What a control plane says on a link, until it ends.
pub type Inbound = Pin<Box<dyn Stream<Item = Result<v1::FromControl, Status>> + Send>>;

/// A link that is being opened.
pub type Opening = Pin<Box<dyn Future<Output = Result<Inbound, Status>> + Send>>;

/// Dials the control plane: over mutual TLS and TCP in production, over a fake network in a simulation.
pub trait Dial: Debug + Send + Sync + 'static {
    /// Opens a channel.
    fn dial(&self) -> Dialled;

    /// Opens a link over a channel, which carries what is said to the control plane.
    fn open(&self, channel: Channel, said: mpsc::Receiver<v1::FromRegion>) -> Opening {
        Box::pin(async move {
            let mut api = LinkClient::new(channel).max_decoding_message_size(MESSAGE_BYTES);
            let opened = api.open(ReceiverStream::new(said)).await?;
            let inbound: Inbound = Box::pin(opened.into_inner());
            Ok(inbound)
        })
    }
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
