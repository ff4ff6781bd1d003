//! Names and numbers that identify things, each a type of its own.
//!
//! Names come from certificates, files and the wire, so they are checked once, here: not empty, at
//! most [`MAX_NAME_LEN`] bytes, made of letters, digits, `.`, `_` and `-`, and beginning with a
//! letter or a digit. A name is therefore always safe in a path, a URI, a label and a log line.

use serde::{Deserialize, Serialize};
use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    sync::Arc,
};

/// The most bytes a name may have: the limit of a DNS name.
pub const MAX_NAME_LEN: usize = 253;

/// Why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The text is empty.
    #[error("a {kind} must not be empty")]
    Empty {
        /// What the text was meant to name.
        kind: &'static str,
    },
    /// The text has more than [`MAX_NAME_LEN`] bytes.
    #[error("a {kind} has at most {MAX_NAME_LEN} bytes, this one has {len}")]
    TooLong {
        /// What the text was meant to name.
        kind: &'static str,
        /// The number of bytes it has.
        len: usize,
    },
    /// The text holds a character that a name must not have, or begins with `.`, `_` or `-`.
    #[error(
        "`{text}` is not a {kind}: letters, digits, `.`, `_` and `-`, beginning with a letter or a digit"
    )]
    Malformed {
        /// What the text was meant to name.
        kind: &'static str,
        /// The text.
        text: String,
    },
}

fn check_name(kind: &'static str, text: &str) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty { kind });
    }
    if text.len() > MAX_NAME_LEN {
        return Err(NameError::TooLong {
            kind,
            len: text.len(),
        });
    }
    let starts_well = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    let holds_only = text
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
    if starts_well && holds_only {
        return Ok(());
    }
    Err(NameError::Malformed {
        kind,
        text: text.to_owned(),
    })
}

/// The text of a name. A fleet's maps hold each name many times over and compare it all the time: one of
/// usual length stands where it is used, and needs no other memory.
#[derive(Clone)]
enum Text {
    /// So many bytes, and zeros after them.
    Short(u8, [u8; SHORT]),
    Long(Arc<str>),
}

/// The most bytes of a short name: with its length, and the mark that it is short, in four words.
const SHORT: usize = 30;

impl Text {
    fn new(text: &str) -> Self {
        let mut bytes = [0; SHORT];
        match (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(there), Ok(len)) => {
                there.copy_from_slice(text.as_bytes());
                Self::Short(len, bytes)
            }
            (_, _) => Self::Long(text.into()),
        }
    }

    fn as_str(&self) -> &str {
        str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Short(len, bytes) => bytes.get(..usize::from(*len)).unwrap_or_default(),
            Self::Long(text) => text.as_bytes(),
        }
    }
}

/// A part of a short name as a number: such numbers are in the order of the parts.
#[inline]
fn part(bytes: &[u8; SHORT], from: usize) -> u128 {
    let part = bytes.get(from..).and_then(<[u8]>::first_chunk);
    part.map_or(0, |part| u128::from_be_bytes(*part))
}

/// The order of short names: no name has a zero byte.
#[inline]
fn in_order(one: &[u8; SHORT], other: &[u8; SHORT]) -> Ordering {
    // The second part begins where the first, which is alike then, has not ended.
    let second = || part(one, SHORT - 16).cmp(&part(other, SHORT - 16));
    part(one, 0).cmp(&part(other, 0)).then_with(second)
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Short(_, one), Self::Short(_, other)) => in_order(one, other).is_eq(),
            (Self::Long(one), Self::Long(other)) => Arc::ptr_eq(one, other) || one == other,
            (Self::Short(..), Self::Long(_)) | (Self::Long(_), Self::Short(..)) => false,
        }
    }
}

