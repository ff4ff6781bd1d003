//! The part of the config file that is about drift.

use super::{ConfigError, Refusal, read};
use crate::drift::{
    pattern::Pattern,
    settings::{DriftSettings, FirstBoot},
};
use cofferdam_engine::document::Table;
use std::path::{Path, PathBuf};

/// What the commands about drift are told: they work on images too, which need not say yet which host
/// they will be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DriftConfig {
    /// The agent's own folder for what must last.
    pub state_dir: PathBuf,
    /// What drift detection is told.
    pub drift: DriftSettings,
}

impl Default for DriftConfig {
    fn default() -> Self {
        Self {
            state_dir: super::STATE_DIR.into(),
            drift: DriftSettings::default(),
        }
    }
}

impl DriftConfig {
    /// Reads what is about drift in a config file, and asks for nothing else.
    ///
    /// # Errors
    /// [`ConfigError`], with every mistake of that part at once.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        super::load_part(path, |mut top| {
            let usual = Self::default();
            let state_dir = top.text("state_dir", read::absolute);
            Some(Self {
                state_dir: state_dir.unwrap_or(usual.state_dir),
                drift: read_drift(&mut top),
            })
        })
    }
}

/// Reads `[drift]`.
pub(super) fn read_drift(top: &mut Table<'_, Refusal>) -> DriftSettings {
    let mut settings = DriftSettings::default();
    let Some(mut table) = top.table("drift", "[drift]") else {
        return settings;
    };
    if let Some(files) = table.names("files", Pattern::parse) {
        settings.files = files;
    }
    let policies = [("hold", FirstBoot::Hold), ("warn", FirstBoot::Warn)];
    if let Some(policy) = table.choice("first_boot", &policies) {
        settings.first_boot = policy;
    }
    settings.boot_evidence = table.duration("boot_evidence");
    table.finish(&[], &[]);
    settings
}
