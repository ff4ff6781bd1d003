//! The sources of a config patch: found or fetched, stored, and locked.

use crate::{
    client::Client,
    command::artefact,
    fetch::{Fetched, Fetcher},
    rollout_file::RolloutFile,
};
use anyhow::{Context as _, Result};
use cofferdam_engine::{
    digest::Digest,
    lockfile,
    patch::{ConfigFile, Files, LockFile, Locked, LockedFile, LockedSource, Source},
};
use cofferdam_proto::operator::ArtefactStored;

/// The lock file of a rollout file for the coordinator: the one that is kept, else of a config patch a new one.
/// Nothing where the coordinator makes it. All files that lie beside the rollout file are stored first, since
/// the lock file names them.
pub(super) async fn lock(
    file: &RolloutFile,
    kept: Option<String>,
    client: &Client,
) -> Result<Option<String>> {
    let Some(files) = file.config_files() else {
        return Ok(kept);
    };
    let is_stored = |one: &ConfigFile| matches!(one.source, Source::Stored(_));
    if files.iter().all(is_stored) {
        return Ok(kept);
    }
    if kept.is_some() {
        for one in files.iter() {
            if let Source::Beside(path) = &one.source {
                store_beside(file, path, client).await?;
            }
        }
        return Ok(kept);
    }
    let locked = lock_all(file, files, client).await?;
    Ok(Some(lockfile::format(&LockFile {
        rollout: file.rollout().to_string(),
        content: Locked::Config(locked),
    })))
}

async fn lock_all(
    file: &RolloutFile,
    files: &Files<ConfigFile>,
    client: &Client,
) -> Result<Files<LockedSource>> {
    let folder = tempfile::tempdir().context("cannot make a folder to fetch into")?;
    let mut fetcher = Fetcher::new(folder.path().join("git"));
    let mut locked = Vec::new();
    for one in files.iter() {
        let fetched = fetcher.fetch(&one.source).await?;
        let (stored, commit) = match (&one.source, fetched) {
            (_, Some(Fetched { content, commit })) => {
                let path = folder.path().join("fetched");
                std::fs::write(&path, content).context("cannot keep what was fetched")?;
                (artefact::upload(&path, client).await?, commit)
            }
            (Source::Beside(path), None) => (store_beside(file, path, client).await?, None),
            (Source::Stored(digest), None) => (find(digest, client).await?, None),
            (source @ (Source::Https(_) | Source::Git(_)), None) => {
                anyhow::bail!("nothing was fetched of {source}")
            }
        };
        let ArtefactStored { digest, size } = stored;
        let bits = LockedFile {
            sha256: digest,
            size,
        };
        locked.push(LockedSource::named(one, bits, commit));
    }
    Files::of(locked).context("a patch of no file has no lock file")
}

async fn store_beside(
    file: &RolloutFile,
    path: &std::path::Path,
    client: &Client,
) -> Result<ArtefactStored> {
    let stored = artefact::upload(&file.beside(path), client).await;
    stored.context("cannot store the patch's source")
}

/// What the artefact store has of a digest: with files from elsewhere the lock file is made here.
async fn find(digest: &Digest, client: &Client) -> Result<ArtefactStored> {
    let artefacts = client.artefacts().await?;
    let found = artefacts.iter().find(|one| one.digest == *digest);
    let size = found.map(|one| one.size).with_context(|| {
        format!(
            "the artefact store does not hold {digest}: `cofferdam artefact put FILE` uploads it"
        )
    })?;
    Ok(ArtefactStored {
        digest: *digest,
        size,
    })
}
