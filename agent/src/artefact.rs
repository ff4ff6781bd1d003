//! Bits from the region's artefact store, by hash.

use crate::host::{command::LocalFuture, durable::FileError};
use cofferdam_engine::{
    digest::Digest,
    failure::{Failure, FailureKind},
    patch::LockedFile,
};
use sha2::{Digest as _, Sha256};
use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::time::timeout;

/// How long fetching a config file may take (guess).
const DEADLINE: Duration = Duration::from_secs(300);

/// The region's artefact store. One body asks the coordinator, another answers by script.
pub trait Artefacts {
    /// Hands over the bytes that have a digest, piece by piece and in order. They are not checked
    /// yet: the receiver does that.
    ///
    /// # Errors
    /// [`FailureKind::Network`] when the store cannot be reached, [`FailureKind::NotFound`] when it
    /// does not have them; what the receiver fails with is passed on.
    fn fetch<'a>(
        &'a self,
        digest: Digest,
        receiver: &'a mut dyn Receiver,
    ) -> LocalFuture<'a, Result<(), Failure>>;
}

/// Takes bytes as they come.
pub trait Receiver {
    /// Takes the next piece.
    ///
    /// # Errors
    /// A [`Failure`] when it wants no more.
    fn take(&mut self, piece: &[u8]) -> Result<(), Failure>;
}

/// Fetches a file and proves its size and hash.
///
/// # Errors
/// [`FailureKind::Signature`] when other bytes came than are locked; any other [`Failure`] when
/// they could not be fetched or written. Then `into` is not to be used.
pub async fn fetch(
    artefacts: &dyn Artefacts,
    wanted: &LockedFile,
    into: &Path,
) -> Result<(), Failure> {
    let mut file = Proving {
        path: into.to_owned(),
        file: File::create(into).map_err(FileError::of("making", into))?,
        hasher: Sha256::new(),
        wanted,
        length: 0,
    };
    let fetching = artefacts.fetch(wanted.sha256, &mut file);
    let Ok(fetched) = timeout(DEADLINE, fetching).await else {
        let detail = format!(
            "fetching {} took over {} s",
            wanted.sha256,
            DEADLINE.as_secs()
        );
        return Err(Failure::new(FailureKind::Network, detail));
    };
    fetched?;
    file.finish()
}

/// A file that is written, counted and hashed as it comes.
struct Proving<'a> {
    path: PathBuf,
    file: File,
    hasher: Sha256,
    wanted: &'a LockedFile,
    length: u64,
}

impl Receiver for Proving<'_> {
    fn take(&mut self, piece: &[u8]) -> Result<(), Failure> {
        self.length += piece.len() as u64;
        if self.length > self.wanted.size {
            return Err(self.other(&format!("more than {} bytes", self.wanted.size)));
        }
        self.hasher.update(piece);
        let written = self.file.write_all(piece);
        Ok(written.map_err(FileError::of("writing", &self.path))?)
    }
}

impl Proving<'_> {
    fn finish(mut self) -> Result<(), Failure> {
        let digest = Digest::from_bytes(std::mem::take(&mut self.hasher).finalize().into());
        if digest != self.wanted.sha256 {
            return Err(self.other(&format!("{} bytes of {digest}", self.length)));
        }
        Ok(())
    }

    fn other(&self, came: &str) -> Failure {
        let detail = format!("the artefact store sent {came} for {}", self.wanted.sha256);
        Failure::new(FailureKind::Signature, detail)
    }
}

#[cfg(test)]
pub(crate) mod scripted {
    use super::*;
    use std::collections::BTreeMap;

    /// A store that answers with these bytes, whatever their digest is.
    #[derive(Default)]
    pub(crate) struct Scripted(pub(crate) BTreeMap<Digest, Vec<u8>>);

    impl Artefacts for Scripted {
        fn fetch<'a>(
            &'a self,
            digest: Digest,
            receiver: &'a mut dyn Receiver,
        ) -> LocalFuture<'a, Result<(), Failure>> {
            Box::pin(async move {
                let Some(bytes) = self.0.get(&digest) else {
                    return Err(Failure::new(FailureKind::NotFound, digest.to_string()));
                };
                bytes.chunks(3).try_for_each(|piece| receiver.take(piece))
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{scripted::Scripted, *};
    use std::{collections::BTreeMap, fs};

    async fn fetched(sent: &[u8]) -> Result<Vec<u8>, Failure> {
        let wanted = LockedFile {
            sha256: Digest::of("what is wanted"),
            size: 14,
        };
        let store = Scripted(BTreeMap::from([(wanted.sha256, sent.to_vec())]));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        fetch(&store, &wanted, &path).await?;
        Ok(fs::read(path).unwrap())
    }

    #[tokio::test]
    async fn what_is_wanted_is_taken() {
        assert_eq!(fetched(b"what is wanted").await.unwrap(), b"what is wanted");
    }

    #[tokio::test]
    async fn anything_else_is_refused() {
        for other in [
            &b"what is wasted"[..],
            b"what is",
            b"",
            b"what is wanted, and more",
        ] {
            let failure = fetched(other).await.unwrap_err();
            assert_eq!(failure.kind, FailureKind::Signature, "{failure}");
        }
    }
}
