//! Fetches the sources of config files that are elsewhere: from git repositories, and by HTTPS.
//!
//! It is done here, by the operator's command when the lock file is made, and nowhere else: with the rights,
//! keys and proxies of who plans, and so that neither coordinator nor host ever dials an address that stands
//! in a rollout file. What came is hashed, stored and locked; hosts take it by its hash.
//!
//! ```text
//! https:// --> curl --.
//!                      +--> bytes, at most MAX_SOURCE --> artefact store --> lock file
//! git+..   --> git  --'     (and the commit)
//! ```

mod call;
mod git;
mod https;

use anyhow::{Context as _, Result};
use cofferdam_engine::patch::{GitSource, Source};
use std::{collections::BTreeMap, path::PathBuf, time::Duration};

/// The most bytes of a source: a thousand times what config files have (guess).
pub const MAX_SOURCE: u64 = 16 << 20;

/// How long one try may take, all of it (guess).
const DEADLINE: Duration = Duration::from_secs(60);

/// How often it is tried where trying again may help, and how long it is waited before the second time; twice as
/// long before the third.
const TRIES: u32 = 3;
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// What a source holds.
#[derive(Debug)]
pub struct Fetched {
    /// Its content.
    pub content: Vec<u8>,
    /// The commit that it is of. Absent: it is of no repository.
    pub commit: Option<String>,
}

/// Fetches sources for one lock file: a revision of a repository is resolved once for all its files.
#[derive(Debug)]
pub struct Fetcher {
    folder: PathBuf,
    repositories: BTreeMap<(String, String), git::Checkout>,
}

impl Fetcher {
    /// One that has room for itself in an empty folder.
    pub fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            repositories: BTreeMap::new(),
        }
    }

    /// Fetches a source. Nothing: it is not one that is fetched.
    ///
    /// # Errors
    /// When it cannot be had, or is no file, or too large; after all tries.
    pub async fn fetch(&mut self, source: &Source) -> Result<Option<Fetched>> {
        let fetched = match source {
            Source::Https(address) => https::fetch(address).await.map(|content| Fetched {
                content,
                commit: None,
            }),
            Source::Git(git) => self.fetch_git(git).await,
            Source::Beside(_) | Source::Stored(_) => return Ok(None),
        };
        let what = || format!("cannot fetch {source}");
        fetched.with_context(what).map(Some)
    }

    async fn fetch_git(&mut self, source: &GitSource) -> Result<Fetched> {
        let GitSource {
            repository,
            revision,
            path,
        } = source;
        let key = (repository.clone(), revision.clone());
        let checkout = match self.repositories.get(&key) {
            Some(checkout) => checkout,
            None => {
                let number = self.repositories.len();
                let folder = self.folder.join(number.to_string());
                let checkout = git::Checkout::fetch(folder, repository, revision).await?;
                self.repositories.entry(key).or_insert(checkout)
            }
        };
        Ok(Fetched {
            content: checkout.file(path).await?,
            commit: Some(checkout.commit().to_owned()),
        })
    }
}
