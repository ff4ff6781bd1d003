//! Reads a journal's bytes: all whole lines, less a torn end.

use super::{FrameError, History, Record, frame};
use cofferdam_engine::id::Incarnation;

/// What a journal's bytes hold.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Scan {
    /// Nothing: there was no journal.
    Empty,
    /// Records that lead to a history, in the first `len` bytes. What follows is torn.
    Whole {
        /// What they lead to.
        history: Box<History>,
        /// How many bytes are whole.
        len: u64,
    },
    /// A line that cannot be read and is not a torn end: the first, or one with others after it
    /// that can be read.
    Damaged {
        /// Where it begins.
        offset: u64,
        /// What is wrong with it.
        what: String,
    },
    /// Lines of a newer release.
    Newer {
        /// In which format.
        version: u32,
    },
}

/// Reads all lines. A line that cannot be read is the torn end of a crash only when no line after
/// it can be read; else something damaged the file.
pub(super) fn scan(bytes: &[u8]) -> Scan {
    let mut history: Option<History> = None;
    let mut offset = 0;
    while offset < bytes.len() {
        let rest = &bytes[offset..];
        let (line, next) = split_line(rest);
        let learnt = line.ok_or(FrameError::Malformed).and_then(frame::decode);
        let problem = match learnt {
            Ok(records) => match learn(&mut history, &records) {
                Ok(()) => None,
                Err(what) => return damaged(offset, what),
            },
            Err(FrameError::Newer(version)) => return Scan::Newer { version },
            Err(error @ FrameError::Unknown(_)) => return damaged(offset, error.to_string()),
            Err(error @ (FrameError::Malformed | FrameError::Checksum)) => Some(error),
        };
        match problem {
            Some(error) if offset == 0 || any_line_reads(next) => {
                return damaged(offset, error.to_string());
            }
            Some(_) => break,
            None => offset = bytes.len() - next.len(),
        }
    }
    let len = offset as u64;
    history.map_or(Scan::Empty, |history| Scan::Whole {
        history: Box::new(history),
        len,
    })
}

fn learn(history: &mut Option<History>, records: &[Record]) -> Result<(), String> {
    for record in records {
        let begins = matches!(record, Record::Snapshot { .. });
        if begins != history.is_none() {
            return Err("it does not begin with all that was known".to_owned());
        }
        history
            .get_or_insert_with(|| History::begin(Incarnation::default()))
            .apply(record)
            .map_err(|error| format!("it does not follow from what was before: {error}"))?;
    }
    Ok(())
}

/// The first line, if it is whole, and what comes after it.
fn split_line(bytes: &[u8]) -> (Option<&[u8]>, &[u8]) {
    match bytes.iter().position(|byte| *byte == b'\n') {
        Some(end) => (Some(&bytes[..end]), &bytes[end + 1..]),
        None => (None, &[]),
    }
}

fn any_line_reads(mut bytes: &[u8]) -> bool {
    while !bytes.is_empty() {
        let (line, next) = split_line(bytes);
        if line.is_some_and(|line| frame::decode(line).is_ok()) {
            return true;
        }
        bytes = next;
    }
    false
}

fn damaged(offset: usize, what: String) -> Scan {
    let offset = offset as u64;
    Scan::Damaged { offset, what }
}
