//! Proof of effect: whether what runs on the host is what is installed on it.
//!
//! Duty: a patch that is on the disk and not in memory protects nobody. In: `/proc`, `/boot`, the mark of
//! packages that ask for a reboot. Out: [`Effect`].
//!
//! ```text
//! /proc/PID/maps ---> mapped: files that were replaced --+
//! /proc/PID/cgroup -> its unit of the system ------------+--> look --> Effect --> restarts (step::effect)
//! /boot ------------> kernel: the newest one ------------+
//! ```
//!
//! The coordinator is told after each change that an order made, and [`watch`] looks now and then, for what
//! people restart by themselves.
//!
//! A package manager replaces a file by another one under the same name; who has the old one mapped goes on
//! with it, and the kernel says so. What is read once and not mapped, as scripts and their modules, leaves
//! no such trace: of those a package's own scripts take care.

pub mod command;
pub mod kernel;
pub mod look;
pub mod mapped;
pub mod watch;

use cofferdam_engine::effect::EffectSummary;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// The most files of one unit that are named (guess: ten names say what happened).
pub const MOST_FILES: usize = 10;

/// How far what is installed is in effect.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Effect {
    /// Units whose processes run what was replaced, each with the files. Empty: none does.
    pub stale: StaleUnits,
    /// Why only a reboot helps. Absent: none is needed.
    pub reboot: Option<String>,
}

/// Units of the system, each with the replaced files that its processes have mapped: at most
/// [`EFFECT_UNITS`](cofferdam_engine::effect::EFFECT_UNITS) and [`MOST_FILES`].
pub type StaleUnits = BTreeMap<String, BTreeSet<String>>;

impl Effect {
    /// What the coordinator is told of it.
    pub fn summary(&self) -> EffectSummary {
        EffectSummary {
            restart: self.stale.keys().cloned().collect(),
            reboot: self.reboot.clone(),
        }
    }

    /// All of it: after the one line, a line for each unit with the files that it runs.
    pub fn in_full(&self) -> String {
        let mut text = self.to_string();
        for (unit, files) in &self.stale {
            let files: Vec<&str> = files.iter().map(String::as_str).collect();
            text += &format!("\n  {unit} runs {}", files.join(" "));
        }
        text
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "effective: {}", self.summary())
    }
}
