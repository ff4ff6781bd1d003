//! The form of what a command says.

use crate::host::versioned;
use serde::Serialize;
use std::fmt;

/// The form of what is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Output {
    /// For people.
    Text,
    /// For programs: one object, with its version.
    Json,
}

impl Output {
    /// What is said of something, with the end of its last line.
    pub fn of(self, shown: &(impl fmt::Display + Serialize)) -> String {
        match self {
            Self::Text => shown.to_string(),
            Self::Json => String::from_utf8_lossy(&versioned::to_json(shown)).into_owned() + "\n",
        }
    }
}
