//! Artefacts of the region, asked of the coordinator that the session is with.

use super::CurrentChannel;
use crate::{
    artefact::{Artefacts, Receiver},
    host::command::LocalFuture,
};
use cofferdam_engine::{
    digest::Digest,
    failure::{Failure, FailureKind},
};
use cofferdam_proto::{
    error_chain,
    status::{CallError, CallErrorKind},
    v1::{self, agent_client::AgentClient},
};
use std::error::Error;
use tonic::Status;

impl Artefacts for CurrentChannel {
    fn fetch<'a>(
        &'a self,
        digest: Digest,
        receiver: &'a mut dyn Receiver,
    ) -> LocalFuture<'a, Result<(), Failure>> {
        Box::pin(receive(self, digest, receiver))
    }
}

async fn receive(
    current: &CurrentChannel,
    digest: Digest,
    receiver: &mut dyn Receiver,
) -> Result<(), Failure> {
    let Some(channel) = current.get() else {
        let detail = format!("no session to fetch artefact {digest} over");
        return Err(Failure::new(FailureKind::Network, detail));
    };
    let request = v1::FetchArtefactRequest::from(digest);
    let answer = AgentClient::new(channel).fetch_artefact(request).await;
    let mut chunks = answer
        .map_err(|status| refused(digest, status))?
        .into_inner();
    while let Some(chunk) = chunks
        .message()
        .await
        .map_err(|status| refused(digest, status))?
    {
        let piece = chunk.into_bytes().map_err(|error| broken(digest, &error))?;
        receiver.take(&piece)?;
    }
    Ok(())
}

fn refused(digest: Digest, status: Status) -> Failure {
    let error = CallError::from(status);
    if error.kind() == CallErrorKind::NotFound {
        let detail = format!("artefact {digest} is not to be had: {error}");
        return Failure::new(FailureKind::NotFound, detail);
    }
    broken(digest, &error)
}

fn broken(digest: Digest, error: &(dyn Error + 'static)) -> Failure {
    let detail = format!(
        "artefact {digest} could not be fetched: {}",
        error_chain(error)
    );
    Failure::new(FailureKind::Network, detail)
}
