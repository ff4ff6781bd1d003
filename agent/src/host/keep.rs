//! The keep: the bits that this host may need, new and old, by hash.
//!
//! ```text
//! keep/<sha256>.deb    a package file, or .rpm  keep/<sha256>.json   its label
//! keep/<sha256>.file   a config file's content  keep/incoming/       what is being fetched
//! ```
//!
//! A label is written before its package, and everything by rename, so what is there is whole. What
//! is in the keep stays until a sweep finds that nothing needs it.

use super::durable::{self, FileError};
use crate::packages::stanza::Label;
use cofferdam_engine::{digest::Digest, package::PackageFormat};
use sha2::{Digest as _, Sha256};
use std::{
    cell::Cell,
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    rc::Rc,
};
use tokio::task::spawn_blocking;

/// The agent's own store of bits.
#[derive(Debug)]
pub struct Keep {
    folder: PathBuf,
    format: PackageFormat,
    filling: Rc<Cell<usize>>,
}

/// As long as it lives, nothing is swept: bits come in that no record names yet.
#[derive(Debug)]
pub struct Filling(Rc<Cell<usize>>);

impl Drop for Filling {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

impl Keep {
    /// Opens the keep in a state folder, and makes it where it is missing. Its package files are of one
    /// format.
    ///
    /// # Errors
    /// [`FileError`] when its folders cannot be made.
    pub fn open(state_dir: &Path, format: PackageFormat) -> Result<Self, FileError> {
        let folder = state_dir.join("keep");
        let incoming = folder.join("incoming");
        fs::create_dir_all(&incoming).map_err(FileError::of("making", &incoming))?;
        Ok(Self {
            folder,
            format,
            filling: Rc::default(),
        })
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where a package file is, or would be.
    pub fn package(&self, digest: Digest) -> PathBuf {
        let ending = self.format.ending();
        self.folder.join(format!("{digest}.{ending}"))
    }

    /// Where a config file's content is, or would be.
    pub fn file(&self, digest: Digest) -> PathBuf {
        self.folder.join(format!("{digest}.file"))
    }

    /// Keeps a sweep away while bits come in.
    pub fn filling(&self) -> Filling {
        self.filling.set(self.filling.get() + 1);
        Filling(Rc::clone(&self.filling))
    }

    /// An empty folder to fetch into, on the keep's own file system.
    ///
    /// # Errors
    /// [`FileError`] when it cannot be emptied or made.
    pub fn incoming(&self, purpose: &str) -> Result<PathBuf, FileError> {
        let folder = self.folder.join("incoming").join(purpose);
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(FileError::of("emptying", &folder)(error));
            }
            Ok(()) | Err(_) => {}
        }
        fs::create_dir_all(&folder).map_err(FileError::of("making", &folder))?;
        Ok(folder)
    }

    /// Takes a package file in by moving it, under the digest that its content has.
    ///
    /// # Errors
    /// [`FileError`] when it cannot be read, synced or moved.
    pub async fn take_package(&self, from: &Path, label: &Label) -> Result<Digest, FileError> {
        let digest = digest_of(from).await?;
        let json = serde_json::to_vec(label).expect("plain data becomes JSON");
        durable::write(&self.label_path(digest), &json)?;
        sync(from)?;
        durable::rename(from, &self.package(digest))?;
        Ok(digest)
    }

    /// Takes a file's content in by moving it, under the digest that it has.
    ///
    /// # Errors
    /// [`FileError`] when it cannot be read, synced or moved.
    pub async fn take_file(&self, from: &Path) -> Result<Digest, FileError> {
        let digest = digest_of(from).await?;
        sync(from)?;
        durable::rename(from, &self.file(digest))?;
        Ok(digest)
    }

    /// Finds the packages of this name and version, in the order of their digests: there may be several.
    ///
    /// # Errors
    /// [`FileError`] when the keep cannot be read. A label that is garbled is passed over.
    pub fn find_packages(&self, name: &str, version: &str) -> Result<Vec<Digest>, FileError> {
        let mut found = self.digests("json")?;
        found.retain(|&digest| {
            let label = self.label(digest);
            let is_it = label.is_some_and(|label| label.is_version_of(name, version));
            is_it && self.package(digest).exists()
        });
        Ok(found)
    }

    /// What a kept package says of itself. Absent: it is not kept whole.
    pub fn label(&self, digest: Digest) -> Option<Label> {
        let json = durable::read(&self.label_path(digest)).ok()??;
        serde_json::from_slice(&json).ok()
    }

