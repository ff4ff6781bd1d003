//! Where the files are: a folder, an object store by its URL, or memory.
//!
//! ```text
//! SHA256          a file's content           incoming/N    what is coming in
//! SHA256.json     which package it is        (absent: another file)
//! ```
//!
//! The names are the same everywhere. What has no such name was left by a crash; a package's name is
//! written before its content.

use super::index::{Entry, Index};
use cofferdam_engine::{digest::Digest, time::Timestamp};
use cofferdam_proto::artefact::PackageFile;
use object_store::{
    Error, ObjectMeta, ObjectStore, ObjectStoreExt as _, ObjectStoreScheme, PutPayload,
    WriteMultipart, local::LocalFileSystem, memory::InMemory, parse_url_opts, path::Path,
};
use std::{
    fs, io,
    path::{Path as FilePath, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio_stream::StreamExt as _;
use url::Url;

/// The bytes of one read or write of a folder: a call to the system each.
const FOLDER_PART: usize = 256 << 10;

/// The bytes of one request to an object store: S3 takes no smaller part of an upload than 5 MiB.
const REMOTE_PART: usize = 5 << 20;

/// What an object store is told beside its URL is in the environment, by these beginnings.
const ENVIRONMENT: [&str; 3] = ["AWS_", "GOOGLE_", "AZURE_"];

/// Where what is coming in is kept.
const INCOMING: &str = "incoming";

/// Where the store's files are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A folder, which is made when it is not there.
    Folder(PathBuf),
    /// An object store, as in `s3://bucket/prefix`. Credentials come from the environment.
    Remote(Url),
    /// Nowhere: for simulation, in which blocking work stops the time.
    Memory,
}

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder could not be made or emptied.
    #[error("cannot open the artefacts in {}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The object store cannot be read.
    #[error("cannot open the artefacts in {location}")]
    Objects {
        /// Its folder or URL.
        location: String,
        /// What it said.
        #[source]
        source: Error,
    },
    /// This program was built without what that kind of store needs.
    #[error(
        "cannot open the artefacts in {0}: this coordinator was built without object stores; build it \
         with `--features s3`"
    )]
    NotBuilt(Url),
}

/// Tells two objects under one name apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version {
    size: u64,
    modified_ms: i64,
    tag: Option<String>,
}

/// The files, by their names.
#[derive(Debug)]
pub(super) struct Objects {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    location: Location,
    part: usize,
    incoming: AtomicU64,
}

impl Objects {
    /// Opens a place.
    ///
    /// # Errors
    /// [`OpenError`] when it is not there and cannot be made.
    pub(super) fn open(location: &Location) -> Result<Self, OpenError> {
        let (store, prefix, part): (Arc<dyn ObjectStore>, _, _) = match location {
            Location::Folder(path) => (folder(path)?, Path::default(), FOLDER_PART),
            Location::Remote(url) => {
                let (store, prefix) = remote(url)?;
                (store, prefix, REMOTE_PART)
            }
            Location::Memory => (Arc::new(InMemory::new()), Path::default(), FOLDER_PART),
        };
        Ok(Self {
            store,
            prefix,
            part,
            location: location.clone(),
            incoming: AtomicU64::new(0),
        })
    }

    /// Deletes what was coming in when an earlier process ended.
    pub(super) async fn clear_leftovers(&self) -> Result<(), OpenError> {
        if let Location::Folder(path) = &self.location {
            // The library keeps what is not whole yet under names that it does not list.
            return clear_folder(path);
        }
        let incoming = self.prefix.clone().join(INCOMING);
        let left = self.store.list(Some(&incoming));
        let left: Vec<ObjectMeta> = left.collect::<Result<_, _>>().await.map_err(self.of())?;
        for object in left {
            let deleted = self.store.delete(&object.location).await;
            deleted.map_err(self.of())?;
        }
        Ok(())
    }

    /// What is there. The names of packages whose content is not there are deleted.
    pub(super) async fn index(&self) -> Result<Index, OpenError> {
        let mut index = Index::default();
        let objects = self.store.list(Some(&self.prefix));
        let objects: Vec<ObjectMeta> =
            objects.collect::<Result<_, _>>().await.map_err(self.of())?;
        let (labels, files): (Vec<_>, Vec<_>) = objects.iter().partition(|object| is_label(object));
        for object in files {
            let name = object.location.filename().unwrap_or_default();
            if let Ok(digest) = Digest::parse(name) {
                let entry = version(object).entry(None);
                let proved = None;
                index.insert(digest, Entry { proved, ..entry });
            }
        }
        for label in labels {
            let name = label.location.filename().unwrap_or_default();
            let digest = Digest::parse(name.trim_end_matches(".json")).ok();
            let stored = digest.and_then(|digest| Some((digest, index.get(&digest)?.clone())));
            let Some((digest, entry)) = stored else {
                self.store
                    .delete(&label.location)
                    .await
                    .map_err(self.of())?;
                continue;
            };
            let package = self.package(&label.location).await.map_err(self.of())?;
            index.insert(digest, Entry { package, ..entry });
        }
        Ok(index)
    }

    /// Which package a file is. Nothing when what is written of it cannot be read.
    async fn package(&self, label: &Path) -> Result<Option<PackageFile>, Error> {
        let json = self.store.get(label).await?.bytes().await?;
        Ok(serde_json::from_slice(&json).ok())
    }

