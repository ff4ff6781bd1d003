//! How the durable store uses sled, so that it survives a power cut. All of it blocks.
//!
//! # Layout
//!
//! ```text
//! DIR/LOCK    the holder's process id, under flock (see `lock.rs`)
//! DIR/HEAD    the position of the last record that was acknowledged (see `head.rs`)
//! DIR/sled/   sled's own: conf, db (all records), blobs/ (always empty, see below)
//!
//! tree         key                                    frame's payload
//! log          position: u64                          a record, or a piece of one
//! checkpoint   position: u64, then chunk: u32         a part of the state after that position
//! meta         `checkpoint`                           position: u64, then chunks: u32
//! ```
//!
//! Numbers are big-endian. Positions count pieces from 1, without gaps, for the life of the store.
//! Values are frames (see `record.rs`).
//!
//! # Durability
//!
//! sled's `flush` ends in `sync_file_range`, which leaves data in a disk's volatile cache, so each
//! commit is `flush`, then `fdatasync` on `db`. Values that outgrow a quarter of a segment
//! go to blob files, which sled never syncs: a leaf holds up to 17 values, so [`SEGMENT_BYTES`]
//! is chosen so that 17 of the longest stay far below. Directories are synced once, after creation.

use super::{
    Loaded, Record, StoreError,
    head::{Head, Position},
    lock::{self, DirectoryLock},
    record::{self, FrameError, Joiner},
};
use sled::{Batch, Db, IVec, Tree};
use std::{
    fs::File,
    path::{Path, PathBuf},
    time::Duration,
};

/// sled's segment: 4 x (17 x `MAX_PAYLOAD_BYTES` + headers), rounded up to a power of two.
const SEGMENT_BYTES: usize = 8 * 1024 * 1024;

/// sled's page cache. 1 MiB: the store is read once, at start (field measurement: 20 MB of memory
/// at 80,000 records, 48 MB with a cache of 64 MiB).
const CACHE_BYTES: u64 = 1024 * 1024;

/// How long sled's threads may take to end (guess: they were seen to take milliseconds).
const SLED_GONE_WITHIN: Duration = Duration::from_secs(5);

/// How many records are dropped at once after a checkpoint (guess: some 10 ms of work).
const DROP_BATCH: usize = 1000;

const LOG: &str = "log";
const CHECKPOINT: &str = "checkpoint";
const META: &str = "meta";
const META_KEY: &[u8] = b"checkpoint";

/// An open database with its lock.
#[derive(Debug)]
pub(super) struct Database {
    db: Db,
    log: Tree,
    chunks: Tree,
    meta: Tree,
    /// sled's `db`, for `fdatasync`.
    synced: File,
    head: Head,
    path: PathBuf,
    last: Position,
    covered: Position,
    _lock: DirectoryLock,
}

/// The newest whole checkpoint.
struct Meta {
    position: Position,
    chunks: u32,
}

impl Database {
    /// Opens the database `path` in the locked directory `dir`.
    pub(super) fn open(dir: &Path, path: &Path, lock: DirectoryLock) -> Result<Self, StoreError> {
        wait_for_sled(&path.join("db"))?;
        let database = |source| StoreError::Database {
            action: "open",
            path: path.to_owned(),
            source,
        };
        let db = sled::Config::new()
            .path(path)
            .mode(sled::Mode::LowSpace)
            .cache_capacity(CACHE_BYTES)
            .segment_size(SEGMENT_BYTES)
            .flush_every_ms(None)
            .open()
            .map_err(database)?;
        let tree = |name: &str| db.open_tree(name).map_err(database);
        let opened = Self {
            log: tree(LOG)?,
            chunks: tree(CHECKPOINT)?,
            meta: tree(META)?,
            synced: open_file(&path.join("db"))?,
            db,
            head: Head::open(dir)?,
            path: path.to_owned(),
            last: 0,
            covered: 0,
            _lock: lock,
        };
        opened.commit()?;
        for created in [path, dir, dir.parent().unwrap_or(dir)] {
            sync_directory(created)?;
        }
        Ok(opened)
    }

