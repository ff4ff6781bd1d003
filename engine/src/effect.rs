//! What a host tells of the effect of what is installed: whether it is also what runs.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The most units that are named (guess: a C library concerns every unit of a host).
pub const EFFECT_UNITS: usize = 100;

/// How far what is installed on a host is in effect, as it found last. By default all of it is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EffectSummary {
    /// Units whose processes run what was replaced, in order, at most [`EFFECT_UNITS`]. Empty: none does.
    pub restart: Vec<String>,
    /// Why only a reboot helps. Absent: none is needed.
    pub reboot: Option<String>,
}

impl EffectSummary {
    /// Whether all that runs is what is installed.
    pub fn is_whole(&self) -> bool {
        self.restart.is_empty() && self.reboot.is_none()
    }
}

impl fmt::Display for EffectSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reboot = self
            .reboot
            .iter()
            .map(|why| format!("needs-reboot ({why})"));
        let units = Some(self.restart.join(" ")).filter(|units| !units.is_empty());
        let restart = units.iter().map(|units| format!("needs-restart {units}"));
        let needs: Vec<String> = reboot.chain(restart).collect();
        match needs.is_empty() {
            true => f.write_str("yes"),
            false => f.write_str(&needs.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_effect_is_said_in_one_line() {
        let mut effect = EffectSummary::default();
        assert_eq!(
            (effect.to_string().as_str(), effect.is_whole()),
            ("yes", true)
        );
        effect.restart = ["a.service", "b.service"].map(str::to_owned).to_vec();
        assert_eq!(effect.to_string(), "needs-restart a.service b.service");
        effect.reboot = Some("kernel 2 is installed and 1 runs".to_owned());
        assert_eq!(
            effect.to_string(),
            "needs-reboot (kernel 2 is installed and 1 runs), needs-restart a.service b.service"
        );
        assert!(!effect.is_whole());
    }
}
