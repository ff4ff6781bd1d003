//! The coordinator's config file: TOML to [`Settings`], every mistake at once.
//!
//! Two stages: the text becomes a [`fragment`], in which each key is read alone and may be absent;
//! the fragment, with the defaults, becomes [`Settings`] of domain types.

mod fragment;
mod settings;

pub use self::settings::{Regions, Settings};

use std::{fmt, fs, io, path::PathBuf};

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file is not what it should be.
    #[error("{}", lines(path, mistakes))]
    Mistakes {
        /// The file.
        path: PathBuf,
        /// What is wrong, in order of lines. Not empty.
        mistakes: Vec<Mistake>,
    },
}

/// One thing that is wrong with a config file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The line, from 1. Absent: it is about something that is not there.
    pub line: Option<usize>,
    /// What is wrong, with the key.
    pub message: String,
}

impl Settings {
    /// Reads a config file.
    ///
    /// # Errors
    /// [`ConfigError`], with every mistake at once.
    pub fn read(path: &std::path::Path) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text).map_err(|mut mistakes| {
            mistakes.sort_by_key(|mistake| mistake.line.unwrap_or(usize::MAX));
            ConfigError::Mistakes {
                path: path.to_owned(),
                mistakes,
            }
        })
    }
}

fn lines(path: &std::path::Path, mistakes: &[Mistake]) -> String {
    let line = |mistake: &Mistake| format!("{}:{mistake}", path.display());
    mistakes.iter().map(line).collect::<Vec<_>>().join("\n")
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{line}: {}", self.message),
            None => write!(f, " {}", self.message),
        }
    }
}

#[cfg(test)]
mod tests;
