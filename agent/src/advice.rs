//! What `check-config` warns of beside mistakes of the file: what the machine or the people are yet to do.

use crate::{config::Settings, health::taken, trust};

/// Warns of all of it. Nothing of it keeps an agent from starting.
pub fn give(settings: &Settings) {
    trust::check(settings);
    taken::warn(settings);
}
