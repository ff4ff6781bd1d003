//! Files that go out: proved once, then served from any byte on, at the store's rate.

use super::{ArtefactStore, CHUNK_BYTES, index::Entry, objects::Version};
use cofferdam_engine::digest::Digest;
use sha2::{Digest as _, Sha256};
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Duration, timeout},
};

/// How long a transfer may wait for its turn (guess: an agent waits a minute for the next bytes).
const TURN_WITHIN: Duration = Duration::from_secs(45);

/// Why a file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The store does not hold it.
    #[error("no artefact {0} is stored: `cofferdam artefact put` and `cofferdam plan` upload it")]
    NotFound(Digest),
    /// The file's content is not what was stored. It is removed.
    #[error(
        "artefact {wanted} is damaged, its content has digest {found}: it is removed, upload it again"
    )]
    Damaged {
        /// The file.
        wanted: Digest,
        /// The digest of its content now.
        found: Digest,
    },
    /// Too many files are going out.
    #[error("too many artefacts are going out: try again")]
    Busy,
    /// The file could not be read.
    #[error("cannot read the artefact store")]
    Store(#[from] object_store::Error),
}

/// A file that is going out.
#[derive(Debug)]
pub struct Reading {
    store: ArtefactStore,
    digest: Digest,
    /// What comes next.
    offset: u64,
    size: u64,
    window: Vec<u8>,
    /// How much of the window is gone.
    sent: usize,
    _turn: OwnedSemaphorePermit,
}

impl ArtefactStore {
    /// Opens a file from a byte on, once its content is proved.
    ///
    /// # Errors
    /// [`FetchError`] when it is not there, or not what was stored.
    pub async fn fetch(&self, digest: Digest, offset: u64) -> Result<Reading, FetchError> {
        if self.size(&digest).is_none() {
            return Err(FetchError::NotFound(digest));
        }
        let turns = self.shared.outgoing.clone().acquire_owned();
        let turn = timeout(TURN_WITHIN, turns).await;
        let turn = turn
            .map_err(|_| FetchError::Busy)?
            .map_err(|_| FetchError::Busy)?;
        let version = self.prove(&digest).await?;
        if let Some(entry) = self.state().index.get_mut(&digest) {
            entry.readers += 1;
        }
        Ok(Reading {
            store: self.clone(),
            digest,
            offset,
            size: version.size(),
            window: Vec::new(),
            sent: 0,
            _turn: turn,
        })
    }

    /// Makes sure that a file is what it was stored as. It is read through when that object was not
    /// proved by this process; one that is damaged is removed.
    async fn prove(&self, digest: &Digest) -> Result<Version, FetchError> {
        let version = self.version(digest).await?;
        if self.is_proved(digest, &version) {
            return Ok(version);
        }
        let _one = self.shared.proving.lock().await;
        let version = self.version(digest).await?;
        if self.is_proved(digest, &version) {
            return Ok(version);
        }
        let found = self.digest_of(digest, version.size()).await?;
        if found != *digest {
            self.remove_damaged(digest, found).await;
            let wanted = *digest;
            return Err(FetchError::Damaged { wanted, found });
        }
        if let Some(entry) = self.state().index.get_mut(digest) {
            entry.proved = Some(version.clone());
        }
        Ok(version)
    }

    fn is_proved(&self, digest: &Digest, version: &Version) -> bool {
        let state = self.state();
        let entry = state.index.get(digest);
        entry.is_some_and(|entry| entry.proved.as_ref() == Some(version))
    }

    /// Which object a file is now. One that somebody else deleted is noted to be gone.
    async fn version(&self, digest: &Digest) -> Result<Version, FetchError> {
        match self.shared.objects.version(digest).await {
            Ok(version) => Ok(version),
            Err(object_store::Error::NotFound { .. }) => {
                self.forget(digest);
                Err(FetchError::NotFound(*digest))
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn digest_of(&self, digest: &Digest, size: u64) -> Result<Digest, FetchError> {
        let mut hasher = Sha256::new();
        let mut offset = 0;
        while offset < size {
            let bytes = self.shared.objects.read(digest, offset, size).await?;
            if bytes.as_ref().is_empty() {
                break;
            }
            offset += bytes.as_ref().len() as u64;
            hasher.update(bytes.as_ref());
        }
        Ok(Digest::from_bytes(hasher.finalize().into()))
    }

    async fn remove_damaged(&self, digest: &Digest, found: Digest) {
        tracing::error!(artefact = %digest, %found, "a stored artefact is damaged, and is removed");
        self.figures().damaged.inc();
        self.forget(digest);
        if let Err(error) = self.shared.objects.delete(digest).await {
            let error = cofferdam_proto::error_chain(&error);
            tracing::error!(artefact = %digest, error, "a damaged artefact cannot be removed");
        }
    }

    fn forget(&self, digest: &Digest) -> Option<Entry> {
        let mut state = self.state();
        let entry = state.index.remove(digest);
        self.figures().holds(&state.index);
        entry
    }
}

impl Reading {
    /// The next bytes, [`CHUNK_BYTES`] at most. Nothing: it was all.
    ///
    /// # Errors
    /// [`FetchError`] when they cannot be read.
    pub async fn next(&mut self) -> Result<Option<&[u8]>, FetchError> {
        if self.sent == self.window.len() {
            if self.offset >= self.size {
                return Ok(None);
            }
            let objects = &self.store.shared.objects;
            let bytes = objects.read(&self.digest, self.offset, self.size).await?;
            self.window.clear();
            self.window.extend_from_slice(bytes.as_ref());
            self.sent = 0;
        }
        let chunk = CHUNK_BYTES.min(self.window.len() - self.sent);
        if chunk == 0 {
            // It became shorter: whoever fetches it misses the rest.
            return Ok(None);
        }
        self.store.shared.pace.take(chunk).await;
        let begin = self.sent;
        self.sent += chunk;
        self.offset += chunk as u64;
        self.store.figures().served_bytes.inc_by(chunk as u64);
        Ok(Some(&self.window[begin..self.sent]))
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        if let Some(entry) = self.store.state().index.get_mut(&self.digest) {
            entry.readers = entry.readers.saturating_sub(1);
        }
    }
}
