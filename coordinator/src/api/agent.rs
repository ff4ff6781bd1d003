//! The service for agents: each speaks for its own host alone.

use super::call;
use crate::{
    artefact::{ArtefactFolder, CHUNK_BYTES, FetchError},
    config::Regions,
    driver::{DriverHandle, Stopping},
    session::Session,
    sessions,
    tasks::Tasks,
};
use cofferdam_engine::{digest::Digest, id::HostId, inventory::REGION};
use cofferdam_proto::{
    session::{FromAgent, Hello, MISSED_HEARTBEATS, ToAgent},
    status::{CallError, CallErrorKind},
    tls, v1,
};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio_stream::{Iter, StreamExt as _, adapters, wrappers::ReceiverStream};
use tonic::{Request, Response, Status, Streaming};

/// Serves agents.
#[derive(Debug)]
pub(crate) struct AgentApi {
    pub(crate) driver: DriverHandle,
    pub(crate) artefacts: ArtefactFolder,
    pub(crate) regions: Regions,
    pub(crate) heartbeat: Duration,
    pub(crate) tasks: Tasks,
}

/// What an agent is sent.
type Outbound = adapters::Map<ReceiverStream<ToAgent>, fn(ToAgent) -> Result<v1::ToAgent, Status>>;

/// The parts of an artefact.
type Chunks = Iter<std::vec::IntoIter<Result<v1::Chunk, Status>>>;

#[tonic::async_trait]
impl v1::agent_server::Agent for AgentApi {
    type SessionStream = Outbound;
    type FetchArtefactStream = Chunks;

    async fn session(
        &self,
        request: Request<Streaming<v1::FromAgent>>,
    ) -> Result<Response<Outbound>, Status> {
        let host = tls::agent(&request)?;
        let mut inbound = request.into_inner();
        let hello = self.hello(&host, &mut inbound).await?;
        let (outbound, ends, messages) = sessions::ends();
        let session = Session {
            host,
            heartbeat: self.heartbeat,
            driver: self.driver.clone(),
            number: self.driver.next_session(),
            ends,
        };
        let (accepted, answer) = oneshot::channel();
        self.tasks
            .spawn(session.run(hello, outbound, accepted, inbound));
        answer.await.map_err(|_| call::stopping(Stopping))??;
        let to_wire: fn(ToAgent) -> _ = |message| Ok(message.into());
        Ok(Response::new(ReceiverStream::new(messages).map(to_wire)))
    }

    async fn fetch_artefact(
        &self,
        request: Request<v1::FetchArtefactRequest>,
    ) -> Result<Response<Chunks>, Status> {
        tls::agent(&request)?;
        let digest = Digest::try_from(request.into_inner())?;
        let artefacts = self.artefacts.clone();
        let content = call::blocking(move || artefacts.fetch(&digest), kind).await?;
        let chunk = |data: &[u8]| Ok(v1::Chunk { data: data.into() });
        let chunks: Vec<_> = content.chunks(CHUNK_BYTES).map(chunk).collect();
        Ok(Response::new(tokio_stream::iter(chunks)))
    }
}

impl AgentApi {
    /// The agent's first message, checked against its certificate and this process's regions.
    async fn hello(
        &self,
        host: &HostId,
        inbound: &mut Streaming<v1::FromAgent>,
    ) -> Result<Hello, Status> {
        let patience = self.heartbeat * MISSED_HEARTBEATS;
        let first = tokio::time::timeout(patience, inbound.message())
            .await
            .map_err(|_| refusal(CallErrorKind::TooLate, "the agent did not say hello"))??;
        let Some(first) = first else {
            return Err(refusal(
                CallErrorKind::Invalid,
                "the agent did not say hello",
            ));
        };
        let FromAgent::Hello(hello) = FromAgent::try_from(first)? else {
            return Err(refusal(
                CallErrorKind::Invalid,
                "the first message must be a hello",
            ));
        };
        if hello.host != *host {
            tracing::warn!(certificate = %host, hello = %hello.host, "an agent speaks for another host");
            let message = format!("agent/{host} cannot speak for host {}", hello.host);
            return Err(refusal(CallErrorKind::Denied, &message));
        }
        let region = hello.labels.get(REGION).map_or("", String::as_str);
        if !self.regions.contain(region) {
            tracing::warn!(%host, region, "an agent of a region that is not served here");
            let message = format!("this coordinator does not serve region `{region}`");
            return Err(refusal(CallErrorKind::NotNow, &message));
        }
        Ok(hello)
    }
}

fn refusal(kind: CallErrorKind, message: &str) -> Status {
    CallError::new(kind, message).into()
}

fn kind(error: &FetchError) -> CallErrorKind {
    match error {
        FetchError::NotFound(_) => CallErrorKind::NotFound,
        FetchError::Damaged { .. } | FetchError::Io { .. } => CallErrorKind::Internal,
    }
}
