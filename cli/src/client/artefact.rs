//! Files of the artefact store, as the command puts, lists and fetches them.

use super::{ANSWER, Client, WORK};
use anyhow::Result;
use cofferdam_engine::digest::Digest;
use cofferdam_proto::{
    artefact::FetchArtefact,
    operator::{ArtefactStored, ArtefactView},
    v1,
};
use std::time::Duration;
use tokio::time::timeout;
use tokio_stream::{Stream, StreamExt as _};
use tonic::Streaming;

/// The slowest that an artefact may be sent, in bytes a second: 2 Mbit/s (guess).
const SLOWEST: u64 = 256 << 10;

/// An artefact that comes.
pub struct Fetching {
    stream: Streaming<v1::Chunk>,
    client: Client,
    what: String,
}

impl Client {
    /// Stores the bytes of an artefact, which come in pieces and are so many in all.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn put_artefact(
        &self,
        pieces: impl Stream<Item = Vec<u8>> + Send + 'static,
        size: u64,
    ) -> Result<ArtefactStored> {
        let chunks = pieces.map(|data| v1::Chunk { data });
        let within = WORK + Duration::from_secs(size / SLOWEST);
        let mut api = self.api.clone();
        let call = api.put_artefact(chunks);
        self.answer("store the artefact", within, call).await
    }

    /// What the artefact store holds, in order of digests.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn artefacts(&self) -> Result<Vec<ArtefactView>> {
        let what = "list the artefacts";
        let mut api = self.api.clone();
        let call = api.list_artefacts(v1::ListArtefactsRequest {});
        let stream = self.reply(what, ANSWER, call).await?.into_inner();
        self.all(what, stream, ArtefactView::try_from).await
    }

    /// Fetches the bytes of an artefact. The store reads it through before it sends any.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn fetch_artefact(&self, digest: Digest) -> Result<Fetching> {
        let what = format!("fetch artefact {digest}");
        let mut api = self.api.clone();
        let wanted = FetchArtefact { digest, offset: 0 };
        let call = api.fetch_artefact(v1::FetchArtefactRequest::from(wanted));
        let stream = self.reply(&what, WORK, call).await?.into_inner();
        let client = self.clone();
        Ok(Fetching {
            stream,
            client,
            what,
        })
    }
}

impl Fetching {
    /// The next bytes. Nothing: it was all.
    ///
    /// # Errors
    /// When the connection breaks, or nothing comes for long.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        let (client, what) = (&self.client, &self.what);
        // The store serves all that fetch in turn, at its rate.
        let next = timeout(WORK, self.stream.message()).await;
        let next = next.map_err(|_| client.silent(what, WORK))?;
        let next = next.map_err(|status| client.failed(what, status))?;
        let bytes = next.map(|chunk| client.checked(what, chunk.into_bytes()));
        bytes.transpose()
    }
}
