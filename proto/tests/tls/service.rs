//! A coordinator that says who calls, and a call to it.

use cofferdam_engine::digest::Digest;
use cofferdam_proto::{
    artefact::FetchArtefact,
    error_chain,
    status::CallError,
    tls::{self, Credentials},
    v1::{
        self,
        agent_client::AgentClient,
        agent_server::{Agent, AgentServer},
    },
};
use http::Uri;
use hyper_util::rt::TokioIo;
use std::{error::Error, net::SocketAddr};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    task::JoinHandle,
};
use tokio_stream::{Stream, StreamExt};
use tonic::{
    Request, Response, Status, Streaming,
    transport::{Endpoint, Server},
};
use tower::Service;

type BoxError = Box<dyn Error + Send + Sync>;

/// A running coordinator; gone when dropped.
pub(crate) struct Coordinator {
    pub(crate) address: SocketAddr,
    task: JoinHandle<()>,
}

struct SaysWhoCalls;

type Replies<T> = Box<dyn Stream<Item = Result<T, Status>> + Send + Unpin>;

#[tonic::async_trait]
impl Agent for SaysWhoCalls {
    type SessionStream = Replies<v1::ToAgent>;
    type FetchArtefactStream = Replies<v1::Chunk>;

    async fn session(
        &self,
        _: Request<Streaming<v1::FromAgent>>,
    ) -> Result<Response<Self::SessionStream>, Status> {
        Ok(Response::new(Box::new(tokio_stream::empty())))
    }

    async fn fetch_artefact(
        &self,
        request: Request<v1::FetchArtefactRequest>,
    ) -> Result<Response<Self::FetchArtefactStream>, Status> {
        let host = tls::agent(&request)?;
        let chunk = v1::Chunk {
            data: host.to_string().into_bytes(),
        };
        Ok(Response::new(Box::new(tokio_stream::once(Ok(chunk)))))
    }

    async fn find_artefacts(
        &self,
        _: Request<v1::FindArtefactsRequest>,
    ) -> Result<Response<v1::FindArtefactsReply>, Status> {
        Ok(Response::new(v1::FindArtefactsReply::default()))
    }

    async fn supply_artefact(
        &self,
        _: Request<Streaming<v1::SupplyArtefactRequest>>,
    ) -> Result<Response<v1::SupplyArtefactReply>, Status> {
        Ok(Response::new(v1::SupplyArtefactReply::default()))
    }
}

impl Coordinator {
    pub(crate) async fn start(credentials: &Credentials) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tls::Server::new(credentials).unwrap();
        let incoming = tls::incoming(tls::sockets(listener), server);
        let task = tokio::spawn(async move {
            Server::builder()
                .add_service(AgentServer::new(SaysWhoCalls))
                .serve_with_incoming(incoming)
                .await
                .unwrap();
        });
        Self { address, task }
    }

    /// The URI to dial: the certificate's name, the server's port.
    pub(crate) fn uri(&self) -> Uri {
        uri(self.address)
    }
}

impl Drop for Coordinator {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The URI of a server whose certificate is for `localhost`.
pub(crate) fn uri(address: SocketAddr) -> Uri {
    tls::uri(&format!("localhost:{}", address.port())).unwrap()
}

/// Asks the coordinator who calls. Errors with the printed chain.
pub(crate) async fn who_am_i<C, IO>(uri: Uri, connector: C) -> Result<String, String>
where
    C: Service<Uri, Response = TokioIo<IO>> + Send + 'static,
    C::Future: Send,
    C::Error: Into<BoxError> + Send,
    BoxError: From<C::Error>,
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let channel = Endpoint::from(uri)
        .connect_with_connector(connector)
        .await
        .map_err(|error| error_chain(&error))?;
    let (digest, offset) = (Digest::of("any"), 0);
    let request = v1::FetchArtefactRequest::from(FetchArtefact { digest, offset });
    let replies = AgentClient::new(channel).fetch_artefact(request).await;
    let mut replies = replies
        .map_err(|status| CallError::from(status).to_string())?
        .into_inner();
    let chunk = replies.next().await.unwrap().unwrap();
    Ok(String::from_utf8(chunk.into_bytes().unwrap()).unwrap())
}
