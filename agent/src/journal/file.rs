//! The journal in a file: lines appended and synced, a torn end cut off, rewritten when it grew.
//!
//! ```text
//! STATE_DIR/LOCK                    held while an agent runs
//! STATE_DIR/journal                 the records
//! STATE_DIR/journal.reserve         room that is given back when the disk is full, so that a run
//!                                   that has begun can always be journalled to its end
//! STATE_DIR/journal.damaged-NUMBER  a journal that could not be read, for a person to look at
//! ```

use super::{Damage, Durability, History, Journal, JournalError, Opened, Record, frame, scan};
use crate::host::durable::{self, FileError};
use cofferdam_engine::{failure::FailureKind, id::Incarnation};
use nix::fcntl::{Flock, FlockArg};
use scan::Scan;
use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
};

/// The size from which a journal is rewritten (guess: some hundred runs).
const COMPACT_FROM_BYTES: u64 = 256 * 1024;

/// How many times its size after the last rewrite a journal grows to before the next (guess): one
/// that holds a large order is not rewritten at each record.
const COMPACT_FROM_TIMES: u64 = 4;

/// How much room is held back (guess: a dozen transitions of a run with the largest order).
const RESERVE_BYTES: usize = 256 * 1024;

/// The journal in a folder of its own.
#[derive(Debug)]
pub struct FileJournal {
    path: PathBuf,
    file: File,
    len: u64,
    rewritten_len: u64,
    _lock: Flock<File>,
}

impl FileJournal {
    /// Opens the journal in a folder, which is made when it is missing. A journal that begins here
    /// gets the incarnation.
    ///
    /// # Errors
    /// [`JournalError`] when the folder cannot be used, another agent uses it, or a newer release
    /// wrote its journal.
    pub fn open(folder: &Path, incarnation: Incarnation) -> Result<Opened<Self>, JournalError> {
        fs::create_dir_all(folder).map_err(FileError::of("making", folder))?;
        let lock = hold(&folder.join("LOCK"))?;
        let path = folder.join("journal");
        let bytes = durable::read(&path)?.unwrap_or_default();
        let (whole, damage) = match scan::scan(&bytes) {
            Scan::Whole { history, len } => (Some((history, len)), None),
            Scan::Empty => (None, None),
            Scan::Newer { version } => return Err(JournalError::Newer { path, version }),
            Scan::Damaged { offset, what } => {
                let kept = path.with_extension(format!("damaged-{incarnation}"));
                durable::rename(&path, &kept)?;
                (None, Some(Damage { kept, offset, what }))
            }
        };
        let (history, (file, len)) = match whole {
            Some((history, len)) => (*history, (go_on(&path, len)?, len)),
            None => {
                let history = match damage {
                    Some(_) => History::begin_again(incarnation),
                    None => History::begin(incarnation),
                };
                let begun = rewrite(&path, &history)?;
                (history, begun)
            }
        };
        let mut journal = Self {
            path,
            file,
            len,
            rewritten_len: 0,
            _lock: lock,
        };
        journal.hold_back_room();
        journal.compact(&history)?;
        Ok(Opened {
            journal,
            history,
            damage,
        })
    }

    fn reserve(&self) -> PathBuf {
        self.path.with_extension("reserve")
    }

    /// Appends a line. When there is no room the journal is left as it was.
    fn write(&mut self, line: &str, durability: Durability) -> Result<(), JournalError> {
        let written = self.file.write_all(line.as_bytes());
        let stored = written.and_then(|()| match durability {
            Durability::Synced => self.file.sync_data(),
            Durability::Lazy => Ok(()),
        });
        let Err(error) = stored else {
            self.len += line.len() as u64;
            return Ok(());
        };
        if durable::kind_of(&error) != FailureKind::DiskFull {
            return Err(FileError::of("writing", &self.path)(error).into());
        }
        self.file
            .set_len(self.len)
            .map_err(FileError::of("cutting", &self.path))?;
        let path = self.path.clone();
        Err(JournalError::Full { path })
    }
}

impl Journal for FileJournal {
    fn append(&mut self, records: &[Record], durability: Durability) -> Result<(), JournalError> {
        let line = frame::encode(records);
        match self.write(&line, durability) {
            Err(JournalError::Full { path }) => {
                fs::remove_file(self.reserve()).map_err(|_| JournalError::Full { path })?;
                tracing::error!("the disk is full: the journal uses the room that it held back");
                self.write(&line, durability)
            }
            other => other,
        }
    }

    fn hold_back_room(&mut self) -> bool {
        let reserve = self.reserve();
        let is_whole = |found: fs::Metadata| found.len() == RESERVE_BYTES as u64;
        if fs::metadata(&reserve).is_ok_and(is_whole) {
            return true;
        }
        let held = fs::write(&reserve, vec![0; RESERVE_BYTES]);
        if let Err(error) = &held {
            tracing::warn!(%error, path = %reserve.display(), "no room could be held back");
        }
        held.is_ok()
    }

    fn compact(&mut self, history: &History) -> Result<(), JournalError> {
        let grown = self.rewritten_len.saturating_mul(COMPACT_FROM_TIMES);
        if self.len < grown.max(COMPACT_FROM_BYTES) {
            return Ok(());
        }
        match rewrite(&self.path, history) {
            Ok(begun) => {
                (self.file, self.len) = begun;
                self.rewritten_len = self.len;
            }
            Err(error) if durable::kind_of(&error.source) == FailureKind::DiskFull => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}

/// Puts a journal in place whose only record is all that the agent knows.
fn rewrite(path: &Path, history: &History) -> Result<(File, u64), FileError> {
    let history = Box::new(history.clone());
    let line = frame::encode(&[Record::Snapshot { history }]);
    durable::write(path, line.as_bytes())?;
    Ok((open_to_append(path)?, line.len() as u64))
}

/// Opens a journal to go on with it, and cuts off what a crash left half written. What was read is
/// about to be believed and reported, and an agent that died may have died before it synced it.
fn go_on(path: &Path, len: u64) -> Result<File, FileError> {
    let file = open_to_append(path)?;
    let found = file.metadata().map_err(FileError::of("reading", path))?;
    let torn = found.len().saturating_sub(len);
    if torn > 0 {
        tracing::warn!(bytes = torn, "the journal's torn end is cut off");
        file.set_len(len).map_err(FileError::of("cutting", path))?;
    }
    file.sync_all().map_err(FileError::of("syncing", path))?;
    Ok(file)
}

fn open_to_append(path: &Path) -> Result<File, FileError> {
    OpenOptions::new()
        .append(true)
        .open(path)
        .map_err(FileError::of("opening", path))
}

fn hold(path: &Path) -> Result<Flock<File>, JournalError> {
    let file = File::create(path).map_err(FileError::of("opening", path))?;
    Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|_| JournalError::Held {
        path: path.to_owned(),
    })
}
