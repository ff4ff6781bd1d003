//! What lasts for a while of one boot, in a file of its own: the window of a person at the host, the
//! reservation of an operator.
//!
//! It lies in the run folder, where only root writes.

use super::span::Span;
use crate::host::durable::{self, FileError};
use serde::{Serialize, de::DeserializeOwned};
use std::path::{Path, PathBuf};

/// Something that lasts for a while.
pub trait Lasting: Serialize + DeserializeOwned {
    /// What mends a file of it that is not understood, as the end of a sentence.
    const MENDED_BY: &'static str;

    /// How long it lasts.
    fn span(&self) -> &Span;
}

/// What was written down cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum LastingError {
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// What stands there is something else.
    #[error("{} is not understood; {mended_by}", .path.display())]
    Garbled {
        /// The file.
        path: PathBuf,
        /// What mends it.
        mended_by: &'static str,
    },
}

/// Writes it down, in place of what stood there.
///
/// # Errors
/// [`FileError`] when it cannot be written.
pub fn note(path: &Path, what: &impl Lasting) -> Result<(), FileError> {
    let json = serde_json::to_vec(what).expect("plain data becomes JSON");
    durable::write(path, &json)
}

/// What lasts now. Absent: nothing does.
///
/// # Errors
/// [`LastingError`]: then nothing does either.
pub fn find<T: Lasting>(path: &Path) -> Result<Option<T>, LastingError> {
    let Some(bytes) = durable::read(path)? else {
        return Ok(None);
    };
    let what: T = serde_json::from_slice(&bytes).map_err(|_| LastingError::Garbled {
        path: path.to_owned(),
        mended_by: T::MENDED_BY,
    })?;
    let lasts = what.span().is_now()?;
    Ok(lasts.then_some(what))
}