    /// Reads the newest whole checkpoint and every record after it; ends a truncation that a
    /// crash cut short.
    pub(super) fn load(&mut self) -> Result<Loaded, StoreError> {
        let meta = self.read_meta()?;
        let checkpoint = meta
            .as_ref()
            .map(|meta| self.read_chunks(meta))
            .transpose()?;
        self.covered = meta.map_or(0, |meta| meta.position);
        self.drop_covered()?;
        let records = self.read_log()?;
        let acknowledged = self.head.read()?;
        if self.last < acknowledged {
            return Err(self.missing(LOG, (self.last + 1).to_string()));
        }
        Ok(Loaded {
            checkpoint,
            records,
        })
    }

    /// Appends records, all or none; durable when it returns.
    pub(super) fn append(&mut self, records: &[Record]) -> Result<(), StoreError> {
        let mut batch = Batch::default();
        let mut position = self.last;
        for payload in records.iter().flat_map(Record::pieces) {
            position += 1;
            let key = position.to_be_bytes();
            batch.insert(&key, record::seal(LOG, &key, &payload));
        }
        self.log
            .apply_batch(batch)
            .map_err(|e| self.refused("append to", e))?;
        self.commit()?;
        self.last = position;
        self.head.write(self.last)
    }

    /// Makes a checkpoint of the state after all records so far, then drops these.
    pub(super) fn checkpoint(&mut self, state: &[u8]) -> Result<(), StoreError> {
        if self.last == self.covered {
            return Ok(());
        }
        let meta = self.write_chunks(state)?;
        self.name_checkpoint(&meta)?;
        self.drop_covered()
    }

    /// First: the state, under a position that nothing refers to yet.
    fn write_chunks(&mut self, state: &[u8]) -> Result<Meta, StoreError> {
        let mut chunks = 0;
        for chunk in state.chunks(record::MAX_PAYLOAD_BYTES) {
            let key = chunk_key(self.last, chunks);
            let frame = record::seal(CHECKPOINT, &key, chunk);
            self.chunks
                .insert(key, frame)
                .map_err(|e| self.refused("write a checkpoint to", e))?;
            chunks += 1;
        }
        self.commit()?;
        Ok(Meta {
            position: self.last,
            chunks,
        })
    }

    /// Second: from here on it is the checkpoint.
    fn name_checkpoint(&mut self, meta: &Meta) -> Result<(), StoreError> {
        let mut payload = meta.position.to_be_bytes().to_vec();
        payload.extend_from_slice(&meta.chunks.to_be_bytes());
        self.meta
            .insert(META_KEY, record::seal(META, META_KEY, &payload))
            .map_err(|e| self.refused("write a checkpoint to", e))?;
        self.commit()?;
        self.covered = meta.position;
        Ok(())
    }

    /// Third: what it covers goes, and so do the chunks of every other.
    fn drop_covered(&mut self) -> Result<(), StoreError> {
        let after = self.covered + 1;
        self.drop_range(&self.log, ..after.to_be_bytes())?;
        self.drop_range(&self.chunks, ..chunk_key(self.covered, 0))?;
        self.drop_range(&self.chunks, chunk_key(after, 0)..)
    }

    fn drop_range<const N: usize>(
        &self,
        tree: &Tree,
        range: impl std::ops::RangeBounds<[u8; N]>,
    ) -> Result<(), StoreError> {
        let refused = |e| self.refused("truncate", e);
        let keys: Vec<IVec> = tree
            .range(range)
            .keys()
            .collect::<Result<_, _>>()
            .map_err(refused)?;
        for some in keys.chunks(DROP_BATCH) {
            let mut batch = Batch::default();
            some.iter().for_each(|key| batch.remove(key));
            tree.apply_batch(batch).map_err(refused)?;
            self.commit()?;
        }
        Ok(())
    }

    /// Makes all writes so far durable, power cuts included.
    fn commit(&self) -> Result<(), StoreError> {
        self.db.flush().map_err(|e| self.refused("flush", e))?;
        self.synced.sync_data().map_err(|source| StoreError::Io {
            action: "sync",
            path: self.path.join("db"),
            source,
        })
    }

    fn read_meta(&self) -> Result<Option<Meta>, StoreError> {
        let found = self
            .meta
            .get(META_KEY)
            .map_err(|e| self.refused("read", e))?;
        let Some(frame) = found else {
            return Ok(None);
        };
        let payload = self.unseal(META, META_KEY, &frame)?;
        let Some((position, chunks)) = payload.split_first_chunk() else {
            return Err(self.damaged_key(META, META_KEY));
        };
        let Ok(chunks) = chunks.try_into() else {
            return Err(self.damaged_key(META, META_KEY));
        };
        Ok(Some(Meta {
            position: Position::from_be_bytes(*position),
            chunks: u32::from_be_bytes(chunks),
        }))
    }

