//! What is wrong with which field of a message.

use cofferdam_engine::{
    advisory::AdvisoryIdError, id::NameError, package::PackageError, patch::RightsError,
    traffic::RampStepsError, unit::UnitError,
};
use std::fmt;

/// A message was refused: the path of the field at fault, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    path: String,
    problem: Problem,
}

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It is required and not there.
    #[error("is missing")]
    Missing,
    /// It must not be there, because of the value of another field.
    #[error("must be absent here")]
    OutOfPlace,
    /// Its number is none of its enum's values.
    #[error("has the value {0}, which this version does not know")]
    UnknownValue(i32),
    /// It must not be empty.
    #[error("is empty")]
    Empty,
    /// It must not be 0.
    #[error("is 0; it begins at 1")]
    Zero,
    /// It has too many bytes.
    #[error("has {len} bytes, at most {max} are allowed")]
    TooLong {
        /// How many it has.
        len: usize,
        /// How many it may have.
        max: usize,
    },
    /// It has too many entries.
    #[error("has {len} entries, at most {max} are allowed")]
    TooMany {
        /// How many it has.
        len: usize,
        /// How many it may have.
        max: usize,
    },
    /// It is longer than any wait.
    #[error("is {ms} ms, at most {max_ms} ms are allowed")]
    TooLate {
        /// How long it is.
        ms: u64,
        /// How long it may be.
        max_ms: u64,
    },
    /// It is meant for one line and holds a control character.
    #[error("holds a control character")]
    ControlCharacter,
    /// It is not a SHA-256.
    #[error("has {len} bytes, a SHA-256 has 32")]
    NotADigest {
        /// How many bytes it has.
        len: usize,
    },
    /// It is not a path that a host's file may have.
    #[error("`{0}` is not an absolute path without `..`")]
    NotAPath(String),
    /// It holds an entry a second time.
    #[error("holds `{0}` twice")]
    Twice(String),
    /// It is not a name.
    #[error(transparent)]
    NotAName(#[from] NameError),
    /// A file of more bytes than any has.
    #[error("says {bytes} bytes, at most {max} are allowed")]
    TooLarge {
        /// How many it says.
        bytes: u64,
        /// How many it may say.
        max: u64,
    },
    /// A package's name or version that is none.
    #[error(transparent)]
    NotAPackage(#[from] PackageError),
    /// A config file's permissions or owner that are none.
    #[error(transparent)]
    NotRights(#[from] RightsError),
    /// An advisory's id that is none.
    #[error(transparent)]
    NotAnAdvisory(#[from] AdvisoryIdError),
    /// They are no steps of a ramp.
    #[error(transparent)]
    NotARamp(#[from] RampStepsError),
    /// A systemd unit's name that is none.
    #[error(transparent)]
    NotAUnit(#[from] UnitError),
}

impl FieldError {
    /// The path of the field, as in `order.grant.cell`. Empty: the message itself.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What is wrong with it.
    pub fn problem(&self) -> &Problem {
        &self.problem
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            return write!(f, "the message {}", self.problem);
        }
        write!(f, "{}: {}", self.path, self.problem)
    }
}

impl std::error::Error for FieldError {}

impl From<Problem> for FieldError {
    fn from(problem: Problem) -> Self {
        let path = String::new();
        Self { path, problem }
    }
}

/// Says in which field something went wrong.
pub(super) trait At<T> {
    /// Puts a field's name before the path.
    fn at(self, field: &str) -> Result<T, FieldError>;

    /// Puts the place in a list before the path.
    fn at_index(self, index: usize) -> Result<T, FieldError>;
}

impl<T, E: Into<FieldError>> At<T> for Result<T, E> {
    fn at(self, field: &str) -> Result<T, FieldError> {
        self.map_err(|error| {
            let FieldError { path, problem } = error.into();
            let dot = if path.is_empty() || path.starts_with('[') {
                ""
            } else {
                "."
            };
            let path = format!("{field}{dot}{path}");
            FieldError { path, problem }
        })
    }

    fn at_index(self, index: usize) -> Result<T, FieldError> {
        self.map_err(Into::into).at(&format!("[{index}]"))
    }
}
