//! What the agent must not forget, whatever dies.
//!
//! A [`History`] is what the agent knows; a [`Record`] is one change of it; a journal keeps the
//! records. The driver applies records to a copy of its history, has them stored, and only then
//! believes and acts on the copy. What was stored is therefore always enough to go on from.
//!
//! A journal that was damaged in the middle is set aside, never guessed at: the agent begins a new
//! one under a new incarnation, leaves the host's flag where it is until a run puts it up, and says
//! so. Its coordinator then knows that the host forgot, and the claims of old orders are refused
//! there.

mod file;
mod frame;
mod history;
mod memory;
mod record;
mod scan;
#[cfg(test)]
mod tests;

pub use file::FileJournal;
pub use frame::FrameError;
pub use history::{History, HistoryError};
pub use memory::{Crash, MemoryJournal};
pub use record::Record;

use crate::host::durable::FileError;
use std::{fmt, path::PathBuf};

/// Keeps records in order.
pub trait Journal: 'static {
    /// Stores records as one unit: after a crash all of them are there, or none.
    ///
    /// # Errors
    /// [`JournalError`] when they could not be stored. [`JournalError::Full`] leaves the journal as
    /// it was; after any other error it must not be used any more.
    fn append(&mut self, records: &[Record], durability: Durability) -> Result<(), JournalError>;

    /// Holds back the room that a whole run needs, and says whether there is that much. A run is
    /// not begun without it.
    fn hold_back_room(&mut self) -> bool;

    /// Replaces all records by the history that they led to, when they have grown large.
    ///
    /// # Errors
    /// [`JournalError`] as for [`Journal::append`].
    fn compact(&mut self, history: &History) -> Result<(), JournalError>;
}

/// What a record survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Any crash, from the moment at which it was appended.
    Synced,
    /// A crash of the agent. A power cut may lose it, with nothing lost but work.
    Lazy,
}

/// A journal, opened, with what it holds.
#[derive(Debug)]
pub struct Opened<J> {
    /// The journal.
    pub journal: J,
    /// What its records led to.
    pub history: History,
    /// What was wrong with the journal before it. Absent: nothing.
    pub damage: Option<Damage>,
}

/// A journal that could not be read and was set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Where it is kept now.
    pub kept: PathBuf,
    /// The offset in bytes of the first record that cannot be read.
    pub offset: u64,
    /// What is wrong there.
    pub what: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the journal was damaged at byte {} ({}) and is kept as {}",
            self.offset,
            self.what,
            self.kept.display()
        )
    }
}

/// Why a journal could not be opened or written.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file system has no room, and what was held back for this is used up.
    #[error("no room to write the journal {}", path.display())]
    Full {
        /// The journal.
        path: PathBuf,
    },
    /// A file could not be read or written.
    #[error("the journal cannot be used")]
    File(#[from] FileError),
    /// Another agent works with the same folder.
    #[error("another agent holds {}", path.display())]
    Held {
        /// The lock file.
        path: PathBuf,
    },
    /// A newer release wrote it. Nothing is touched, so that the newer release can go on with it.
    #[error("the journal {} was written by a newer release (format {version})", path.display())]
    Newer {
        /// The journal.
        path: PathBuf,
        /// The format's version.
        version: u32,
    },
    /// A scripted crash of a memory journal.
    #[error("the journal was told to fail here")]
    Scripted,
}
