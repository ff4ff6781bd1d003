//! What the guard is told.

use crate::pattern;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The guard's settings. Made from `[guard]` of the agent's config file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct GuardSettings {
    /// Whether it refuses. Default [`Mode::Observe`].
    pub mode: Mode,
    /// What holds while the agent is dead. Default [`DeadAgent::Closed`].
    pub dead_agent: DeadAgent,
    /// Packages that anyone may change, by name; a `*` at the end stands for any rest. Empty: none.
    pub exempt: BTreeSet<String>,
}

/// Whether the guard refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// It writes down what it would refuse, and lets it pass.
    #[default]
    Observe,
    /// It refuses.
    Enforce,
}

/// What holds while the agent is dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeadAgent {
    /// What is refused otherwise is refused.
    #[default]
    Closed,
    /// It passes, and is written down.
    Open,
}

impl GuardSettings {
    /// Whether anyone may change all of these packages. None at all: no.
    pub fn exempts<'a>(&self, packages: impl IntoIterator<Item = &'a str>) -> bool {
        let mut packages = packages.into_iter().peekable();
        packages.peek().is_some() && packages.all(|name| self.exempts_one(name))
    }

    fn exempts_one(&self, name: &str) -> bool {
        let mut exempt = self.exempt.iter();
        exempt.any(|listed| pattern::matches(listed, name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_exempt_when_all_of_its_packages_are() {
        let settings = GuardSettings {
            exempt: ["puppet-agent".to_owned(), "salt-*".to_owned()].into(),
            ..GuardSettings::default()
        };
        assert!(settings.exempts(["puppet-agent", "salt-minion"]));
        for others in [
            &["puppet-agent", "openssl"][..],
            &["puppet-agent-extra"],
            &[],
        ] {
            assert!(!settings.exempts(others.iter().copied()), "{others:?}");
        }
    }
}
