//! The artefact store as both services show it: files come in, go out, and are asked for.

use super::call;
use crate::{
    artefact::{self, ArtefactStore, FetchError, NotAsked, PutError, Upload},
    driver::DriverHandle,
    resolve,
    tasks::{Stop, Tasks},
};
use cofferdam_engine::{
    id::HostId,
    patch::{LockFile, Locked, LockedFile},
    select::Selection,
};
use cofferdam_proto::{
    artefact::{FetchArtefact, SuppliedArtefact, SupplyRequest},
    operator::ArtefactView,
    session::ToAgent,
    status::{CallError, CallErrorKind},
    v1::{self, supply_artefact_request::Message},
};
use std::time::Duration;
use tokio::{sync::mpsc, time::timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

/// How long the other side may take nothing, or send nothing, before a transfer is over (guess).
const STALL: Duration = Duration::from_secs(60);

/// Chunks that wait for the network at most.
const AHEAD: usize = 2;

/// The parts of an artefact as they go out.
pub(super) type Chunks = ReceiverStream<Result<v1::Chunk, Status>>;

/// Takes a file of an operator in.
pub(super) async fn put(
    store: &ArtefactStore,
    driver: &DriverHandle,
    mut chunks: Streaming<v1::Chunk>,
) -> Result<LockedFile, Status> {
    let mut upload = begin(store, driver, 0).await?;
    while let Some(chunk) = next(&mut chunks).await? {
        let bytes = chunk.into_bytes()?;
        upload
            .write(&bytes)
            .await
            .map_err(|error| refused(&error))?;
    }
    let stored = upload.finish(None, None).await;
    Ok(stored.map_err(|error| refused(&error))?)
}

/// Takes a package file in from the host that was asked to bring it.
pub(super) async fn supply(
    store: &ArtefactStore,
    driver: &DriverHandle,
    host: &HostId,
    mut parts: Streaming<v1::SupplyArtefactRequest>,
) -> Result<(), Status> {
    let first = next(&mut parts).await?.and_then(|first| first.message);
    let Some(Message::Artefact(supplied)) = first else {
        let message = "the first message must say which artefact comes";
        return Err(CallError::new(CallErrorKind::Invalid, message).into());
    };
    let supplied = SuppliedArtefact::try_from(supplied)?;
    store
        .check_supplier(host, &supplied)
        .map_err(|refusal: NotAsked| CallError::of(CallErrorKind::Denied, &refusal))?;
    let taken = take(store, driver, host, &supplied, parts).await;
    if taken.is_err() {
        store.failed(host, &supplied);
    }
    taken
}

/// Takes in the bytes of a package file.
async fn take(
    store: &ArtefactStore,
    driver: &DriverHandle,
    host: &HostId,
    supplied: &SuppliedArtefact,
    mut parts: Streaming<v1::SupplyArtefactRequest>,
) -> Result<(), Status> {
    let mut upload = begin(store, driver, supplied.file.size).await?;
    while let Some(part) = next(&mut parts).await? {
        let Some(Message::Chunk(chunk)) = part.message else {
            let message = "only chunks follow the first message";
            return Err(CallError::new(CallErrorKind::Invalid, message).into());
        };
        let bytes = chunk.into_bytes()?;
        let written = upload.write(&bytes).await;
        written.map_err(|error| refused(&error))?;
        store.goes_on(host, supplied);
    }
    let SuppliedArtefact { package, file } = supplied.clone();
    let (name, size) = (package.to_string(), file.size);
    let finished = upload.finish(Some(file), Some(package)).await;
    finished.map_err(|error| refused(&error))?;
    tracing::info!(%host, package = name, size, "a host brought a package to the artefact store");
    Ok(())
}

/// Begins to store a file. Where there is no room, what nothing needs makes some.
async fn begin(
    store: &ArtefactStore,
    driver: &DriverHandle,
    size: u64,
) -> Result<Upload, CallError> {
    let upload = match store.begin(size).await {
        Err(PutError::Full) => {
            artefact::sweep(store, driver, size)
                .await
                .map_err(call::stopping)?;
            store.begin(size).await
        }
        other => other,
    };
    upload.map_err(|error| refused(&error))
}

/// The next message of a stream whose other side does not stall.
async fn next<T>(stream: &mut Streaming<T>) -> Result<Option<T>, Status> {
    timeout(STALL, stream.message()).await.unwrap_or_else(|_| {
        let message = "nothing came for a minute";
        Err(CallError::new(CallErrorKind::TooLate, message).into())
    })
}

/// Opens a file, and sends it until it is there or this process stops.
pub(super) async fn send(
    store: &ArtefactStore,
    wanted: FetchArtefact,
    tasks: &Tasks,
    mut stop: Stop,
) -> Result<Chunks, CallError> {
    let (chunks, sending) = fetch(store, wanted).await?;
    tasks.spawn(async move {
        tokio::select! {
            biased;
            () = stop.asked() => {}
            () = sending => {}
        }
    });
    Ok(chunks)
}

/// Opens a file; what comes is sent by the task that is returned.
async fn fetch(
    store: &ArtefactStore,
    wanted: FetchArtefact,
) -> Result<(Chunks, impl Future<Output = ()> + Send + 'static), CallError> {
    let FetchArtefact { digest, offset } = wanted;
    let opened = store.fetch(digest, offset).await;
    let mut reading = opened.map_err(|error| unreadable(&error))?;
    let (chunks, stream) = mpsc::channel(AHEAD);
    let sending = async move {
        loop {
            let chunk = match reading.next().await {
                Ok(None) => return,
                Ok(Some(bytes)) => Ok(v1::Chunk {
                    data: bytes.to_vec(),
                }),
                Err(error) => Err(unreadable(&error).into()),
            };
            let is_last = chunk.is_err();
            let sent = timeout(STALL, chunks.send(chunk)).await;
            if is_last || !matches!(sent, Ok(Ok(()))) {
                return;
            }
        }
    };
    Ok((ReceiverStream::new(stream), sending))
}

/// All that is stored, and what of it is needed.
pub(super) async fn list(
    store: &ArtefactStore,
    driver: &DriverHandle,
) -> Result<Vec<ArtefactView>, CallError> {
    let needs = store.needs(driver).await.map_err(call::stopping)?;
    let view = |stored: artefact::Stored| {
        let name = stored.package.as_ref().map(|package| package.name.as_str());
        ArtefactView {
            needed: needs.need(&stored.digest, name),
            digest: stored.digest,
            size: stored.size,
            stored_at_ms: stored.stored_at,
            package: stored.package.map(|package| package.to_string()),
        }
    };
    Ok(store.list().into_iter().map(view).collect())
}

/// Has hosts bring the packages of a lock file, and those that they replace, while nothing is urgent.
pub(super) async fn fill(
    store: &ArtefactStore,
    driver: &DriverHandle,
    lock: &LockFile,
    selection: &Selection,
) -> Result<(), CallError> {
    let Locked::Packages { platforms } = &lock.content else {
        return Ok(());
    };
    if !store.limits().packages {
        return Ok(());
    }
    let suppliers = resolve::suppliers(driver, selection).await;
    let mut suppliers = suppliers.map_err(call::stopping)?;
    for locked in platforms {
        for host in suppliers.remove(&locked.platform).unwrap_or_default() {
            let request = SupplyRequest {
                packages: locked.packages.clone(),
                reach: locked.reach.clone(),
            };
            let told = driver.tell(host, ToAgent::Supply(Box::new(request)));
            told.await.map_err(call::stopping)?;
        }
    }
    Ok(())
}

fn refused(error: &PutError) -> CallError {
    let kind = match error {
        PutError::TooLarge(_) | PutError::OtherContent { .. } => CallErrorKind::Invalid,
        PutError::Full => CallErrorKind::NotNow,
        PutError::Busy => CallErrorKind::Unavailable,
        PutError::Store(_) => CallErrorKind::Internal,
    };
    CallError::of(kind, error)
}

fn unreadable(error: &FetchError) -> CallError {
    let kind = match error {
        FetchError::NotFound(_) => CallErrorKind::NotFound,
        FetchError::Busy => CallErrorKind::Unavailable,
        FetchError::Damaged { .. } | FetchError::Store(_) => CallErrorKind::Internal,
    };
    CallError::of(kind, error)
}
