//! What is wrong with a text of the language.

use super::{MAX_SELECTION_DEPTH, MAX_SELECTION_LEN};
use crate::{package::PackageError, unit::UnitError};

/// Why a text selects nothing, or asks nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectError {
    /// Something else stands where the language wants a certain word.
    #[error("at byte {at}: {expected} is expected, {found} stands there")]
    Expected {
        /// The byte at which it stands, from 0.
        at: usize,
        /// What the language wants there.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// A character that begins no word, or is in no label.
    #[error("at byte {at}: `{found}` means nothing here")]
    Unknown {
        /// The byte at which it stands, from 0.
        at: usize,
        /// The character.
        found: char,
    },
    /// A text without its closing quote.
    #[error("at byte {at}: the text that begins here has no closing `\"`")]
    Unclosed {
        /// The byte of its opening quote, from 0.
        at: usize,
    },
    /// A backslash before a character that needs none.
    #[error("at byte {at}: `\\{found}` is no escape: only `\\\"` and `\\\\` are")]
    Escape {
        /// The byte of the backslash, from 0.
        at: usize,
        /// The character after it.
        found: char,
    },
    /// A selection with a condition that hosts would have to be asked for.
    #[error(
        "at byte {at}: `{begins}` asks the hosts themselves, and a selection goes by labels and facts \
         alone: `cofferdam query` asks hosts"
    )]
    ForHosts {
        /// The byte at which the condition begins, from 0.
        at: usize,
        /// How it begins.
        begins: String,
    },
    /// What a host is asked is a label's value, which the coordinator alone knows.
    #[error("at byte {at}: `{label}` is a label, which no host is asked for")]
    ForLabels {
        /// The byte at which the condition begins, from 0.
        at: usize,
        /// The label.
        label: String,
    },
    /// No package's name or version.
    #[error("at byte {at}: {why}")]
    Package {
        /// The byte at which it stands, from 0.
        at: usize,
        /// What is wrong with it.
        why: PackageError,
    },
    /// No unit's name.
    #[error("at byte {at}: {why}")]
    Unit {
        /// The byte at which it stands, from 0.
        at: usize,
        /// What is wrong with it.
        why: UnitError,
    },
    /// More parentheses and `not`s within each other than [`MAX_SELECTION_DEPTH`].
    #[error("at byte {at}: more than {MAX_SELECTION_DEPTH} levels of parentheses and `not`")]
    TooDeep {
        /// The byte of the first one too many, from 0.
        at: usize,
    },
    /// More bytes than [`MAX_SELECTION_LEN`].
    #[error("it has {len} bytes; at most {MAX_SELECTION_LEN} are allowed")]
    TooLong {
        /// How many it has.
        len: usize,
    },
}

impl SelectError {
    /// The byte of the text that it is about, from 0.
    pub fn at(&self) -> usize {
        match self {
            Self::Expected { at, .. }
            | Self::Unknown { at, .. }
            | Self::Unclosed { at }
            | Self::Escape { at, .. }
            | Self::ForHosts { at, .. }
            | Self::ForLabels { at, .. }
            | Self::Package { at, .. }
            | Self::Unit { at, .. }
            | Self::TooDeep { at } => *at,
            Self::TooLong { .. } => 0,
        }
    }
}
