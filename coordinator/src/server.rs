//! The gRPC server: three services over connections whose peers are known.

use crate::{
    api::{AgentApi, OperatorApi},
    link::{LinkApi, MESSAGE_BYTES},
    tasks::Stop,
};
use cofferdam_proto::{
    convert::bounds::MAX_FILE_BYTES,
    error_chain,
    tls::Incoming,
    v1::{agent_server::AgentServer, link_server::LinkServer, operator_server::OperatorServer},
};
use std::{io, net::SocketAddr};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_stream::Stream;
use tonic::transport::Server;

/// Calls at once on one connection: an agent has its session and a few fetches, an operator a few
/// watches (guess).
const STREAMS: u32 = 64;

/// A rollout file and its lock file in one message, and what surrounds them.
const OPERATOR_MESSAGE_BYTES: usize = 2 * MAX_FILE_BYTES + 64 * 1024;

/// What it serves. The state refuses what is another part's of the fleet.
pub(crate) struct Apis {
    pub(crate) agents: AgentApi,
    pub(crate) operators: OperatorApi,
    pub(crate) links: LinkApi,
}

/// Serves until the stop is asked for and every call is over.
pub(crate) async fn serve<A, IO>(incoming: Incoming<A, IO>, apis: Apis, mut stop: Stop)
where
    A: Stream<Item = io::Result<(IO, SocketAddr)>> + Unpin + Send + 'static,
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let agents = AgentServer::new(apis.agents);
    let operators =
        OperatorServer::new(apis.operators).max_decoding_message_size(OPERATOR_MESSAGE_BYTES);
    let links = LinkServer::new(apis.links).max_decoding_message_size(MESSAGE_BYTES);
    let served = Server::builder()
        .max_concurrent_streams(STREAMS)
        .add_service(agents)
        .add_service(operators)
        .add_service(links)
        .serve_with_incoming_shutdown(incoming, async move { stop.asked().await })
        .await;
    if let Err(error) = served {
        tracing::error!(error = error_chain(&error), "the gRPC server ended");
    }
}