    /// Begins to write an object under a name of its own.
    pub(super) async fn begin(&self) -> Result<(Path, WriteMultipart), Error> {
        let number = self.incoming.fetch_add(1, Ordering::Relaxed);
        let path = self.prefix.clone().join(INCOMING).join(number.to_string());
        let upload = self.store.put_multipart(&path).await?;
        let writing = WriteMultipart::new_with_chunk_size(upload, self.part);
        Ok((path, writing))
    }

    /// Gives an object that is written its name, after that of its package.
    pub(super) async fn settle(
        &self,
        written: &Path,
        digest: &Digest,
        package: Option<&PackageFile>,
    ) -> Result<Version, Error> {
        if let Some(package) = package {
            let json = serde_json::to_vec(package).expect("plain data becomes JSON");
            let label = self.label(digest);
            self.store.put(&label, PutPayload::from(json)).await?;
        }
        self.store.rename(written, &self.content(digest)).await?;
        self.version(digest).await
    }

    /// Deletes what was written and has no name.
    pub(super) async fn discard(&self, written: &Path) -> Result<(), Error> {
        self.store.delete(written).await
    }

    /// Which object a file is now.
    pub(super) async fn version(&self, digest: &Digest) -> Result<Version, Error> {
        let object = self.store.head(&self.content(digest)).await?;
        Ok(version(&object))
    }

    /// Some bytes of a file, as many as one call takes; fewer at its end.
    pub(super) async fn read(
        &self,
        digest: &Digest,
        offset: u64,
        size: u64,
    ) -> Result<impl AsRef<[u8]> + Send + use<>, Error> {
        let end = size.min(offset.saturating_add(self.part as u64));
        let range = offset.min(end)..end;
        self.store.get_range(&self.content(digest), range).await
    }

    /// Deletes a file, and the name of its package after it.
    pub(super) async fn delete(&self, digest: &Digest) -> Result<(), Error> {
        for path in [self.content(digest), self.label(digest)] {
            match self.store.delete(&path).await {
                Ok(()) | Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn content(&self, digest: &Digest) -> Path {
        self.prefix.clone().join(digest.to_string())
    }

    fn label(&self, digest: &Digest) -> Path {
        self.prefix.clone().join(format!("{digest}.json"))
    }

    fn of(&self) -> impl Fn(Error) -> OpenError + '_ {
        |source| OpenError::Objects {
            location: self.location.to_string(),
            source,
        }
    }
}

impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Folder(path) => path.display().fmt(f),
            Self::Remote(url) => url.fmt(f),
            Self::Memory => f.write_str("memory"),
        }
    }
}

fn folder(path: &FilePath) -> Result<Arc<dyn ObjectStore>, OpenError> {
    fs::create_dir_all(path).map_err(|source| OpenError::Folder {
        path: path.to_owned(),
        source,
    })?;
    let store = LocalFileSystem::new_with_prefix(path);
    let store = store.map_err(|source| OpenError::Objects {
        location: path.display().to_string(),
        source,
    })?;
    Ok(Arc::new(store.with_fsync(true)))
}

/// A store by its URL, with what the environment says of it.
fn remote(url: &Url) -> Result<(Arc<dyn ObjectStore>, Path), OpenError> {
    let is_built = cfg!(feature = "s3")
        && matches!(
            ObjectStoreScheme::parse(url),
            Ok((ObjectStoreScheme::AmazonS3, _))
        );
    if !is_built {
        return Err(OpenError::NotBuilt(url.clone()));
    }
    #[cfg(feature = "s3")]
    // Nobody else in this process goes by a default, so that one is there already means that it is this.
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    let options = std::env::vars()
        .filter(|(name, _)| ENVIRONMENT.iter().any(|begin| name.starts_with(begin)))
        .map(|(name, value)| (name.to_ascii_lowercase(), value));
    let (store, prefix) = parse_url_opts(url, options).map_err(|source| OpenError::Objects {
        location: url.to_string(),
        source,
    })?;
    Ok((Arc::from(store), prefix))
}

/// Deletes what a folder holds of files that were coming in.
fn clear_folder(path: &FilePath) -> Result<(), OpenError> {
    let failed = |source| OpenError::Folder {
        path: path.to_owned(),
        source,
    };
    match fs::remove_dir_all(path.join(INCOMING)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        Ok(()) | Err(_) => {}
    }
    for entry in fs::read_dir(path).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // A label that was being written; what earlier releases left.
        if name.contains('#') || name.ends_with(".part") {
            fs::remove_file(&path).map_err(failed)?;
        }
    }
    Ok(())
}

fn is_label(object: &ObjectMeta) -> bool {
    object.location.extension() == Some("json")
}

fn version(object: &ObjectMeta) -> Version {
    Version {
        size: object.size,
        modified_ms: object.last_modified.timestamp_millis(),
        tag: object.e_tag.clone(),
    }
}

impl Version {
    /// The entry of an object that was proved.
    pub(super) fn entry(self, package: Option<PackageFile>) -> Entry {
        Entry {
            size: self.size,
            stored_at: Timestamp(u64::try_from(self.modified_ms).unwrap_or(0)),
            package,
            proved: Some(self),
            readers: 0,
        }
    }

    /// How many bytes the object has.
    pub(super) fn size(&self) -> u64 {
        self.size
    }
}
