//! The artefact store: files by the SHA-256 of their content, in a folder.
//!
//! A file is written under a temporary name, synced, then renamed, so that a name is either absent
//! or holds the whole content. It is checked again when it is read. All of it blocks.

use cofferdam_engine::digest::Digest;
use sha2::{Digest as _, Sha256};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// The most bytes of one artefact: config files are text; packages come from their repositories
/// (guess).
pub const MAX_ARTEFACT_BYTES: u64 = 16 * 1024 * 1024;

/// The bytes that travel in one message (a quarter of gRPC's usual limit of 4 MiB would do; 64 KiB
/// keep the memory of a thousand transfers below 64 MiB).
pub const CHUNK_BYTES: usize = 64 * 1024;

/// A folder of artefacts. Clones are the same folder.
#[derive(Debug, Clone)]
pub struct ArtefactFolder {
    dir: Arc<PathBuf>,
    temporary: Arc<AtomicU64>,
}

/// Why an artefact could not be stored.
#[derive(Debug, thiserror::Error)]
pub enum PutError {
    /// It has more than [`MAX_ARTEFACT_BYTES`].
    #[error("an artefact has at most {MAX_ARTEFACT_BYTES} bytes")]
    TooLarge,
    /// Its content is not what was announced.
    #[error("the content has digest {found}, {announced} was announced")]
    OtherContent {
        /// The digest that was announced.
        announced: Digest,
        /// The digest of what came.
        found: Digest,
    },
    /// The file could not be written.
    #[error("cannot write {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// Why an artefact could not be read.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The store does not hold it.
    #[error("no artefact {0} is stored: `cofferdam plan` uploads it")]
    NotFound(Digest),
    /// The file's content is not what was stored.
    #[error(
        "{} is damaged, its content has digest {found}: delete it and upload it again",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The digest of its content now.
        found: Digest,
    },
    /// The file could not be read.
    #[error("cannot read {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl ArtefactFolder {
    /// Opens a folder, which is made when it is not there, and clears what a crash left half
    /// written.
    ///
    /// # Errors
    /// What the system said.
    pub fn open(dir: &Path) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        for entry in fs::read_dir(dir)? {
            let path = entry?.path();
            if path.extension().is_some_and(|ending| ending == "part") {
                fs::remove_file(path)?;
            }
        }
        Ok(Self {
            dir: Arc::new(dir.to_owned()),
            temporary: Arc::default(),
        })
    }

    /// Begins to store an artefact.
    ///
    /// # Errors
    /// [`PutError::Io`].
    pub fn begin(&self) -> Result<Upload, PutError> {
        let number = self.temporary.fetch_add(1, Ordering::Relaxed);
        let path = self.dir.join(format!("{number}.part"));
        let opened = OpenOptions::new().write(true).create_new(true).open(&path);
        match opened {
            Ok(file) => Ok(Upload {
                folder: self.clone(),
                path,
                file,
                hasher: Sha256::new(),
                size: 0,
            }),
            Err(source) => Err(PutError::Io { path, source }),
        }
    }

    /// The size of a stored artefact in bytes. Nothing when it is not stored.
    pub fn size(&self, digest: &Digest) -> Option<u64> {
        fs::metadata(self.path(digest))
            .ok()
            .map(|found| found.len())
    }

    /// The content of an artefact.
    ///
    /// # Errors
    /// [`FetchError`] when it is not there, or not what was stored.
    pub fn fetch(&self, digest: &Digest) -> Result<Vec<u8>, FetchError> {
        let path = self.path(digest);
        let mut content = Vec::new();
        let read = File::open(&path)
            .and_then(|file| file.take(MAX_ARTEFACT_BYTES + 1).read_to_end(&mut content));
        match read {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(FetchError::NotFound(*digest));
            }
            Err(source) => return Err(FetchError::Io { path, source }),
        }
        let found = Digest::of(&content);
        if found != *digest {
            return Err(FetchError::Damaged { path, found });
        }
        Ok(content)
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        self.dir.join(digest.to_string())
    }
}

/// An artefact that is coming in. Dropped before its end, it leaves nothing.
#[derive(Debug)]
pub struct Upload {
    folder: ArtefactFolder,
    path: PathBuf,
    file: File,
    hasher: Sha256,
    size: u64,
}

