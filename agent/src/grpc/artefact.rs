//! Artefacts of the region, asked of the coordinator that the session is with.

use super::CurrentChannel;
use crate::{
    artefact::{Artefacts, Receiver},
    host::{command::LocalFuture, durable::FileError},
};
use cofferdam_engine::{
    digest::Digest,
    failure::{Failure, FailureKind},
};
use cofferdam_proto::{
    artefact::{FetchArtefact, FindArtefacts, SuppliedArtefact, Whereabouts},
    error_chain,
    status::{CallError, CallErrorKind},
    v1::{self, agent_client::AgentClient, supply_artefact_request::Message},
};
use std::{error::Error, fs::File, io::Read as _, path::Path, time::Duration};
use tokio::{
    sync::mpsc,
    time::{sleep, timeout},
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, transport::Channel};

/// How long the store may send nothing, or take nothing: it reads a file through before it serves it
/// for the first time (guess: 1 GB from a slow disk).
const STALL: Duration = Duration::from_secs(60);

/// How long the store may take to say where files are: it answers after 20 s at the latest.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// The bytes of one message to the store.
const CHUNK_BYTES: usize = 64 << 10;

impl Artefacts for CurrentChannel {
    fn fetch<'a>(
        &'a self,
        digest: Digest,
        from: u64,
        receiver: &'a mut dyn Receiver,
    ) -> LocalFuture<'a, Result<(), Failure>> {
        Box::pin(receive(
            self,
            FetchArtefact {
                digest,
                offset: from,
            },
            receiver,
        ))
    }

    fn find(&self, asked: FindArtefacts) -> LocalFuture<'_, Result<Vec<Whereabouts>, Failure>> {
        Box::pin(find(self, asked))
    }

    fn supply<'a>(
        &'a self,
        artefact: SuppliedArtefact,
        file: &'a Path,
    ) -> LocalFuture<'a, Result<(), Failure>> {
        Box::pin(supply(self, artefact, file))
    }
}

async fn receive(
    current: &CurrentChannel,
    wanted: FetchArtefact,
    receiver: &mut dyn Receiver,
) -> Result<(), Failure> {
    let what = format!("artefact {} could not be fetched", wanted.digest);
    let mut api = AgentClient::new(channel(current, &what)?);
    let answer = within(
        STALL,
        &what,
        api.fetch_artefact(v1::FetchArtefactRequest::from(wanted)),
    );
    let mut chunks = answer.await?.into_inner();
    while let Some(chunk) = within(STALL, &what, chunks.message()).await? {
        let piece = chunk.into_bytes().map_err(|error| broken(&what, &error))?;
        sleep(receiver.take(&piece)?).await;
    }
    Ok(())
}

async fn find(current: &CurrentChannel, asked: FindArtefacts) -> Result<Vec<Whereabouts>, Failure> {
    let what = "the artefact store could not be asked";
    let mut api = AgentClient::new(channel(current, what)?);
    let count = asked.wanted.len();
    let request = v1::FindArtefactsRequest::from(asked);
    let answer = within(ANSWER_WITHIN, what, api.find_artefacts(request)).await?;
    let found = Vec::<Whereabouts>::try_from(answer.into_inner());
    let found = found.map_err(|error| broken(what, &error))?;
    match found.len() == count {
        true => Ok(found),
        false => Err(Failure::new(
            FailureKind::Network,
            format!("{what}: {} answers to {count} questions", found.len()),
        )),
    }
}

async fn supply(
    current: &CurrentChannel,
    artefact: SuppliedArtefact,
    file: &Path,
) -> Result<(), Failure> {
    let what = format!("{} could not be brought to the store", artefact.package);
    let mut api = AgentClient::new(channel(current, &what)?);
    let opened = File::open(file).map_err(FileError::of("reading", file))?;
    let (parts, stream) = mpsc::channel(1);
    let sending = async {
        let first = Message::Artefact(artefact.into());
        send(&parts, first, &what).await?;
        let sent = send_file(&parts, opened, file, &what).await;
        drop(parts);
        sent
    };
    let call = api.supply_artefact(ReceiverStream::new(stream));
    let (answer, sent) = tokio::join!(call, sending);
    // What the store says is why it took no more.
    answer.map_err(|status| refused(&what, status))?;
    sent
}

async fn send_file(
    parts: &mpsc::Sender<v1::SupplyArtefactRequest>,
    mut opened: File,
    file: &Path,
    what: &str,
) -> Result<(), Failure> {
    loop {
        let mut data = vec![0; CHUNK_BYTES];
        let length = opened
            .read(&mut data)
            .map_err(FileError::of("reading", file))?;
        if length == 0 {
            return Ok(());
        }
        data.truncate(length);
        send(parts, Message::Chunk(v1::Chunk { data }), what).await?;
    }
}

async fn send(
    parts: &mpsc::Sender<v1::SupplyArtefactRequest>,
    message: Message,
    what: &str,
) -> Result<(), Failure> {
    let message = Some(message);
    let sent = timeout(STALL, parts.send(v1::SupplyArtefactRequest { message })).await;
    match sent {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Failure::new(
            FailureKind::Network,
            format!("{what}: nobody takes it"),
        )),
    }
}

fn channel(current: &CurrentChannel, what: &str) -> Result<Channel, Failure> {
    current.get().ok_or_else(|| {
        let detail = format!("{what}: there is no session");
        Failure::new(FailureKind::Network, detail)
    })
}

/// Waits for an answer of the store, but not for ever.
async fn within<T>(
    limit: Duration,
    what: &str,
    answer: impl Future<Output = Result<T, Status>>,
) -> Result<T, Failure> {
    match timeout(limit, answer).await {
        Ok(answer) => answer.map_err(|status| refused(what, status)),
        Err(_) => {
            let detail = format!("{what}: nothing came for {} s", limit.as_secs());
            Err(Failure::new(FailureKind::Network, detail))
        }
    }
}

fn refused(what: &str, status: Status) -> Failure {
    let error = CallError::from(status);
    let failed = |kind| Failure::new(kind, format!("{what}: {error}"));
    if error.kind() == CallErrorKind::NotFound {
        return failed(FailureKind::NotFound);
    }
    if error.kind() == CallErrorKind::Unimplemented {
        // A coordinator of an earlier release.
        return failed(FailureKind::Unsupported);
    }
    broken(what, &error)
}

fn broken(what: &str, error: &(dyn Error + 'static)) -> Failure {
    let detail = format!("{what}: {}", error_chain(error));
    Failure::new(FailureKind::Network, detail)
}
