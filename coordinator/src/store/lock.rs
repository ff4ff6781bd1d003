//! One process a store: an exclusive lock on a file that names its holder.

use nix::fcntl::{Flock, FlockArg};
use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Seek as _, Write as _},
    path::{Path, PathBuf},
};

/// The lock on a directory; held until dropped, or until the process ends in whatever way.
#[derive(Debug)]
pub struct DirectoryLock {
    _file: Flock<File>,
}

/// Why a directory could not be locked.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error(
        "{} is in use by process {holder}: stop that process, or give this one another data_dir",
        dir.display()
    )]
    Held {
        /// The directory.
        dir: PathBuf,
        /// The process that has it, as it wrote itself down.
        holder: String,
    },
    /// The lock file could not be made, locked or written.
    #[error("cannot lock {}", path.display())]
    Io {
        /// The lock file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl DirectoryLock {
    /// Takes the lock `LOCK` in a directory, which must exist.
    ///
    /// # Errors
    /// [`LockError::Held`] when another process has it, [`LockError::Io`] when nobody can tell.
    pub fn take(dir: &Path) -> Result<Self, LockError> {
        let path = dir.join("LOCK");
        let io = |source| LockError::Io {
            path: path.clone(),
            source,
        };
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(io)?;
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(mut file) => {
                write_holder(&mut file).map_err(io)?;
                Ok(Self { _file: file })
            }
            Err((mut file, nix::errno::Errno::EWOULDBLOCK)) => Err(LockError::Held {
                dir: dir.to_owned(),
                holder: read_holder(&mut file),
            }),
            Err((_, errno)) => Err(io(errno.into())),
        }
    }
}

fn write_holder(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

fn read_holder(file: &mut File) -> String {
    let mut text = String::new();
    match file.take(20).read_to_string(&mut text) {
        Ok(_) if !text.trim().is_empty() => text.trim().to_owned(),
        Ok(_) | Err(_) => "(unknown)".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_refused_and_told_who_the_first_is() {
        let dir = tempfile::tempdir().unwrap();
        let first = DirectoryLock::take(dir.path()).unwrap();

        let refusal = DirectoryLock::take(dir.path()).unwrap_err().to_string();
        assert!(
            refusal.contains(&dir.path().display().to_string()),
            "{refusal}"
        );
        assert!(
            refusal.contains(&format!("process {}", std::process::id())),
            "{refusal}"
        );

        drop(first);
        assert!(DirectoryLock::take(dir.path()).is_ok());
    }

    #[test]
    fn a_directory_that_is_not_there_is_named() {
        let refusal = DirectoryLock::take(Path::new("/nowhere")).unwrap_err();
        assert_eq!(refusal.to_string(), "cannot lock /nowhere/LOCK");
    }
}
