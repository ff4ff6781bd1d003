//! What the agent remembers of drift, in its state folder:
//!
//! ```text
//! drift/let-in.json     the seal, and the machine, with which this host was let in once
//!       expected.json   what is expected since an order changed what was sealed
//!       before.json     what was there before the change that an order is making
//!       report.json     the last report
//! ```
//!
//! All but the report belong to one seal, and say nothing under another.

use super::{contents::Contents, report::Report};
use crate::host::{
    durable::{self, FileError},
    stamp::Stamp,
    versioned::{self, RecordError},
};
use cofferdam_engine::digest::Digest;
use cofferdam_proto::error_chain;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The files in one state folder.
#[derive(Debug, Clone)]
pub struct Store {
    folder: PathBuf,
}

/// The host was let into traffic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LetIn {
    /// The digest of the seal that it had.
    pub seal: Digest,
    /// The machine's id: a copy of its disk is another machine.
    pub machine: String,
}

/// What was on the host at some moment, under one seal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Under {
    /// The digest of the seal.
    pub seal: Digest,
    /// What was on it.
    pub contents: Contents,
}

impl Store {
    /// The files in a state folder.
    pub fn new(state_dir: &Path) -> Self {
        Self {
            folder: state_dir.join("drift"),
        }
    }

    /// With what the host was let in last. Absent: it never was.
    ///
    /// # Errors
    /// [`RecordError`] when that cannot be told.
    pub fn let_in(&self) -> Result<Option<LetIn>, RecordError> {
        versioned::load(&self.path("let-in"))
    }

    /// Writes down that the host was let in.
    ///
    /// # Errors
    /// [`RecordError`] when it cannot be written.
    pub fn save_let_in(&self, let_in: &LetIn) -> Result<(), RecordError> {
        versioned::save(&self.path("let-in"), let_in)
    }

    /// What orders have made of what was sealed. Absent: nothing under this seal.
    ///
    /// # Errors
    /// [`FileError`] when that cannot be told.
    pub fn expected(&self, seal: Digest) -> Result<Option<Contents>, FileError> {
        self.under(seal, "expected")
    }

    /// Writes down what is expected now that a change is accounted for, and forgets what was before it.
    ///
    /// # Errors
    /// [`RecordError`] when it cannot be written.
    pub fn account(&self, expected: &Under) -> Result<(), RecordError> {
        versioned::save(&self.path("expected"), expected)?;
        // Cut off here, the same change is accounted for once more, which changes nothing.
        Ok(durable::remove(&self.path("before"))?)
    }

    /// What was there before the change that an order is making, or that is not accounted for yet. Absent:
    /// there is none under this seal.
    ///
    /// # Errors
    /// [`FileError`] when that cannot be told.
    pub fn before(&self, seal: Digest) -> Result<Option<Contents>, FileError> {
        self.under(seal, "before")
    }

    /// Writes down what is there before a change.
    ///
    /// # Errors
    /// [`RecordError`] when it cannot be written.
    pub fn save_before(&self, before: &Under) -> Result<(), RecordError> {
        versioned::save(&self.path("before"), before)
    }

    /// The last report. Absent: there was none.
    ///
    /// # Errors
    /// [`RecordError`] when it cannot be read.
    pub fn report(&self) -> Result<Option<Report>, RecordError> {
        versioned::load(&self.path("report"))
    }

    /// Writes the report.
    ///
    /// # Errors
    /// [`RecordError`] when it cannot be written.
    pub fn save_report(&self, report: &Report) -> Result<(), RecordError> {
        versioned::save(&self.path("report"), report)
    }

    /// What tells whether anything that a comparison goes by has changed.
    pub(super) fn stamps(&self) -> [Option<Stamp>; 3] {
        ["let-in", "expected", "before"].map(|name| super::contents::stamp(&self.path(name)))
    }

    /// A record that is of no use is none: what it accounted for is drift then, which a seal ends.
    fn under(&self, seal: Digest, name: &str) -> Result<Option<Contents>, FileError> {
        let found: Option<Under> = match versioned::load(&self.path(name)) {
            Ok(found) => found,
            Err(RecordError::File(error)) => return Err(error),
            Err(error @ (RecordError::Damaged { .. } | RecordError::OtherFormat { .. })) => {
                let error = error_chain(&error);
                tracing::warn!(error, "what orders changed is taken for drift");
                None
            }
        };
        let found = found.filter(|found| found.seal == seal);
        Ok(found.map(|found| found.contents))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.json"))
    }
}
