//! Files that are written whole or not at all.

use anyhow::{Context as _, Result};
use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::Write as _,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

/// Only the owner reads and writes.
pub const PRIVATE: u32 = 0o600;
/// Everybody reads.
pub const PUBLIC: u32 = 0o644;
/// Everybody reads and runs.
pub const PROGRAM: u32 = 0o755;

/// Reads a text file.
///
/// # Errors
/// When it cannot be read; the message names it.
pub fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Writes a file that must not exist yet, and syncs it.
///
/// # Errors
/// When it exists, or cannot be written; the message names it.
pub fn create(path: &Path, mode: u32, content: impl AsRef<[u8]>) -> Result<()> {
    let write = || -> std::io::Result<()> {
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create_new(true).mode(mode).open(path)?;
        file.write_all(content.as_ref())?;
        file.sync_all()
    };
    write().with_context(|| format!("cannot create {}", path.display()))
}

/// Writes a file by rename, so that a reader sees the old content or the new, never half of it.
///
/// # Errors
/// When it cannot be written; the message names it.
pub fn replace(path: &Path, mode: u32, content: impl AsRef<[u8]>) -> Result<()> {
    let beside = beside(path);
    let write = || -> std::io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(mode);
        let mut file = options.open(&beside)?;
        file.write_all(content.as_ref())?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        File::open(parent(path))?.sync_all()
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

/// Makes a folder and those above it, which only their owner writes to, whatever the umask is.
///
/// # Errors
/// When it cannot be made; the message names it.
pub fn folder(path: &Path) -> Result<()> {
    let mut builder = DirBuilder::new();
    let made = builder.recursive(true).mode(PROGRAM).create(path);
    made.with_context(|| format!("cannot make the folder {}", path.display()))
}

fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}", std::process::id()))
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        Some(_) | None => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_exists_is_not_created_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.key");
        create(&path, PRIVATE, "one").unwrap();
        let error = create(&path, PRIVATE, "two").unwrap_err();
        assert!(format!("{error:#}").contains("ca.key"));
        assert_eq!(read(&path).unwrap(), "one");
    }

    #[test]
    fn a_replaced_file_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.lock");
        replace(&path, PUBLIC, "one").unwrap();
        replace(&path, PUBLIC, "two").unwrap();
        assert_eq!(read(&path).unwrap(), "two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
