//! What may be in a bundle behind its manifest: these names and no others, in this order.

use cofferdam_engine::{digest::Digest, statement::MAX_STATEMENT_LEN};
use cofferdam_proto::convert::bounds::{
    MAX_FILE_BYTES, MAX_REPLY_BYTES, MAX_SIGNATURE_BYTES, MAX_SIZE,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Where artefacts are.
const ARTEFACTS: &str = "artefacts/sha256/";

/// The name of an entry. Their order is the order in which entries stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum EntryName {
    /// The rollout file.
    Rollout,
    /// Its lock file.
    Lock,
    /// What was signed of both.
    Statement,
    /// The signature over that.
    Signature,
    /// How the rollout stood.
    Evidence,
    /// The bits of this digest.
    Artefact(Digest),
}

/// The text names no entry of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no entry of a bundle")]
pub struct UnknownEntry(String);

impl EntryName {
    /// The most bytes that such an entry may have: as much as the wire takes of the same.
    pub fn most(self) -> u64 {
        match self {
            Self::Rollout | Self::Lock => MAX_FILE_BYTES as u64,
            Self::Statement => MAX_STATEMENT_LEN as u64,
            Self::Signature => MAX_SIGNATURE_BYTES as u64,
            Self::Evidence => MAX_REPLY_BYTES as u64,
            Self::Artefact(_) => MAX_SIZE,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let artefact = |digits: &str| {
            let digest = Digest::parse(digits).ok()?;
            // The other case of a digit would be another name.
            (digest.to_string() == digits).then_some(Self::Artefact(digest))
        };
        match text {
            "rollout.toml" => Some(Self::Rollout),
            "lock" => Some(Self::Lock),
            "statement" => Some(Self::Statement),
            "sig" => Some(Self::Signature),
            "evidence.json" => Some(Self::Evidence),
            other => other.strip_prefix(ARTEFACTS).and_then(artefact),
        }
    }
}

impl fmt::Display for EntryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rollout => f.write_str("rollout.toml"),
            Self::Lock => f.write_str("lock"),
            Self::Statement => f.write_str("statement"),
            Self::Signature => f.write_str("sig"),
            Self::Evidence => f.write_str("evidence.json"),
            Self::Artefact(digest) => write!(f, "{ARTEFACTS}{digest}"),
        }
    }
}

impl TryFrom<String> for EntryName {
    type Error = UnknownEntry;
    fn try_from(text: String) -> Result<Self, UnknownEntry> {
        Self::parse(&text).ok_or_else(|| {
            let shown = text.escape_debug().take(200).collect();
            UnknownEntry(shown)
        })
    }
}

impl From<EntryName> for String {
    fn from(name: EntryName) -> Self {
        name.to_string()
    }
}
