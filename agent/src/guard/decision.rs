//! Decides whether a change of packages passes: pure, from what a hook found.

use super::settings::{DeadAgent, GuardSettings, Mode};
use serde::{Deserialize, Serialize};

/// What a hook found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Whether it is part of a change that was let pass. The agent's own are not even asked about.
    pub covered: bool,
    /// Whether a person opened a window that is still open.
    pub window: bool,
    /// Whether an operator has reserved the host.
    pub reserved: bool,
    /// Whether all of its packages are exempt.
    pub exempt: bool,
    /// The agent.
    pub agent: AgentState,
}

/// The agent, as a hook sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AgentState {
    /// It runs.
    Alive,
    /// It has not run since boot, and may still be about to.
    Awaited,
    /// It ran in this boot and does not any more, or should have begun long ago.
    Dead,
    /// Its process is there and does nothing, which is no better than dead.
    Hung,
}

/// What becomes of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// It passes: the agent makes it, or its packages are exempt. Nobody needs to hear of it.
    Covered,
    /// It passes in a window that a person opened.
    InWindow,
    /// It passes while an operator has reserved the host.
    Reserved,
    /// It passes because the guard only observes; else it would be refused.
    Observed,
    /// It passes because the agent is dead, or hangs, and the policy is `open`.
    AgentDead,
    /// It is refused.
    Refused,
    /// The unit that upgrades by itself is not started, which is what the guard is for: no change was tried.
    Skipped,
    /// Such a unit is started because the guard only observes. What it changes then is tried by its package
    /// manager.
    WouldSkip,
}

impl Decision {
    /// Decides.
    pub fn make(settings: &GuardSettings, found: Found) -> Self {
        if found.covered || found.exempt {
            return Self::Covered;
        }
        if found.window {
            return Self::InWindow;
        }
        if found.reserved {
            return Self::Reserved;
        }
        match (settings.mode, found.agent, settings.dead_agent) {
            (Mode::Observe, _, _) => Self::Observed,
            (Mode::Enforce, AgentState::Dead | AgentState::Hung, DeadAgent::Open) => {
                Self::AgentDead
            }
            (Mode::Enforce, AgentState::Dead | AgentState::Hung, DeadAgent::Closed)
            | (Mode::Enforce, AgentState::Alive | AgentState::Awaited, _) => Self::Refused,
        }
    }

    /// The same decision about the start of a unit that upgrades by itself.
    #[must_use]
    pub fn of_unit(self) -> Self {
        match self {
            Self::Refused => Self::Skipped,
            Self::Observed => Self::WouldSkip,
            Self::Covered
            | Self::InWindow
            | Self::Reserved
            | Self::AgentDead
            | Self::Skipped
            | Self::WouldSkip => self,
        }
    }

    /// Whether a change was tried and nobody had said yes to it: it is refused, or would be.
    pub fn is_unasked(self) -> bool {
        match self {
            Self::Observed | Self::AgentDead | Self::Refused => true,
            Self::Covered | Self::InWindow | Self::Reserved | Self::Skipped | Self::WouldSkip => {
                false
            }
        }
    }

    /// Whether it passes.
    pub fn passes(self) -> bool {
        !matches!(self, Self::Refused | Self::Skipped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRANGER: Found = Found {
        covered: false,
        window: false,
        reserved: false,
        exempt: false,
        agent: AgentState::Alive,
    };

    fn settings(mode: Mode, dead_agent: DeadAgent) -> GuardSettings {
        GuardSettings {
            mode,
            dead_agent,
            ..GuardSettings::default()
        }
    }

    #[test]
    fn a_change_that_nobody_ordered_is_refused_or_observed() {
        for (mode, decision) in [
            (Mode::Enforce, Decision::Refused),
            (Mode::Observe, Decision::Observed),
        ] {
            let settings = settings(mode, DeadAgent::Closed);
            assert_eq!(Decision::make(&settings, STRANGER), decision);
        }
    }

    #[test]
    fn a_unit_that_is_not_started_tried_nothing() {
        for (decision, of_unit) in [
            (Decision::Refused, Decision::Skipped),
            (Decision::Observed, Decision::WouldSkip),
            (Decision::InWindow, Decision::InWindow),
            (Decision::AgentDead, Decision::AgentDead),
        ] {
            assert_eq!(decision.of_unit(), of_unit);
            assert_eq!(decision.passes(), of_unit.passes());
        }
        assert!(!Decision::Skipped.is_unasked() && !Decision::WouldSkip.is_unasked());
    }

    #[test]
    fn orders_windows_reservations_and_exempt_packages_pass() {
        let settings = settings(Mode::Enforce, DeadAgent::Closed);
        let covered = Found {
            covered: true,
            ..STRANGER
        };
        let window = Found {
            window: true,
            ..STRANGER
        };
        let exempt = Found {
            exempt: true,
            ..STRANGER
        };
        assert_eq!(Decision::make(&settings, covered), Decision::Covered);
        assert_eq!(Decision::make(&settings, window), Decision::InWindow);
        let reserved = Found {
            reserved: true,
            ..STRANGER
        };
        assert_eq!(Decision::make(&settings, reserved), Decision::Reserved);
        assert_eq!(Decision::make(&settings, exempt), Decision::Covered);
    }

    #[test]
    fn a_dead_agent_fails_as_the_policy_says_but_one_that_is_awaited_is_not_dead() {
        for (agent, policy, decision) in [
            (AgentState::Dead, DeadAgent::Closed, Decision::Refused),
            (AgentState::Dead, DeadAgent::Open, Decision::AgentDead),
            (AgentState::Hung, DeadAgent::Closed, Decision::Refused),
            (AgentState::Hung, DeadAgent::Open, Decision::AgentDead),
            (AgentState::Awaited, DeadAgent::Open, Decision::Refused),
            (AgentState::Alive, DeadAgent::Open, Decision::Refused),
        ] {
            let found = Found { agent, ..STRANGER };
            let made = Decision::make(&settings(Mode::Enforce, policy), found);
            assert_eq!(made, decision, "{agent:?} {policy:?}");
        }
    }
}
