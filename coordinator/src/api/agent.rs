//! The service for agents: each speaks for its own host alone.

use super::{
    artefacts::{self, Chunks},
    call,
};
use crate::{
    artefact::ArtefactStore,
    config::Regions,
    driver::{DriverHandle, Stopping},
    session::Session,
    sessions,
    tasks::{Stop, Tasks},
};
use cofferdam_engine::{
    id::HostId,
    inventory::{MARKED, PATCHER, REGION},
};
use cofferdam_proto::{
    artefact::FindArtefacts,
    session::{FromAgent, Hello, MISSED_HEARTBEATS, ToAgent},
    status::{CallError, CallErrorKind},
    tls, v1,
};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio_stream::{StreamExt as _, adapters, wrappers::ReceiverStream};
use tonic::{Request, Response, Status, Streaming};

/// Serves agents.
#[derive(Debug)]
pub(crate) struct AgentApi {
    pub(crate) driver: DriverHandle,
    pub(crate) artefacts: ArtefactStore,
    pub(crate) regions: Regions,
    pub(crate) heartbeat: Duration,
    pub(crate) tasks: Tasks,
    pub(crate) stop: Stop,
}

/// What an agent is sent.
type Outbound = adapters::Map<ReceiverStream<ToAgent>, fn(ToAgent) -> Result<v1::ToAgent, Status>>;

#[tonic::async_trait]
impl v1::agent_server::Agent for AgentApi {
    type SessionStream = Outbound;
    type FetchArtefactStream = Chunks;

    async fn session(
        &self,
        request: Request<Streaming<v1::FromAgent>>,
    ) -> Result<Response<Outbound>, Status> {
        let host = tls::agent(&request)?;
        let is_patcher = tls::is_patcher(&request);
        let mut inbound = request.into_inner();
        let mut hello = self.hello(&host, &mut inbound).await?;
        if is_patcher {
            // Enrolment signed it, so the host cannot say otherwise.
            hello.labels.insert(PATCHER.to_owned(), MARKED.to_owned());
        }
        let (outbound, ends, messages) = sessions::ends();
        let session = Session {
            host,
            heartbeat: self.heartbeat,
            driver: self.driver.clone(),
            number: self.driver.next_session(),
            ends,
        };
        let (accepted, answer) = oneshot::channel();
        let (artefacts, host) = (self.artefacts.clone(), session.host.clone());
        self.tasks.spawn(async move {
            session.run(hello, outbound, accepted, inbound).await;
            artefacts.gone(&host);
        });
        answer.await.map_err(|_| call::stopping(Stopping))??;
        let to_wire: fn(ToAgent) -> _ = |message| Ok(message.into());
        Ok(Response::new(ReceiverStream::new(messages).map(to_wire)))
    }

    async fn fetch_artefact(
        &self,
        request: Request<v1::FetchArtefactRequest>,
    ) -> Result<Response<Chunks>, Status> {
        tls::agent(&request)?;
        let wanted = request.into_inner().try_into()?;
        let (store, stop) = (&self.artefacts, self.stop.clone());
        let chunks = artefacts::send(store, wanted, &self.tasks, stop).await?;
        Ok(Response::new(chunks))
    }

    async fn find_artefacts(
        &self,
        request: Request<v1::FindArtefactsRequest>,
    ) -> Result<Response<v1::FindArtefactsReply>, Status> {
        let host = tls::agent(&request)?;
        let asked = FindArtefacts::try_from(request.into_inner())?;
        let mut stop = self.stop.clone();
        let found = tokio::select! {
            biased;
            () = stop.asked() => return Err(call::stopping(Stopping).into()),
            found = self.artefacts.find(&host, &asked) => found,
        };
        Ok(Response::new(found.into()))
    }

    async fn supply_artefact(
        &self,
        request: Request<Streaming<v1::SupplyArtefactRequest>>,
    ) -> Result<Response<v1::SupplyArtefactReply>, Status> {
        let host = tls::agent(&request)?;
        artefacts::supply(&self.artefacts, &self.driver, &host, request.into_inner()).await?;
        Ok(Response::new(v1::SupplyArtefactReply {}))
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
