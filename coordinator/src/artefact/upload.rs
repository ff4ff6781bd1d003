//! Files that come in: counted, hashed, and stored under their hash when both are as announced.

use super::{ArtefactStore, locked};
use cofferdam_engine::{digest::Digest, patch::LockedFile};
use cofferdam_proto::artefact::PackageFile;
use object_store::{WriteMultipart, path::Path};
use sha2::{Digest as _, Sha256};
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Duration, timeout},
};

/// How long a file may wait for its turn (guess).
const TURN_WITHIN: Duration = Duration::from_secs(60);

/// Parts of one file that are written at once at most: each is in memory.
const PARTS: usize = 2;

/// Why a file could not be stored.
#[derive(Debug, thiserror::Error)]
pub enum PutError {
    /// It has more bytes than are allowed.
    #[error(
        "an artefact has at most {0} bytes: `artefacts.largest_mib` in coordinator.toml says so"
    )]
    TooLarge(u64),
    /// The store is full of what is needed.
    #[error("the artefact store is full: raise `artefacts.quota_mib` in coordinator.toml")]
    Full,
    /// Too many files are coming in.
    #[error("too many artefacts are coming in: try again")]
    Busy,
    /// Its content is not what was announced.
    #[error("{} bytes of {} came, {} of {} were announced", found.size, found.sha256, announced.size, announced.sha256)]
    OtherContent {
        /// What was announced.
        announced: LockedFile,
        /// What came.
        found: LockedFile,
    },
    /// The file could not be written.
    #[error("cannot write to the artefact store")]
    Store(#[from] object_store::Error),
}

/// A file that is coming in. Dropped before its end, it leaves nothing that has a name.
#[derive(Debug)]
pub struct Upload {
    store: ArtefactStore,
    written: Path,
    writing: Option<WriteMultipart>,
    hasher: Sha256,
    size: u64,
    _turn: OwnedSemaphorePermit,
}

impl ArtefactStore {
    /// Begins to store a file, of so many bytes as far as that is known.
    ///
    /// # Errors
    /// [`PutError`] when there is no room for it, or it cannot be written.
    pub async fn begin(&self, size: u64) -> Result<Upload, PutError> {
        let limits = self.limits();
        if size > limits.largest {
            return Err(PutError::TooLarge(limits.largest));
        }
        if !self.state().index.fits(size, limits.quota) {
            return Err(PutError::Full);
        }
        let turns = self.shared.incoming.clone().acquire_owned();
        let turn = timeout(TURN_WITHIN, turns).await;
        let turn = turn
            .map_err(|_| PutError::Busy)?
            .map_err(|_| PutError::Busy)?;
        let (written, writing) = self.shared.objects.begin().await?;
        Ok(Upload {
            store: self.clone(),
            written,
            writing: Some(writing),
            hasher: Sha256::new(),
            size: 0,
            _turn: turn,
        })
    }
}

impl Upload {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// [`PutError`] when they are too many or cannot be written.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), PutError> {
        let limits = self.store.limits();
        let more = bytes.len() as u64;
        if self.size.saturating_add(more) > limits.largest {
            return Err(PutError::TooLarge(limits.largest));
        }
        {
            let mut state = self.store.state();
            if !state.index.fits(more, limits.quota) {
                return Err(PutError::Full);
            }
            state.index.coming(more);
        }
        self.size += more;
        self.hasher.update(bytes);
        if let Some(writing) = &mut self.writing {
            writing.wait_for_capacity(PARTS).await?;
            writing.write(bytes);
        }
        Ok(())
    }

    /// Makes the file durable under its digest. One that is already stored is replaced by itself, and
    /// counts as stored anew.
    ///
    /// # Errors
    /// [`PutError`] when it is not what was announced, or cannot be written.
    pub async fn finish(
        mut self,
        announced: Option<LockedFile>,
        package: Option<PackageFile>,
    ) -> Result<LockedFile, PutError> {
        let digest = Digest::from_bytes(std::mem::take(&mut self.hasher).finalize().into());
        let found = locked(digest, self.size);
        if let Some(announced) = announced
            && announced != found
        {
            return Err(PutError::OtherContent { announced, found });
        }
        if let Some(writing) = self.writing.take() {
            writing.finish().await?;
        }
        let shared = &self.store.shared;
        let settled = shared
            .objects
            .settle(&self.written, &digest, package.as_ref());
        let version = match settled.await {
            Ok(version) => version,
            Err(error) => {
                // What has no name goes at the next start, at the latest.
                shared.objects.discard(&self.written).await.ok();
                return Err(error.into());
            }
        };
        {
            let mut state = self.store.state();
            state.index.insert(digest, version.entry(package.clone()));
            state.desk.brought(digest, package.as_ref());
            shared.figures.holds(&state.index);
        }
        shared.figures.stored_bytes.inc_by(self.size);
        self.store.tell_news();
        Ok(found)
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        self.store.state().index.came(self.size);
        let Some(writing) = self.writing.take() else {
            return;
        };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            // What cannot be taken back has no name, and goes at the next start.
            runtime.spawn(async move { writing.abort().await.ok() });
        }
    }
}