impl Upload {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// [`PutError`] when they are too many or cannot be written.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), PutError> {
        self.size += bytes.len() as u64;
        if self.size > MAX_ARTEFACT_BYTES {
            return Err(PutError::TooLarge);
        }
        self.hasher.update(bytes);
        self.file
            .write_all(bytes)
            .map_err(|source| self.failed(source))
    }

    /// Makes the artefact durable under its digest, with its size in bytes. One that is already
    /// stored is replaced by itself.
    ///
    /// # Errors
    /// [`PutError`] when it is not what was announced, or cannot be written.
    pub fn finish(self, announced: Option<Digest>) -> Result<(Digest, u64), PutError> {
        let found = Digest::from_bytes(self.hasher.clone().finalize().into());
        if let Some(announced) = announced
            && announced != found
        {
            return Err(PutError::OtherContent { announced, found });
        }
        self.file
            .sync_all()
            .and_then(|()| fs::rename(&self.path, self.folder.path(&found)))
            .and_then(|()| File::open(&*self.folder.dir)?.sync_all())
            .map_err(|source| self.failed(source))?;
        Ok((found, self.size))
    }

    fn failed(&self, source: io::Error) -> PutError {
        PutError::Io {
            path: self.path.clone(),
            source,
        }
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        // After `finish` the name is gone already; one that stays is cleared at the next start.
        fs::remove_file(&self.path).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, ArtefactFolder) {
        let dir = tempfile::tempdir().unwrap();
        let folder = ArtefactFolder::open(dir.path()).unwrap();
        (dir, folder)
    }

    fn put(folder: &ArtefactFolder, content: &[u8]) -> Digest {
        let mut upload = folder.begin().unwrap();
        upload.write(content).unwrap();
        upload.finish(None).unwrap().0
    }

    fn files_in(dir: &Path) -> usize {
        fs::read_dir(dir).unwrap().count()
    }

    #[test]
    fn an_artefact_is_found_by_its_digest() {
        let (_dir, folder) = folder();
        let digest = put(&folder, b"listen 80");

        assert_eq!(digest, Digest::of("listen 80"));
        assert_eq!(folder.fetch(&digest).unwrap(), b"listen 80");
        assert_eq!(folder.size(&digest), Some(9));
    }

    #[test]
    fn the_same_artefact_twice_is_one() {
        let (dir, folder) = folder();
        assert_eq!(put(&folder, b"x"), put(&folder, b"x"));
        assert_eq!(files_in(dir.path()), 1);
    }

    #[test]
    fn one_that_is_not_there_is_named() {
        let (_dir, folder) = folder();
        let digest = Digest::of("x");
        let message = folder.fetch(&digest).unwrap_err().to_string();
        assert!(message.contains(&digest.to_string()), "{message}");
    }

    #[test]
    fn a_damaged_one_is_never_served() {
        let (dir, folder) = folder();
        let digest = put(&folder, b"listen 80");
        fs::write(dir.path().join(digest.to_string()), b"listen 81").unwrap();
        assert!(matches!(
            folder.fetch(&digest),
            Err(FetchError::Damaged { .. })
        ));
    }

    #[test]
    fn other_content_than_announced_is_refused_and_leaves_nothing() {
        let (dir, folder) = folder();
        let mut upload = folder.begin().unwrap();
        upload.write(b"x").unwrap();
        let refused = upload.finish(Some(Digest::of("y")));
        assert!(matches!(refused, Err(PutError::OtherContent { .. })));
        assert_eq!(files_in(dir.path()), 0);
    }

    #[test]
    fn one_that_is_too_large_is_refused_and_leaves_nothing() {
        let (dir, folder) = folder();
        let mut upload = folder.begin().unwrap();
        let chunk = vec![0; 1024 * 1024];
        for _ in 0..16 {
            upload.write(&chunk).unwrap();
        }
        assert!(matches!(upload.write(b"x"), Err(PutError::TooLarge)));
        drop(upload);
        assert_eq!(files_in(dir.path()), 0);
    }

    #[test]
    fn what_a_crash_left_half_written_is_cleared() {
        let (dir, folder) = folder();
        let digest = put(&folder, b"whole");
        fs::write(dir.path().join("0.part"), b"half").unwrap();

        let reopened = ArtefactFolder::open(dir.path()).unwrap();

        assert_eq!(files_in(dir.path()), 1);
        assert!(reopened.fetch(&digest).is_ok());
    }
}
