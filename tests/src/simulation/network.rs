//! Connections over the fake network.

use super::PORT;
use cofferdam_proto::tls::{self, Credentials, Expect};
use std::{io, net::SocketAddr};
use tokio_stream::{Stream, wrappers::ReceiverStream};
use tonic::transport::{Channel, Endpoint, Error};
use turmoil::net::{TcpListener, TcpStream};

/// Connections that wait to be taken.
const BACKLOG: usize = 256;

/// Everything that dials this host's [`PORT`].
pub(super) async fn sockets()
-> io::Result<impl Stream<Item = io::Result<(TcpStream, SocketAddr)>> + Unpin + Send + 'static> {
    let listener = TcpListener::bind(("0.0.0.0", PORT)).await?;
    let (sender, receiver) = tokio::sync::mpsc::channel(BACKLOG);
    tokio::spawn(async move {
        while let Ok(accepted) = listener.accept().await {
            if sender.send(Ok(accepted)).await.is_err() {
                return;
            }
        }
    });
    Ok(ReceiverStream::new(receiver))
}

/// Dials the coordinator with these credentials.
pub(super) async fn dial(credentials: Credentials, endpoint: Endpoint) -> Result<Channel, Error> {
    let client = tls::Client::new(credentials, Expect::Coordinator).expect("good authorities");
    let connector = client.connector_with(|uri: http::Uri| async move {
        let host = uri.host().unwrap_or_default().to_owned();
        TcpStream::connect((host, uri.port_u16().unwrap_or(PORT))).await
    });
    endpoint.connect_with_connector(connector).await
}