    fn read_chunks(&self, meta: &Meta) -> Result<Vec<u8>, StoreError> {
        let mut state = Vec::new();
        for chunk in 0..meta.chunks {
            let key = chunk_key(meta.position, chunk);
            let found = self.chunks.get(key).map_err(|e| self.refused("read", e))?;
            let Some(frame) = found else {
                return Err(self.missing(CHECKPOINT, format!("{}.{chunk}", meta.position)));
            };
            state.extend_from_slice(self.unseal(CHECKPOINT, &key, &frame)?);
        }
        Ok(state)
    }

    /// Reads the records after the checkpoint; finds the last position.
    fn read_log(&mut self) -> Result<Vec<Record>, StoreError> {
        let mut records = Vec::new();
        let mut joiner = Joiner::default();
        self.last = self.covered;
        for entry in &self.log {
            let (key, frame) = entry.map_err(|e| self.refused("read", e))?;
            let Ok(position) = key.as_ref().try_into().map(Position::from_be_bytes) else {
                return Err(self.damaged(LOG, &key, FrameError::Content));
            };
            if position != self.last + 1 {
                return Err(self.missing(LOG, (self.last + 1).to_string()));
            }
            let payload = self.unseal(LOG, &key, &frame)?;
            let joined = joiner.take(payload);
            records.extend(joined.map_err(|e| self.damaged(LOG, &key, e))?);
            self.last = position;
        }
        if !joiner.is_between_records() {
            return Err(self.missing(LOG, (self.last + 1).to_string()));
        }
        Ok(records)
    }

    fn unseal<'a>(
        &self,
        tree: &'static str,
        key: &[u8],
        frame: &'a [u8],
    ) -> Result<&'a [u8], StoreError> {
        record::open(tree, key, frame).map_err(|source| self.damaged(tree, key, source))
    }

    fn damaged_key(&self, tree: &'static str, key: &[u8]) -> StoreError {
        self.damaged(tree, key, FrameError::Content)
    }

    fn damaged(&self, tree: &'static str, key: &[u8], source: FrameError) -> StoreError {
        StoreError::Damaged {
            tree,
            key: describe_key(key),
            path: self.path.join("db"),
            source,
        }
    }

    fn missing(&self, tree: &'static str, key: String) -> StoreError {
        StoreError::Missing {
            tree,
            key,
            path: self.path.join("db"),
        }
    }

    fn refused(&self, action: &'static str, source: sled::Error) -> StoreError {
        StoreError::Database {
            action,
            path: self.path.clone(),
            source,
        }
    }
}

/// sled has a lock of its own, and its threads keep it for a moment after their database is gone.
/// Since the directory's lock is ours, nobody else can have it.
fn wait_for_sled(db: &Path) -> Result<(), StoreError> {
    lock::wait_until_free(db, SLED_GONE_WITHIN).map_err(|source| StoreError::Io {
        action: "lock",
        path: db.to_owned(),
        source,
    })
}

fn chunk_key(position: Position, chunk: u32) -> [u8; 12] {
    let mut key = [0; 12];
    key[..8].copy_from_slice(&position.to_be_bytes());
    key[8..].copy_from_slice(&chunk.to_be_bytes());
    key
}

/// A key as people read it: `7`, `7.3`, `checkpoint`, or its bytes.
fn describe_key(key: &[u8]) -> String {
    if let Ok(position) = key.try_into().map(Position::from_be_bytes) {
        return position.to_string();
    }
    if let Some((position, chunk)) = key.split_first_chunk()
        && let Ok(chunk) = chunk.try_into().map(u32::from_be_bytes)
    {
        return format!("{}.{chunk}", Position::from_be_bytes(*position));
    }
    key.escape_ascii().to_string()
}

fn open_file(path: &Path) -> Result<File, StoreError> {
    File::open(path).map_err(|source| StoreError::Io {
        action: "open",
        path: path.to_owned(),
        source,
    })
}

fn sync_directory(path: &Path) -> Result<(), StoreError> {
    open_file(path)?
        .sync_all()
        .map_err(|source| StoreError::Io {
            action: "sync",
            path: path.to_owned(),
            source,
        })
}

#[cfg(test)]
mod tests;
