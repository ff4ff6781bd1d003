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
//! A package manager replaces a file by another one under the same name; who has the old one mapped goes on
//! with it, and the kernel says so. What is read once and not mapped, as scripts and their modules, leaves
//! no such trace: of those a package's own scripts take care.

pub mod command;
pub mod kernel;
pub mod look;
pub mod mapped;

use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// The most units, and files of one unit, that are named (guess: a C library concerns every unit of a
/// host, and ten names of files say what happened).
pub const MOST_UNITS: usize = 100;
/// See [`MOST_UNITS`].
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
/// [`MOST_UNITS`] and [`MOST_FILES`].
pub type StaleUnits = BTreeMap<String, BTreeSet<String>>;

impl Effect {
    /// Whether all that runs is what is installed.
    pub fn is_whole(&self) -> bool {
        self.stale.is_empty() && self.reboot.is_none()
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
        if self.is_whole() {
            return f.write_str("effective: yes");
        }
        if let Some(reason) = &self.reboot {
            write!(f, "effective: needs-reboot ({reason})")?;
        }
        if self.stale.is_empty() {
            return Ok(());
        }
        match self.reboot {
            Some(_) => f.write_str(", ")?,
            None => f.write_str("effective: ")?,
        }
        let units: Vec<&str> = self.stale.keys().map(String::as_str).collect();
        write!(f, "needs-restart {}", units.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_effect_is_said_in_one_line() {
        let mut effect = Effect::default();
        assert_eq!(effect.to_string(), "effective: yes");
        for unit in ["b.service", "a.service"] {
            effect.stale.insert(unit.to_owned(), BTreeSet::new());
        }
        assert_eq!(
            effect.to_string(),
            "effective: needs-restart a.service b.service"
        );
        effect.reboot = Some("kernel 2 is installed and 1 runs".to_owned());
        assert_eq!(
            effect.to_string(),
            "effective: needs-reboot (kernel 2 is installed and 1 runs), needs-restart a.service b.service"
        );
        assert!(!effect.is_whole());
    }
}
