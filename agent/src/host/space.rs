//! How much room a file system has left.

use cofferdam_engine::failure::{Failure, FailureKind};
use nix::sys::statvfs::statvfs;
use std::{
    io,
    path::{Path, PathBuf},
};

/// What stays free beside what a patch needs: package tools write databases and logs too (guess).
pub const MARGIN_BYTES: u64 = 32 << 20;
/// Inodes that stay free (guess: a large package has some thousand files).
pub const MARGIN_INODES: u64 = 1000;

/// Tells how much room there is. One body asks the kernel, another answers by script.
pub trait Space {
    /// What is left on the file system of a path that exists.
    ///
    /// # Errors
    /// The system's error when it cannot be asked.
    fn left(&self, path: &Path) -> io::Result<Room>;
}

/// Room on a file system, for the agent's own user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// In bytes.
    pub bytes: u64,
    /// In files. Absent: the file system does not count them.
    pub inodes: Option<u64>,
}

/// Asks the kernel.
#[derive(Debug, Clone, Copy, Default)]
pub struct Kernel;

impl Space for Kernel {
    fn left(&self, path: &Path) -> io::Result<Room> {
        let stat = statvfs(path)?;
        let inodes = (stat.files() > 0).then(|| stat.files_available());
        Ok(Room {
            bytes: stat.blocks_available().saturating_mul(stat.fragment_size()),
            inodes,
        })
    }
}

/// Why a file system cannot take what comes.
#[derive(Debug, thiserror::Error)]
pub enum SpaceError {
    /// It has too few bytes left.
    #[error("{path} has {left} bytes left, {needed} are needed")]
    Bytes {
        /// On which file system.
        path: PathBuf,
        /// What is left.
        left: u64,
        /// What is needed, margin included.
        needed: u64,
    },
    /// It has too few inodes left.
    #[error("{path} has {left} inodes left, {needed} are needed")]
    Inodes {
        /// On which file system.
        path: PathBuf,
        /// What is left.
        left: u64,
        /// What is needed, margin included.
        needed: u64,
    },
    /// It could not be asked.
    #[error("the room on {path} is not known")]
    Unknown {
        /// Which file system.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl From<SpaceError> for Failure {
    fn from(error: SpaceError) -> Self {
        match &error {
            SpaceError::Bytes { .. } | SpaceError::Inodes { .. } => {
                Self::new(FailureKind::DiskFull, error.to_string())
            }
            SpaceError::Unknown { source, .. } => {
                Self::new(FailureKind::Io, format!("{error}: {source}"))
            }
        }
    }
}

/// What is to come to a file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Load {
    /// In bytes.
    pub bytes: u64,
    /// In files.
    pub files: u64,
}

impl Load {
    /// So many bytes, in few files.
    pub fn bytes(bytes: u64) -> Self {
        Self { bytes, files: 0 }
    }
}

/// Makes sure that the file system of a path takes a load, with a margin.
///
/// # Errors
/// [`SpaceError`] when it does not, or cannot be asked.
pub fn require(space: &dyn Space, path: &Path, load: Load) -> Result<(), SpaceError> {
    let path = path.to_owned();
    let room = match space.left(&path) {
        Ok(room) => room,
        Err(source) => return Err(SpaceError::Unknown { path, source }),
    };
    let (left, needed) = (room.bytes, load.bytes.saturating_add(MARGIN_BYTES));
    if left < needed {
        return Err(SpaceError::Bytes { path, left, needed });
    }
    let needed = load.files.saturating_add(MARGIN_INODES);
    match room.inodes {
        Some(left) if left < needed => Err(SpaceError::Inodes { path, left, needed }),
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
pub(crate) mod scripted {
    use super::*;

    /// File systems with exactly this many bytes left, told by a path on them, and inodes enough.
    pub(crate) struct Scripted<F>(pub(crate) F);

    impl<F: Fn(&Path) -> u64> Space for Scripted<F> {
        fn left(&self, path: &Path) -> io::Result<Room> {
            let bytes = (self.0)(path);
            Ok(Room {
                bytes,
                inodes: None,
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Space for Room {
        fn left(&self, _path: &Path) -> io::Result<Room> {
            Ok(*self)
        }
    }

    #[test]
    fn bytes_inodes_and_margin_are_needed() {
        let load = Load {
            bytes: 100,
            files: 10,
        };
        let enough = |bytes, inodes| {
            let room = Room { bytes, inodes };
            require(&room, Path::new("/"), load).is_ok()
        };
        assert!(enough(MARGIN_BYTES + 100, None));
        assert!(enough(MARGIN_BYTES + 100, Some(MARGIN_INODES + 10)));
        assert!(!enough(MARGIN_BYTES + 99, None));
        assert!(!enough(u64::MAX, Some(MARGIN_INODES + 9)));
    }

    #[test]
    fn the_kernel_knows_the_room_of_this_machine() {
        assert!(Kernel.left(Path::new("/")).unwrap().bytes > 0);
    }
}
