//! The agent's own small files: JSON with a version, replaced whole.

use super::durable::{self, FileError};
use cofferdam_engine::failure::{Failure, FailureKind};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The version of all these files that this program reads and writes.
const FORMAT: u32 = 1;

/// A record could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Its file could not be.
    #[error(transparent)]
    File(#[from] FileError),
    /// It is not what this program writes.
    #[error("the record {path} is damaged")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where.
        #[source]
        source: serde_json::Error,
    },
    /// Another version of the agent wrote it.
    #[error("the record {path} has format {found}, {FORMAT} is expected")]
    OtherFormat {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
}

impl From<RecordError> for Failure {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::File(error) => error.into(),
            RecordError::Damaged { ref source, .. } => {
                Self::new(FailureKind::Io, format!("{error}: {source}"))
            }
            RecordError::OtherFormat { .. } => Self::new(FailureKind::Io, error.to_string()),
        }
    }
}

#[derive(Deserialize)]
struct Format {
    version: u32,
}

#[derive(Serialize, Deserialize)]
struct Versioned<T> {
    version: u32,
    #[serde(flatten)]
    record: T,
}

/// Reads a record. Absent: there is none.
///
/// # Errors
/// [`RecordError`] when there is one that cannot be read or is not understood.
pub fn load<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, RecordError> {
    let Some(json) = durable::read(path)? else {
        return Ok(None);
    };
    let damaged = |source| RecordError::Damaged {
        path: path.to_owned(),
        source,
    };
    let format: Format = serde_json::from_slice(&json).map_err(damaged)?;
    if format.version != FORMAT {
        return Err(RecordError::OtherFormat {
            path: path.to_owned(),
            found: format.version,
        });
    }
    let versioned: Versioned<T> = serde_json::from_slice(&json).map_err(damaged)?;
    Ok(Some(versioned.record))
}

/// Writes a record, which becomes a map in JSON, for good.
///
/// # Errors
/// [`RecordError`] when it cannot be written.
pub fn save<T: Serialize>(path: &Path, record: &T) -> Result<(), RecordError> {
    let json = to_json(record);
    let folder = path.parent().unwrap_or(path);
    if !durable::exists(folder)? {
        // The record's own folder must outlive a power cut too.
        fs::create_dir_all(folder).map_err(FileError::of("making", folder))?;
        durable::sync_folder(folder.parent().unwrap_or(folder))?;
    }
    Ok(durable::write(path, &json)?)
}

/// A record as its file has it.
///
/// # Panics
/// When it does not become a map in JSON.
pub fn to_json<T: Serialize>(record: &T) -> Vec<u8> {
    let versioned = Versioned {
        version: FORMAT,
        record,
    };
    serde_json::to_vec_pretty(&versioned).expect("plain data becomes JSON")
}