impl Eq for Text {}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Short(_, one), Self::Short(_, other)) => in_order(one, other),
            (Self::Long(one), Self::Long(other)) if Arc::ptr_eq(one, other) => Ordering::Equal,
            (Self::Short(..) | Self::Long(_), Self::Short(..) | Self::Long(_)) => {
                self.as_bytes().cmp(other.as_bytes())
            }
        }
    }
}

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Short(_, bytes) => {
                state.write_u128(part(bytes, 0));
                state.write_u128(part(bytes, SHORT - 16));
            }
            Self::Long(text) => text.hash(state),
        }
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Text);

        impl $name {
            /// Checks a text and takes it as a name.
            ///
            /// # Errors
            /// A [`NameError`] that says what is wrong with the text.
            pub fn new(text: impl Into<String>) -> Result<Self, NameError> {
                let text = text.into();
                check_name($kind, &text)?;
                Ok(Self(Text::new(&text)))
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.as_str().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

name_type!(
    /// One managed machine, by the name in its certificate.
    HostId,
    "host name"
);
impl HostId {
    /// The name that comes before all others.
    pub(crate) fn least() -> Self {
        Self(Text::new("0"))
    }
}

name_type!(
    /// A cell: the unit of blast radius. Made of region, zone and a number.
    CellId,
    "cell name"
);
name_type!(
    /// A region: where cells are and what one coordinator serves.
    Region,
    "region name"
);
name_type!(
    /// A service, by the value of its hosts' label.
    ServiceName,
    "service name"
);
name_type!(
    /// A rollout, by the name in its file. Never used twice in one store.
    RolloutId,
    "rollout name"
);
name_type!(
    /// A wave, by the name in its rollout file; unique within that rollout.
    WaveName,
    "wave name"
);
name_type!(
    /// A person or program that operates Cofferdam, by the name in its certificate.
    OperatorId,
    "operator name"
);

macro_rules! number_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl $name {
            /// The number after this one.
            #[must_use]
            pub fn next(self) -> Self {
                Self(self.0.saturating_add(1))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number_type!(
    /// Counts the owners of a region's cells: one more at each start or takeover. Begins at 1.
    OwnerEpoch
);
number_type!(
    /// Counts the orders ever issued to one host, across owners. Begins at 1.
    HostSequence
);
number_type!(
    /// The fencing token of one reservation, unique and rising within a cell's ledger. Begins at 1.
    ReservationToken
);
number_type!(
    /// Orders what a control plane wants of a cell in one rollout; a higher one replaces a lower.
    Generation
);
number_type!(
    /// Orders the reports of one journal. Begins at 1, without gaps.
    ReportSequence
);
number_type!(
    /// A number drawn when an agent's journal is made, so that a host made anew is known as new.
    Incarnation
);

/// The place of a wave in its rollout, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WaveIndex(pub u32);

impl fmt::Display for WaveIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What names an order for good: who issued it and the how-manieth it was for that host.
///
/// Ordered by epoch, then sequence. An agent refuses an order below the highest it has seen, and
/// other content under the same key (promise 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OrderKey {
    /// The owner's epoch when it issued the order.
    pub epoch: OwnerEpoch,
    /// The order's number among all orders to this host.
    pub sequence: HostSequence,
}

impl fmt::Display for OrderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.epoch, self.sequence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_letters_digits_and_three_marks() {
        for good in ["a", "web-01.r1_x", "9lives"] {
            assert!(HostId::new(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", ".", "../etc", "a b", "a/b", "ü", &"x".repeat(254)] {
            assert!(HostId::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_of_any_length_are_in_the_order_of_their_texts() {
        let ends = ["", "0", "9", "a", "b", "-1", "aa", "ab"];
        let names = (0..40).flat_map(|len| ends.map(|end| "x".repeat(len) + end));
        let mut texts: Vec<String> = names.filter(|name| HostId::new(name).is_ok()).collect();
        let mut names: Vec<HostId> = texts.iter().map(|t| HostId::new(t).unwrap()).collect();
        texts.sort();
        names.sort();
        assert!(names.iter().map(HostId::as_str).eq(&texts));
        for (place, name) in names.iter().enumerate() {
            let equal = names.iter().filter(|other| *other == name);
            let alike = texts.iter().filter(|other| **other == texts[place]);
            assert_eq!(equal.count(), alike.count(), "{name}");
        }
    }

    #[test]
    fn a_stored_name_is_checked_again_when_read() {
        assert!(serde_json::from_str::<HostId>("\"../x\"").is_err());
    }
}
