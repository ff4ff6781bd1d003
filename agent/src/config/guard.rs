//! The guard's part of the config file.

use super::{Refusal, read::listed};
use crate::guard::settings::{DeadAgent, GuardSettings, Mode};
use cofferdam_engine::document::Table;

/// Reads `[guard]`.
pub(super) fn read(top: &mut Table<'_, Refusal>) -> GuardSettings {
    let mut settings = GuardSettings::default();
    let Some(mut table) = top.table("guard", "[guard]") else {
        return settings;
    };
    let modes = [("observe", Mode::Observe), ("enforce", Mode::Enforce)];
    if let Some(mode) = table.choice("mode", &modes) {
        settings.mode = mode;
    }
    let policies = [("closed", DeadAgent::Closed), ("open", DeadAgent::Open)];
    if let Some(policy) = table.choice("dead_agent", &policies) {
        settings.dead_agent = policy;
    }
    if let Some(exempt) = table.names("exempt", rule) {
        settings.exempt = exempt;
    }
    table.finish(&[], &[]);
    settings
}

/// A name of a package of Debian or Red Hat, or the beginning of one and a `*`.
fn rule(text: &str) -> Result<String, Refusal> {
    listed(text, "+-._", Refusal::Package)
}
