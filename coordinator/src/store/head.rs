//! The witness of the log's end, outside the database: `DIR/HEAD`.
//!
//! sled takes a damaged tail of its file for a crash in mid-write and cuts it off in silence. This
//! file remembers the position of the last record that was acknowledged. It is written after each
//! commit and not synced: a killed process loses nothing of it, and after a power cut it may lag
//! behind the log, but never leads it. So a log that ends before it has lost records.

use super::{
    StoreError,
    record::{self, FrameError},
};
use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

const KEY: &[u8] = b"HEAD";

/// More than any frame of a position has.
const READ_BYTES: u64 = 64;

/// The place of a record in the log, from 1. Zero: before the first.
pub(super) type Position = u64;

/// The open file.
#[derive(Debug)]
pub(super) struct Head {
    file: File,
    path: PathBuf,
}

impl Head {
    /// Opens the file in a directory; makes it when it is not there.
    pub(super) fn open(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join("HEAD");
        OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|source| StoreError::Io {
                action: "open",
                path: path.clone(),
                source,
            })
            .map(|file| Self { file, path })
    }

    /// Remembers the last acknowledged position.
    pub(super) fn write(&self, last: Position) -> Result<(), StoreError> {
        let frame = record::seal("", KEY, &last.to_be_bytes());
        self.file
            .write_all_at(&frame, 0)
            .map_err(|source| self.failed("write", source))
    }

    /// The last acknowledged position. Zero when none was ever remembered.
    pub(super) fn read(&self) -> Result<Position, StoreError> {
        let failed = |source| self.failed("read", source);
        let length = self.file.metadata().map_err(failed)?.len();
        if length == 0 {
            return Ok(0);
        }
        let mut frame = vec![0; length.min(READ_BYTES) as usize];
        self.file.read_exact_at(&mut frame, 0).map_err(failed)?;
        let payload = record::open("", KEY, &frame).map_err(|source| self.damaged(source))?;
        let position = payload.try_into().map(Position::from_be_bytes);
        position.map_err(|_| self.damaged(FrameError::Content))
    }

    fn damaged(&self, source: FrameError) -> StoreError {
        StoreError::Damaged {
            tree: "",
            key: "HEAD".to_owned(),
            path: self.path.clone(),
            source,
        }
    }

    fn failed(&self, action: &'static str, source: io::Error) -> StoreError {
        StoreError::Io {
            action,
            path: self.path.clone(),
            source,
        }
    }
}
