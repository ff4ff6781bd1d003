//! Seals an image: records what is on a root, booted or not, in place of any seal before.

use super::{
    contents::{Contents, ContentsError, Reader},
    hang::Progress,
    image::{Image, ImageError, Sealed},
    installed::{self, InstalledError},
    pattern::{self, FindError, Pattern},
};
use crate::{clock, host::root::Root};
use std::{collections::BTreeSet, path::PathBuf};

/// A root was not sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// It is not there.
    #[error("there is no folder {} to seal", .0.display())]
    NoRoot(PathBuf),
    /// Packages are half installed: no host should be like that.
    #[error(
        "not sealed: not fully installed are {names}; end that first, as with \
         `dpkg --configure --pending` or `dnf remove --duplicates`"
    )]
    Unfinished {
        /// Which.
        names: String,
    },
    /// What is installed cannot be told.
    #[error(transparent)]
    Installed(#[from] InstalledError),
    /// What is on it cannot be told.
    #[error(transparent)]
    Contents(#[from] ContentsError),
    /// The files that are watched cannot be found.
    #[error(transparent)]
    Find(#[from] FindError),
    /// The seal cannot be written.
    #[error(transparent)]
    Image(#[from] ImageError),
}

/// Seals a root.
///
/// # Errors
/// [`SealError`]; then the root has the seal that it had, or none.
pub fn seal(
    root: &Root,
    watched: BTreeSet<Pattern>,
    progress: &Progress,
) -> Result<Sealed, SealError> {
    if !root.path().is_dir() {
        return Err(SealError::NoRoot(root.path().to_owned()));
    }
    let unfinished = installed::read(root)?.unfinished;
    if !unfinished.is_empty() {
        let names = unfinished.join(", ");
        return Err(SealError::Unfinished { names });
    }
    let contents: Contents = Reader::default().read(root, &watched, progress)?;
    let image = Image {
        sealed_at: clock::wall(),
        watched,
        contents,
    };
    let seal = image.clone().write(root)?;
    Ok(Sealed { seal, image })
}

/// The patterns that lead to nothing on a root: a slip, or files that are to stay away.
///
/// # Errors
/// [`FindError`] when folders cannot be read.
pub fn empty_patterns<'a>(
    root: &Root,
    watched: &'a BTreeSet<Pattern>,
    progress: &Progress,
) -> Result<Vec<&'a Pattern>, FindError> {
    let mut empty = Vec::new();
    for pattern in watched {
        if pattern::find(root, &[pattern.clone()].into(), progress)?.is_empty() {
            empty.push(pattern);
        }
    }
    Ok(empty)
}