    /// Removes what is not needed, and all that came in halfway. Does nothing while bits come in.
    ///
    /// # Errors
    /// [`FileError`] when something cannot be removed; what was removed before is gone.
    pub fn sweep(&self, needed: &BTreeSet<Digest>) -> Result<(), FileError> {
        if self.filling.get() > 0 {
            return Ok(());
        }
        for ending in ["deb", "rpm", "file", "json"] {
            for digest in self.digests(ending)? {
                if !needed.contains(&digest) {
                    durable::remove(&self.folder.join(format!("{digest}.{ending}")))?;
                }
            }
        }
        let incoming = self.folder.join("incoming");
        fs::remove_dir_all(&incoming)
            .and_then(|()| fs::create_dir(&incoming))
            .map_err(FileError::of("emptying", &incoming))
    }

    /// The digests of the kept package files.
    ///
    /// # Errors
    /// [`FileError`] when the keep cannot be read.
    pub fn packages(&self) -> Result<Vec<Digest>, FileError> {
        self.digests(self.format.ending())
    }

    fn label_path(&self, digest: Digest) -> PathBuf {
        self.folder.join(format!("{digest}.json"))
    }

    fn digests(&self, ending: &str) -> Result<Vec<Digest>, FileError> {
        let entries = fs::read_dir(&self.folder)
            .and_then(Iterator::collect::<io::Result<Vec<_>>>)
            .map_err(FileError::of("reading", &self.folder))?;
        let mut digests: Vec<Digest> = entries
            .iter()
            .filter_map(|entry| {
                let name = entry.file_name().into_string().ok()?;
                let (stem, end) = name.split_once('.')?;
                (end == ending).then(|| Digest::parse(stem).ok())?
            })
            .collect();
        digests.sort();
        Ok(digests)
    }
}

/// The digest of a file's content, computed beside the agent's one thread.
///
/// # Errors
/// [`FileError`] when the file cannot be read.
pub async fn digest_of(path: &Path) -> Result<Digest, FileError> {
    let name = path.to_owned();
    let hashing = spawn_blocking(move || hash(&name));
    hashing
        .await
        .unwrap_or_else(|panic| Err(io::Error::other(panic)))
        .map_err(FileError::of("reading", path))
}

/// The digest of a file's content, read by the calling thread.
///
/// # Errors
/// The system's error when it cannot be read.
pub fn hash(path: &Path) -> io::Result<Digest> {
    hash_of(File::open(path)?)
}

/// The digest of all that is left to be read of something.
///
/// # Errors
/// The system's error when it cannot be read.
pub fn hash_of(mut file: impl Read) -> io::Result<Digest> {
    let mut hasher = Sha256::new();
    let mut piece = vec![0; 64 << 10];
    loop {
        let length = file.read(&mut piece)?;
        if length == 0 {
            return Ok(Digest::from_bytes(hasher.finalize().into()));
        }
        hasher.update(&piece[..length]);
    }
}

fn sync(path: &Path) -> Result<(), FileError> {
    File::open(path)
        .and_then(|file| file.sync_all())
        .map_err(FileError::of("syncing", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(version: &str) -> Label {
        Label {
            name: "tool".to_owned(),
            version: version.to_owned(),
            architecture: "all".to_owned(),
            installed_kib: 1,
            files: None,
        }
    }

    async fn keep_with(folder: &Path, versions: &[&str]) -> Keep {
        let keep = Keep::open(folder, PackageFormat::Deb).unwrap();
        for version in versions {
            let file = keep.incoming("test").unwrap().join("x.deb");
            fs::write(&file, version).unwrap();
            keep.take_package(&file, &label(version)).await.unwrap();
        }
        keep
    }

    #[tokio::test]
    async fn a_package_is_found_by_name_and_version() {
        let folder = tempfile::tempdir().unwrap();
        let keep = keep_with(folder.path(), &["1", "2"]).await;
        let found = keep.find_packages("tool", "2").unwrap();
        assert_eq!(found, [Digest::of("2")]);
        assert_eq!(fs::read(keep.package(found[0])).unwrap(), b"2");
        assert_eq!(keep.find_packages("tool", "3").unwrap(), []);
        assert_eq!(keep.find_packages("other", "2").unwrap(), []);
    }

    #[tokio::test]
    async fn a_sweep_leaves_what_is_needed() {
        let folder = tempfile::tempdir().unwrap();
        let keep = keep_with(folder.path(), &["1", "2"]).await;
        keep.sweep(&BTreeSet::from([Digest::of("1")])).unwrap();
        assert_eq!(keep.packages().unwrap(), [Digest::of("1")]);
        assert!(keep.label(Digest::of("2")).is_none());
    }

    #[tokio::test]
    async fn nothing_is_swept_while_bits_come_in() {
        let folder = tempfile::tempdir().unwrap();
        let keep = keep_with(folder.path(), &["1"]).await;
        let filling = keep.filling();
        keep.sweep(&BTreeSet::new()).unwrap();
        assert_eq!(keep.packages().unwrap().len(), 1);
        drop(filling);
        keep.sweep(&BTreeSet::new()).unwrap();
        assert!(keep.packages().unwrap().is_empty());
    }
}
