//! The manifest: the first entry of a bundle, which says all that is in it.

use super::entry::EntryName;
use cofferdam_engine::{
    digest::Digest,
    id::{OperatorId, RolloutId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt};

/// The name of the manifest's own entry.
pub const MANIFEST: &str = "manifest.json";
/// The name of the entry that holds the signature over it.
pub const MANIFEST_SIGNATURE: &str = "manifest.sig";

/// The most bytes of a manifest: some 200 for each of 100,000 packages.
pub const MAX_MANIFEST: u64 = 32 << 20;

/// The form that is written, and the only one that is read.
const FORMAT: u32 = 1;

/// What a bundle is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// It brings a rollout in.
    Rollout,
    /// It brings out what became of one.
    Results,
}

/// What a bundle says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    format: u32,
    /// What it is for.
    pub kind: Kind,
    /// The rollout.
    pub rollout: RolloutId,
    /// Who and where and when.
    pub made: Made,
    /// Whether the operator's signature over this follows.
    pub signed: bool,
    /// What follows, in order.
    pub entries: Vec<Entry>,
}

/// Who made a bundle. The signature proves who signed it, and nothing proves this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Made {
    /// The operator, by the name in their certificate.
    pub by: OperatorId,
    /// The trust domain of the fleet.
    #[serde(rename = "in")]
    pub fleet: Line,
    /// When.
    pub at_ms: Timestamp,
    /// By which release of Cofferdam.
    pub release: Line,
}

/// One entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its name.
    pub name: EntryName,
    /// How many bytes it has.
    pub size: u64,
    /// Their digest.
    pub sha256: Digest,
}

/// A text for people: a line without control characters, of at most 253 bytes, as names have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Line(String);

/// The text is no line, or too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a line of at most 253 bytes is expected")]
pub struct NoLine;

/// Why a manifest is refused.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// It is not what we write.
    #[error("{MANIFEST} cannot be read")]
    Malformed(#[from] serde_json::Error),
    /// A later release wrote it.
    #[error("{MANIFEST} is of format {0}, and this release reads format {FORMAT}")]
    Format(u32),
    /// Twice the same, or not in order.
    #[error("{0} stands twice in {MANIFEST}, or not in its place")]
    Order(EntryName),
    /// An entry is larger than any may be.
    #[error("{name} has {size} bytes, at most {} are read", .name.most())]
    TooLarge {
        /// The entry.
        name: EntryName,
        /// How many bytes it says it has.
        size: u64,
    },
    /// Bits with the digest of others.
    #[error("{name} has the digest {sha256} in {MANIFEST}")]
    OtherBits {
        /// The entry.
        name: EntryName,
        /// What it says of it.
        sha256: Digest,
    },
    /// What belongs into each bundle of its kind is not there.
    #[error("{0} is missing")]
    Missing(EntryName),
    /// What belongs into no bundle of its kind.
    #[error("{0} is not what {1} are brought with")]
    Foreign(EntryName, &'static str),
}

#[derive(Deserialize)]
struct Version {
    format: u32,
}

impl Manifest {
    /// One of a bundle that is being made, which nobody signs.
    pub fn unsigned(kind: Kind, rollout: RolloutId, made: Made, entries: Vec<Entry>) -> Self {
        Self {
            format: FORMAT,
            kind,
            rollout,
            made,
            signed: false,
            entries,
        }
    }

    /// Its text, which [`Manifest::parse`] reads.
    ///
    /// # Errors
    /// Never, as far as is known.
    pub fn text(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }

    /// Reads and checks one.
    ///
    /// # Errors
    /// [`ManifestError`] when it is not one that this release reads.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        let Version { format } = serde_json::from_str(text)?;
        if format != FORMAT {
            return Err(ManifestError::Format(format));
        }
        let manifest: Self = serde_json::from_str(text)?;
        manifest.check_entries()?;
        manifest.check_kind()?;
        Ok(manifest)
    }

    /// Whether it has such an entry.
    pub fn has(&self, name: EntryName) -> bool {
        self.entries.iter().any(|entry| entry.name == name)
    }

    fn check_entries(&self) -> Result<(), ManifestError> {
        let mut before = None;
        for Entry { name, size, sha256 } in self.entries.iter().copied() {
            if before.is_some_and(|before| before >= name) {
                return Err(ManifestError::Order(name));
            }
            if size > name.most() {
                return Err(ManifestError::TooLarge { name, size });
            }
            if matches!(name, EntryName::Artefact(digest) if digest != sha256) {
                return Err(ManifestError::OtherBits { name, sha256 });
            }
            before = Some(name);
        }
        Ok(())
    }

    fn check_kind(&self) -> Result<(), ManifestError> {
        let is_signed = self.has(EntryName::Statement) || self.has(EntryName::Signature);
        let needed: &[EntryName] = match self.kind {
            Kind::Rollout if is_signed => &[
                EntryName::Rollout,
                EntryName::Lock,
                EntryName::Statement,
                EntryName::Signature,
                EntryName::Evidence,
            ],
            Kind::Rollout => &[EntryName::Rollout, EntryName::Lock, EntryName::Evidence],
            Kind::Results => &[EntryName::Evidence],
        };
        let there: BTreeSet<EntryName> = self.entries.iter().map(|entry| entry.name).collect();
        if let Some(missing) = needed.iter().find(|name| !there.contains(name)) {
            return Err(ManifestError::Missing(*missing));
        }
        let foreign = there.iter().find(|name| !needed.contains(name));
        match (self.kind, foreign) {
            (Kind::Results, Some(name)) => Err(ManifestError::Foreign(*name, "results")),
            (Kind::Results | Kind::Rollout, _) => Ok(()),
        }
    }
}

impl Line {
    /// A line of what somebody wrote, as far as it is one.
    pub fn of(text: &str) -> Self {
        let shown = text.chars().filter(|c| !c.is_control());
        let mut line: String = shown.collect();
        line.truncate(line.floor_char_boundary(MAX_LINE));
        Self(line)
    }
}

/// The most bytes of a line.
const MAX_LINE: usize = 253;

impl TryFrom<String> for Line {
    type Error = NoLine;
    fn try_from(text: String) -> Result<Self, NoLine> {
        match text.len() <= MAX_LINE && !text.chars().any(char::is_control) {
            true => Ok(Self(text)),
            false => Err(NoLine),
        }
    }
}

impl From<Line> for String {
    fn from(line: Line) -> Self {
        line.0
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
