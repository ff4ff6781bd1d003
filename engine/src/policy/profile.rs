//! How carefully a rollout goes where its file says no waves and no bake: by how bad it is to wait.
//!
//! | profile | canary | regional | full | bake, at least |
//! |---|---|---|---|---|
//! | `default` | 1 % | 10 % | 100 % | 15 min |
//! | `accelerated` | 1 % | 25 % | 100 % | 10 min |
//! | `emergency` | 5 % | 25 % | 100 % | 5 min |
//!
//! `default` is the story's. The shares of `emergency` are those of Bottlerocket's `ohno`, whose clock
//! of hours is replaced by evidence: every profile waits for its hosts and strata, and a bake is the
//! least that it waits beside. `accelerated` lies between the two; its numbers and the shorter bakes
//! are guesses.

use super::mins;
use crate::share::Share;
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// Which waves and bakes a rollout has where its file says none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// There is time.
    #[default]
    Default,
    /// It should not take long.
    Accelerated,
    /// Every hour that it takes is dangerous itself.
    Emergency,
}

/// How bad what the patch cures is. Picks the profile, unless the file says that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Hardly.
    Low,
    /// What most patches are.
    #[default]
    Medium,
    /// It is made use of somewhere, or will be.
    High,
    /// It is made use of from outside, now.
    Critical,
}

impl Severity {
    /// All, with the word that files have for each.
    pub const WORDS: [(&'static str, Self); 4] = [
        (Self::Low.word(), Self::Low),
        (Self::Medium.word(), Self::Medium),
        (Self::High.word(), Self::High),
        (Self::Critical.word(), Self::Critical),
    ];

    const fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The profile for it.
    pub fn profile(self) -> Profile {
        match self {
            Self::Low | Self::Medium => Profile::Default,
            Self::High => Profile::Accelerated,
            Self::Critical => Profile::Emergency,
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl Profile {
    /// All, with the word that files have for each.
    pub const WORDS: [(&'static str, Self); 3] = [
        (Self::Default.word(), Self::Default),
        (Self::Accelerated.word(), Self::Accelerated),
        (Self::Emergency.word(), Self::Emergency),
    ];

    const fn word(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Accelerated => "accelerated",
            Self::Emergency => "emergency",
        }
    }

    /// Names and cumulative shares of its waves.
    pub fn waves(self) -> [(&'static str, Share); 3] {
        let (canary, regional) = match self {
            Self::Default => (1, 10),
            Self::Accelerated => (1, 25),
            Self::Emergency => (5, 25),
        };
        [
            ("canary", Share::percent(canary)),
            ("regional", Share::percent(regional)),
            ("full", Share::ALL),
        ]
    }

    /// The bake of every wave but the last.
    pub fn bake(self) -> Duration {
        match self {
            Self::Default => mins(15),
            Self::Accelerated => mins(10),
            Self::Emergency => mins(5),
        }
    }
}
