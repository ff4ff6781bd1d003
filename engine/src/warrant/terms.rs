//! What the control plane signs of a warrant: a short text that says which hosts may be started, in which
//! rollout, and for how long.
//!
//! ```text
//! cofferdam-warrant 1
//! rollout openssl-2026-11
//! digest 5ab1..                      the digest of the rollout file and its lock file
//! cell r1-a-1
//! wave 1
//! generation 7
//! direction patch
//! made 1796000000000                 when, in milliseconds since the epoch
//! starts-for 1800000                 in milliseconds, from when the region received it
//! hosts 433 90fe..                   how many, and the root of the tree over their names
//! ```
//!
//! It has one form only: whoever reads it writes the same bytes. Shares, tokens and stop rules are not in
//! it by themselves: stop rules and shares stand in the rollout file, which the digest is of, and no agent
//! could hold any of them against what it sees, which is one host. They bind the coordinator, and one that was
//! taken over keeps to none of them; what holds it then is the list of hosts. What an order says of its host's
//! package delta is no part of it either: a coordinator that was taken over can have a granted host patched
//! whose like has not passed, with the bits that were signed.

use super::{Slice, SlicePath, SliceTree, Warrant};
use crate::{
    digest::Digest,
    id::{CellId, Generation, HostId, RolloutId, WaveIndex},
    order::{Direction, Grant},
    time::{Timestamp, millis},
};
use std::{fmt, str::FromStr, time::Duration};

/// The version that is written, and the only one that is read.
const VERSION: &str = "cofferdam-warrant 1";

/// The most bytes of terms: three names of 253 bytes, two digests, and numbers.
pub const MAX_TERMS_LEN: usize = 4096;

/// How long past its duration an agent still takes a warrant. A region counts the duration from when it
/// received the warrant, and hosts share no clock with the control plane: each has its own, anchored, and may
/// have begun with another time. Certificates allow for the same by beginning 24 h early.
pub const CLOCKS_DIFFER: Duration = Duration::from_secs(24 * 3600);

/// What the control plane signs of one warrant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WarrantTerms {
    /// The rollout.
    pub rollout: RolloutId,
    /// The digest of the rollout file and its lock file.
    pub rollout_digest: Digest,
    /// The cell.
    pub cell: CellId,
    /// The wave that the hosts are of.
    pub wave: WaveIndex,
    /// Which of the control plane's wishes for the cell it is.
    pub generation: Generation,
    /// Forward or back.
    pub direction: Direction,
    /// When it was made, by the control plane's clock.
    pub made: Timestamp,
    /// How long hosts may be started.
    pub starts_for: Duration,
    /// The hosts that may be started.
    pub slice: Slice,
}

/// Why a text is no terms of a warrant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TermsError {
    /// It is too long to be one.
    #[error("the terms of a warrant have at most {MAX_TERMS_LEN} bytes, these have {0}")]
    TooLong(usize),
    /// It is another kind of text, or of a version that this release does not know.
    #[error("the terms of a warrant begin with `{VERSION}`")]
    NoTerms,
    /// A line does not say what it should.
    #[error("the terms of a warrant have no good line `{0} ..` where it belongs")]
    Line(&'static str),
    /// It says the same in other bytes.
    #[error("the terms of a warrant are not written as they are")]
    OtherForm,
}

/// Why an order is not what the terms grant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotGranted {
    /// Something that the order says is not what was signed.
    #[error("it is for {what} {granted}, and the order says {said}")]
    Other {
        /// What.
        what: &'static str,
        /// What was signed.
        granted: String,
        /// What the order says.
        said: String,
    },
    /// The host is none of those that it names.
    #[error("this host is none of the {hosts} that it names")]
    OtherHost {
        /// How many it names.
        hosts: u32,
    },
    /// Its time is over, as far as the host's clock says.
    #[error("its starts ended {} h ago by this host's clock", ago.as_secs() / 3600)]
    Over {
        /// How long ago.
        ago: Duration,
    },
}

impl Warrant {
    /// What is to be signed of it.
    pub fn terms(&self, rollout_digest: Digest, made: Timestamp) -> WarrantTerms {
        WarrantTerms {
            rollout: self.rollout.clone(),
            rollout_digest,
            cell: self.cell.clone(),
            wave: self.wave,
            generation: self.generation,
            direction: self.direction,
            made,
            starts_for: self.starts_for,
            slice: SliceTree::of(&self.hosts).slice(),
        }
    }
}

