//! Files that survive a power cut: written beside, synced, renamed, and the folder synced.

use cofferdam_engine::failure::{Failure, FailureKind};
use std::{
    fs::{self, File},
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// The permissions of the agent's own files, less its umask: the health responder reads one of them,
/// and the others stand in a folder that only the agent enters.
const READABLE: u32 = 0o666;

/// The host's own files could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{doing} {path} failed")]
pub struct FileError {
    /// What was tried, as in `writing`.
    pub doing: &'static str,
    /// On which file or folder.
    pub path: PathBuf,
    /// Why.
    #[source]
    pub source: io::Error,
}

impl FileError {
    /// Names what was tried on which file; fits `map_err`.
    pub fn of(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self {
            doing,
            path,
            source,
        }
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        Self::new(kind_of(&error.source), format!("{error}: {}", error.source))
    }
}

/// What kind of failure an error of the file system is.
pub fn kind_of(error: &io::Error) -> FailureKind {
    let is_full = matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    );
    if is_full {
        return FailureKind::DiskFull;
    }
    FailureKind::Io
}

/// Writes a whole file so that at any moment, power cuts included, either the old content or the
/// new one is there. Makes its folder if that is missing.
///
/// # Errors
/// [`FileError`] says which of the operations failed on which path.
pub fn write(path: &Path, content: &[u8]) -> Result<(), FileError> {
    let folder = folder_of(path);
    fs::create_dir_all(folder).map_err(FileError::of("making", folder))?;
    let beside = beside(path);
    let mut file = create_anew(&beside, READABLE).map_err(FileError::of("making", &beside))?;
    file.write_all(content)
        .and_then(|()| file.sync_all())
        .map_err(FileError::of("writing", &beside))?;
    rename(&beside, path)
}

/// Makes a file with at most these permissions. What has its name goes, and is never followed or
/// written through: in a folder that others may write to it could be a link to anywhere.
///
/// # Errors
/// The system's error.
pub fn create_anew(path: &Path, mode: u32) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    File::options()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
}

/// Moves a synced file into its place for good.
///
/// # Errors
/// [`FileError`] says which of the operations failed on which path.
pub fn rename(from: &Path, to: &Path) -> Result<(), FileError> {
    fs::rename(from, to).map_err(FileError::of("renaming to", to))?;
    sync_folder(folder_of(to))
}

/// Removes a file for good. Nothing to remove is fine.
///
/// # Errors
/// [`FileError`] says which of the operations failed on which path.
pub fn remove(path: &Path) -> Result<(), FileError> {
    match fs::remove_file(path) {
        Ok(()) => sync_folder(folder_of(path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(FileError::of("removing", path)(error)),
    }
}

/// Reads a whole file. Absent: there is none.
///
/// # Errors
/// [`FileError`] when there is one that cannot be read.
pub fn read(path: &Path) -> Result<Option<Vec<u8>>, FileError> {
    match fs::read(path) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(FileError::of("reading", path)(error)),
    }
}

/// Reads at most so many bytes of the beginning of a file. Absent: there is none.
///
/// # Errors
/// [`FileError`] when there is one that cannot be read.
pub fn read_some(path: &Path, most: usize) -> Result<Option<Vec<u8>>, FileError> {
    let mut content = Vec::new();
    let read = File::open(path).and_then(|file| {
        let mut some = file.take(most as u64);
        some.read_to_end(&mut content)
    });
    match read {
        Ok(_) => Ok(Some(content)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(FileError::of("reading", path)(error)),
    }
}

/// Whether a file is there.
///
/// # Errors
/// [`FileError`] when that cannot be told.
pub fn exists(path: &Path) -> Result<bool, FileError> {
    path.try_exists()
        .map_err(FileError::of("looking for", path))
}

/// Makes the entries of a folder durable.
///
/// # Errors
/// [`FileError`] when the folder cannot be synced.
pub fn sync_folder(folder: &Path) -> Result<(), FileError> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(FileError::of("syncing", folder))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("/"))
}

/// Where a file's next content is written: hidden, beside it, and always the same, so that what a
/// crash left is written over.
pub fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.cofferdam"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b.json");
        for content in ["one", "two"] {
            write(&path, content.as_bytes()).unwrap();
            assert_eq!(read(&path).unwrap().unwrap(), content.as_bytes());
        }
        assert_eq!(fs::read_dir(folder.path().join("a")).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_is_not_there_is_no_error() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read(&folder.path().join("x")).unwrap().is_none());
        remove(&folder.path().join("x")).unwrap();
    }

    #[test]
    fn a_link_in_the_way_of_what_is_written_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("a"), folder.path().join("other"));
        fs::write(&other, "precious").unwrap();
        std::os::unix::fs::symlink(&other, beside(&path)).unwrap();
        write(&path, b"new").unwrap();
        assert_eq!(read(&other).unwrap().unwrap(), b"precious");
        assert_eq!(read(&path).unwrap().unwrap(), b"new");
        assert!(!path.is_symlink());
    }

    #[test]
    fn a_full_disk_is_told_from_other_errors() {
        let full = io::Error::from_raw_os_error(28);
        assert_eq!(kind_of(&full), FailureKind::DiskFull);
        assert_eq!(kind_of(&io::Error::from_raw_os_error(5)), FailureKind::Io);
    }
}
