//! Which artefacts a lock file names.

use cofferdam_engine::{
    digest::Digest,
    patch::{LockFile, Locked},
};
use std::collections::BTreeMap;

/// One artefact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// How many bytes it has.
    pub size: u64,
    /// What it is, for people.
    pub what: String,
}

/// The artefacts of a lock file, each once.
pub fn of(lock: &LockFile) -> BTreeMap<Digest, Named> {
    let mut named = BTreeMap::new();
    match &lock.content {
        Locked::Packages { platforms } => {
            for entry in platforms {
                for package in &entry.packages {
                    let (name, version) = (&package.name, &package.version);
                    let what = format!("{name} {version} ({})", entry.platform);
                    let size = package.size;
                    named.entry(package.sha256).or_insert(Named { size, what });
                }
            }
        }
        Locked::Config(files) => {
            for locked in files.iter() {
                let of = locked.of.as_ref();
                let what =
                    of.map_or_else(|| "a file".to_owned(), |of| of.path.display().to_string());
                let size = locked.file.size;
                named
                    .entry(locked.file.sha256)
                    .or_insert(Named { size, what });
            }
        }
        Locked::Noop => {}
    }
    named
}