impl WarrantTerms {
    /// Reads terms. Others wrote them, and they may be anything.
    ///
    /// # Errors
    /// [`TermsError`] when they are none, of another version, or not in their one form.
    pub fn parse(text: &str) -> Result<Self, TermsError> {
        if text.len() > MAX_TERMS_LEN {
            return Err(TermsError::TooLong(text.len()));
        }
        let mut lines = text.lines();
        if lines.next() != Some(VERSION) {
            return Err(TermsError::NoTerms);
        }
        let terms = Self {
            rollout: read(&mut lines, "rollout", |text| RolloutId::new(text).ok())?,
            rollout_digest: read(&mut lines, "digest", digest)?,
            cell: read(&mut lines, "cell", |text| CellId::new(text).ok())?,
            wave: WaveIndex(read(&mut lines, "wave", number)?),
            generation: Generation(read(&mut lines, "generation", number)?),
            direction: read(&mut lines, "direction", direction)?,
            made: Timestamp(read(&mut lines, "made", number)?),
            starts_for: Duration::from_millis(read(&mut lines, "starts-for", number)?),
            slice: read(&mut lines, "hosts", slice)?,
        };
        // What is left over, and what is written in another way, is not what was read.
        match terms.to_string() == text {
            true => Ok(terms),
            false => Err(TermsError::OtherForm),
        }
    }

    /// Whether it lets a host be patched as an order of it says; `path` leads from the host to the slice.
    ///
    /// An order of an earlier generation of the same rollout and cell is granted too: it was made under a warrant
    /// which this one replaced before the order was handed over.
    ///
    /// # Errors
    /// [`NotGranted`]: why not.
    pub fn grant_patch(
        &self,
        order: &Grant,
        host: &HostId,
        path: &SlicePath,
        now: Timestamp,
    ) -> Result<(), NotGranted> {
        same("rollout", &self.rollout, &order.rollout)?;
        same("the content", &self.rollout_digest, &order.rollout_digest)?;
        same("cell", &self.cell, &order.cell)?;
        let patch = word(Direction::Patch);
        same("direction", &word(self.direction), &patch)?;
        if order.generation > self.generation {
            return Err(other("generation", &self.generation, &order.generation));
        }
        if order.wave > self.wave {
            return Err(other("wave", &self.wave, &order.wave));
        }
        if !path.leads(host, self.slice) {
            let hosts = self.slice.hosts;
            return Err(NotGranted::OtherHost { hosts });
        }
        let ends = self.made.after(self.starts_for);
        match now > ends.after(CLOCKS_DIFFER) {
            true => Err(NotGranted::Over {
                ago: now.since(ends),
            }),
            false => Ok(()),
        }
    }
}

impl fmt::Display for WarrantTerms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{VERSION}\nrollout {}", self.rollout)?;
        writeln!(f, "digest {}\ncell {}", self.rollout_digest, self.cell)?;
        writeln!(f, "wave {}\ngeneration {}", self.wave.0, self.generation)?;
        writeln!(f, "direction {}", word(self.direction))?;
        writeln!(f, "made {}", self.made.0)?;
        writeln!(f, "starts-for {}", millis(self.starts_for))?;
        writeln!(f, "hosts {} {}", self.slice.hosts, self.slice.root)
    }
}

fn word(direction: Direction) -> &'static str {
    match direction {
        Direction::Patch => "patch",
        Direction::Rollback => "rollback",
    }
}

fn direction(text: &str) -> Option<Direction> {
    let both = [Direction::Patch, Direction::Rollback];
    both.into_iter().find(|direction| word(*direction) == text)
}

fn same<T: PartialEq + ToString>(
    what: &'static str,
    granted: &T,
    said: &T,
) -> Result<(), NotGranted> {
    match granted == said {
        true => Ok(()),
        false => Err(other(what, granted, said)),
    }
}

fn other(what: &'static str, granted: &impl ToString, said: &impl ToString) -> NotGranted {
    NotGranted::Other {
        what,
        granted: granted.to_string(),
        said: said.to_string(),
    }
}

/// What the next line says after its word.
fn read<'t, T>(
    lines: &mut impl Iterator<Item = &'t str>,
    key: &'static str,
    read: impl Fn(&'t str) -> Option<T>,
) -> Result<T, TermsError> {
    let line = lines.next().and_then(|line| line.strip_prefix(key));
    let value = line.and_then(|rest| rest.strip_prefix(' '));
    value.and_then(read).ok_or(TermsError::Line(key))
}

fn slice(text: &str) -> Option<Slice> {
    let (hosts, root) = text.split_once(' ')?;
    Some(Slice {
        hosts: number(hosts)?,
        root: digest(root)?,
    })
}

fn number<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

fn digest(text: &str) -> Option<Digest> {
    Digest::parse(text).ok()
}
