//! What drift detection is told.

use super::pattern::{Pattern, PatternError};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, time::Duration};

/// What is watched where the config file says nothing: what decides which code is loaded, what the main rules
/// of becoming root are, and which keys packages are trusted by. What a first boot or cloud-init writes is
/// not among it (users, `sudoers.d`, authorized keys, apt's sources): it would hold every new host back.
pub const USUAL_FILES: [&str; 10] = [
    "/etc/apt/keyrings",
    "/etc/apt/preferences.d",
    "/etc/apt/trusted.gpg.d",
    "/etc/ld.so.conf.d",
    "/etc/ld.so.preload",
    "/etc/modprobe.d",
    "/etc/pam.d",
    "/etc/sudoers",
    "/etc/sysctl.d",
    "/usr/share/keyrings",
];

/// The settings of drift detection. Made from `[drift]` of the agent's config file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DriftSettings {
    /// The files that a seal records, beside all packages. Empty: packages alone.
    pub files: BTreeSet<Pattern>,
    /// What drift does to a host on its first boot from an image. Default [`FirstBoot::Hold`].
    pub first_boot: FirstBoot,
    /// For how long after a boot it is noted what the host looks up and dials. Absent, which is the default:
    /// it is not.
    pub boot_evidence: Option<Duration>,
}

/// What drift does to a host on its first boot from an image. On later boots it is a warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FirstBoot {
    /// The host gets no traffic.
    #[default]
    Hold,
    /// It is a warning.
    Warn,
}

impl Default for DriftSettings {
    fn default() -> Self {
        let files: Result<_, PatternError> =
            USUAL_FILES.iter().map(|f| Pattern::parse(f)).collect();
        Self {
            files: files.unwrap_or_default(),
            first_boot: FirstBoot::default(),
            boot_evidence: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_files_are_patterns() {
        assert_eq!(DriftSettings::default().files.len(), USUAL_FILES.len());
    }
}
