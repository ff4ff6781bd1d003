//! One process a store: an exclusive lock on a file that names its holder.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read as _, Seek as _, Write as _},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

/// How often a lock that will be free in a moment is tried (guess: sled's threads take some
/// milliseconds).
const TRY_EVERY: Duration = Duration::from_millis(5);

/// The lock on a directory; held until dropped, or until the process ends in whatever way.
#[derive(Debug)]
pub struct DirectoryLock {
    _file: File,
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
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(io)?;
        match file.try_lock() {
            Ok(()) => {
                write_holder(&mut file).map_err(io)?;
                Ok(Self { _file: file })
            }
            Err(TryLockError::WouldBlock) => Err(LockError::Held {
                dir: dir.to_owned(),
                holder: read_holder(&mut file),
            }),
            Err(TryLockError::Error(source)) => Err(io(source)),
        }
    }
}

/// Waits until nobody has a lock on a file. One that is not there has none.
///
/// # Errors
/// What the system said; [`io::ErrorKind::WouldBlock`] when it is still locked after `patience`.
pub(super) fn wait_until_free(path: &Path, patience: Duration) -> io::Result<()> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let deadline = Instant::now() + patience;
    loop {
        match file.try_lock() {
            Ok(()) => return file.unlock(),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => thread::sleep(TRY_EVERY),
            Err(error) => return Err(error.into()),
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
    fn a_lock_that_goes_is_waited_for_and_one_that_stays_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("db");
        assert!(wait_until_free(&path, Duration::ZERO).is_ok(), "not there");

        let held = File::create(&path).unwrap();
        held.try_lock().unwrap();
        let refused = wait_until_free(&path, Duration::ZERO).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::WouldBlock);

        let waiting = thread::spawn(move || wait_until_free(&path, Duration::from_secs(20)));
        drop(held);
        assert!(waiting.join().unwrap().is_ok());
    }

    #[test]
    fn a_directory_that_is_not_there_is_named() {
        let refusal = DirectoryLock::take(Path::new("/nowhere")).unwrap_err();
        assert_eq!(refusal.to_string(), "cannot lock /nowhere/LOCK");
    }
}
