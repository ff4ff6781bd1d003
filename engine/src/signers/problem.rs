//! Why a file of allowed signers cannot be read, and why a key does not count.

use super::{MAX_SIGNERS_LEN, NAMESPACE};
use std::fmt;

/// Every mistake of a file of allowed signers. Displays one line each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignersError {
    /// The file's name, as it was given.
    pub file: String,
    /// The mistakes, each with its line, from 1. Not empty.
    pub mistakes: Vec<(usize, SignerProblem)>,
}

impl std::error::Error for SignersError {}

impl fmt::Display for SignersError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (line, problem)) in self.mistakes.iter().enumerate() {
            let end = if place == 0 { "" } else { "\n" };
            write!(f, "{end}{}:{line}: {problem}", self.file)?;
        }
        Ok(())
    }
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignerProblem {
    /// The whole file is too long.
    #[error("the file has {0} bytes; at most {MAX_SIGNERS_LEN} are read")]
    TooLong(usize),
    /// No line names anybody.
    #[error("nobody is named: a line is `NAME [OPTIONS] ssh-ed25519 KEY`")]
    Nobody,
    /// The key is missing, or is no base64.
    #[error("no key: a line is `NAME [OPTIONS] ssh-ed25519 KEY`")]
    NoKey,
    /// The name could be anybody's.
    #[error("`{0}` is a pattern, or in quotes: name who it is, as in `alice@example.org`")]
    Name(String),
    /// The kind of key is not one whose signatures are checked.
    #[error("keys of kind `{0}` are not taken: ssh-ed25519 and ecdsa-sha2-nistp256 are")]
    KeyType(String),
    /// Certificates are not checked.
    #[error("`cert-authority` is not taken: name each key")]
    CertAuthority,
    /// Not an option that is known.
    #[error("unknown option `{0}`: `namespaces`, `valid-after` and `valid-before` are known")]
    Option(String),
    /// An option that stands there twice.
    #[error("`{0}` stands there twice; keep one")]
    Twice(&'static str),
    /// An option without a value in quotes.
    #[error("`{0}` needs a value in quotes, as in namespaces=\"{NAMESPACE}\"")]
    Value(&'static str),
    /// A namespace that is a pattern.
    #[error("the namespace `{0}` is a pattern: write \"{NAMESPACE}\"")]
    Namespace(String),
    /// Not a moment, or in the time zone of whoever reads it.
    #[error(
        "`{0}` is not a moment: YYYYMMDD or YYYYMMDDHHMM[SS] and a `Z` are expected, as in \
         \"20271231Z\", since hosts are in many time zones"
    )]
    Moment(String),
}

/// Why a key does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAllowed {
    /// It is allowed for other things.
    #[error("the key of {name} is not allowed for {namespace}")]
    OtherNamespace {
        /// Whose key it is.
        name: String,
        /// What for.
        namespace: &'static str,
    },
    /// It counts later.
    #[error("the key of {name} is not valid yet")]
    NotYet {
        /// Whose key it is.
        name: String,
    },
    /// It counted once.
    #[error("the key of {name} is not valid any more")]
    Expired {
        /// Whose key it is.
        name: String,
    },
}
