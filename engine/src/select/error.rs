//! What is wrong with a text of the language.

use super::{MAX_SELECTION_DEPTH, MAX_SELECTION_LEN};
use crate::{package::PackageError, unit::UnitError};

/// Why a text selects nothing, or asks nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectError {
    /// Something else stands where the language wants a certain word.
    #[error("at character {at}: {expected} is expected, {found} stands there")]
    Expected {
        /// The character at which it stands, from 1.
        at: usize,
        /// What the language wants there.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// A character that begins no word, or is in no label.
    #[error("at character {at}: `{found}` means nothing here")]
    Unknown {
        /// The character at which it stands, from 1.
        at: usize,
        /// The character.
        found: char,
    },
    /// A text without its closing quote.
    #[error("at character {at}: the text that begins here has no closing `\"`")]
    Unclosed {
        /// The character of its opening quote, from 1.
        at: usize,
    },
    /// A backslash before a character that needs none.
    #[error("at character {at}: `\\{found}` is no escape: only `\\\"` and `\\\\` are")]
    Escape {
        /// The character of the backslash, from 1.
        at: usize,
        /// The character after it.
        found: char,
    },
    /// A selection with a condition that hosts would have to be asked for.
    #[error(
        "at character {at}: `{begins}` asks the hosts themselves, and a selection goes by labels and facts \
         alone: `cofferdam query` asks hosts"
    )]
    ForHosts {
        /// The character at which the condition begins, from 1.
        at: usize,
        /// How it begins.
        begins: String,
    },
    /// What is nearly the word that begins a condition which hosts are asked for, and no label that is compared.
    #[error(
        "at character {at}: `{found}` begins nothing that hosts can be asked: a query begins with a label \
         that is compared, or with `package`, `kernel` or `unit`; did you mean `{meant}`?"
    )]
    Misspelt {
        /// The character at which it stands, from 1.
        at: usize,
        /// What stands there.
        found: String,
        /// The word that it is most like.
        meant: String,
    },
    /// What a host is asked is a label's value, which the coordinator alone knows.
    #[error("at character {at}: `{label}` is a label, which no host is asked for")]
    ForLabels {
        /// The character at which the condition begins, from 1.
        at: usize,
        /// The label.
        label: String,
    },
    /// No package's name or version.
    #[error("at character {at}: {why}")]
    Package {
        /// The character at which it stands, from 1.
        at: usize,
        /// What is wrong with it.
        why: PackageError,
    },
    /// No unit's name.
    #[error("at character {at}: {why}")]
    Unit {
        /// The character at which it stands, from 1.
        at: usize,
        /// What is wrong with it.
        why: UnitError,
    },
    /// More parentheses and `not`s within each other than [`MAX_SELECTION_DEPTH`].
    #[error("at character {at}: more than {MAX_SELECTION_DEPTH} levels of parentheses and `not`")]
    TooDeep {
        /// The character of the first one too many, from 1.
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
    /// The character of the text that it is about, from 1.
    pub fn at(&self) -> usize {
        match self {
            Self::Expected { at, .. }
            | Self::Unknown { at, .. }
            | Self::Unclosed { at }
            | Self::Escape { at, .. }
            | Self::ForHosts { at, .. }
            | Self::Misspelt { at, .. }
            | Self::ForLabels { at, .. }
            | Self::Package { at, .. }
            | Self::Unit { at, .. }
            | Self::TooDeep { at } => *at,
            Self::TooLong { .. } => 1,
        }
    }

    /// The same error, told in characters for people. While a text is read, places are bytes from 0.
    pub(super) fn in_characters(mut self, text: &str) -> Self {
        let at = match &mut self {
            Self::Expected { at, .. }
            | Self::Unknown { at, .. }
            | Self::Unclosed { at }
            | Self::Escape { at, .. }
            | Self::ForHosts { at, .. }
            | Self::Misspelt { at, .. }
            | Self::ForLabels { at, .. }
            | Self::Package { at, .. }
            | Self::Unit { at, .. }
            | Self::TooDeep { at } => at,
            Self::TooLong { .. } => return self,
        };
        *at = text.get(..*at).unwrap_or(text).chars().count() + 1;
        self
    }
}
