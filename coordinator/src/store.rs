//! Where the driver keeps what happened: a log of records, cut short by checkpoints.
//!
//! ```text
//!   append ----> log: 1 2 3 4 5 6 7 8 ...        durable when it returns
//!   checkpoint > state after 5; then 1..=5 go    whole or not at all
//!   load ------> state after 5, then 6 7 8       damaged or missing: an error that names it
//! ```
//!
//! [`sled`] is the durable body, [`memory`] the one for simulations, in which blocking work would
//! stop the simulated clock.

mod database;
mod head;
pub mod lock;
pub mod memory;
pub mod record;
pub mod sled;

pub use self::{memory::MemoryStore, record::Record, sled::SledStore};

use self::record::FrameError;
use std::{future::Future, io, path::PathBuf};

/// A log of records with checkpoints. One process at a time has it.
pub trait Store: Send + 'static {
    /// Reads what is stored: once, before anything is appended.
    ///
    /// # Errors
    /// [`StoreError`] when something stored is damaged or missing, or cannot be read.
    fn load(&mut self) -> impl Future<Output = Result<Loaded, StoreError>> + Send;

    /// Adds records to the log, all or none. They are durable when it returns.
    ///
    /// # Errors
    /// [`StoreError`] when that cannot be promised; the store is not to be used any more then.
    fn append(
        &mut self,
        records: Vec<Record>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Replaces the checkpoint by one of the state after all records so far, then drops these.
    ///
    /// # Errors
    /// As [`Store::append`].
    fn checkpoint(&mut self, state: Vec<u8>)
    -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// What a store held.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Loaded {
    /// The newest whole checkpoint. Absent: none was made yet.
    pub checkpoint: Option<Vec<u8>>,
    /// The records after it, in the order in which they were appended.
    pub records: Vec<Record>,
}

/// Why a store cannot keep its promise.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Something stored is not what was written.
    #[error(
        "damaged record: tree `{tree}`, key {key}, in {}: restore the directory from a backup",
        path.display()
    )]
    Damaged {
        /// The tree that the record is in.
        tree: &'static str,
        /// Its key, for people.
        key: String,
        /// The file or directory that holds it.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: FrameError,
    },
    /// Something that was stored is not there.
    #[error(
        "missing record: tree `{tree}`, key {key}, in {}: restore the directory from a backup",
        path.display()
    )]
    Missing {
        /// The tree that the record belongs in.
        tree: &'static str,
        /// Its key, for people.
        key: String,
        /// The file or directory that should hold it.
        path: PathBuf,
    },
    /// The database underneath refused.
    #[error("cannot {action} the store in {}", path.display())]
    Database {
        /// What was tried, as a verb.
        action: &'static str,
        /// The database's directory.
        path: PathBuf,
        /// What it said.
        #[source]
        source: ::sled::Error,
    },
    /// A file of the store could not be read, written or synced.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The database underneath gave up in a panic.
    #[error(
        "the database in {} panicked: {message}: restore the directory from a backup",
        path.display()
    )]
    Panicked {
        /// The database's directory.
        path: PathBuf,
        /// Its last words.
        message: String,
    },
}
