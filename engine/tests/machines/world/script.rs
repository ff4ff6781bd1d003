//! What the steps on modelled hosts do, and how long that takes.

use cofferdam_engine::{failure::FailureKind, id::HostId};
use std::time::Duration;

/// Something that an agent does to its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Stage,
    Drain,
    Apply,
    Reboot,
    Verify,
    RollBack,
    VerifyRollback,
    Readmit,
}

/// How a step goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Does {
    /// It ends well after this long.
    Well(Duration),
    /// The same, and the host needs a reboot.
    NeedsReboot(Duration),
    /// It fails after this long.
    Fails(Duration, FailureKind),
    /// It never ends.
    Hangs,
    /// The host dies under it.
    Dies,
}

/// Fails after a second.
pub(crate) fn fails(kind: FailureKind) -> Does {
    Does::Fails(Duration::from_secs(1), kind)
}

/// Which steps go otherwise than well.
#[derive(Debug, Default)]
pub(crate) struct Script {
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    host: HostId,
    step: Step,
    does: Does,
    /// How often it still does that. Absent: for good.
    left: Option<u32>,
}

impl Script {
    /// From now on a step on a host goes like this, the given number of times, or for good.
    pub(crate) fn set(&mut self, host: &HostId, step: Step, does: Does, times: Option<u32>) {
        self.rules.retain(|r| r.host != *host || r.step != step);
        self.rules.push(Rule {
            host: host.clone(),
            step,
            does,
            left: times,
        });
    }

    /// From now on every step goes well.
    pub(crate) fn clear(&mut self) {
        self.rules.clear();
    }

    /// How the next go of a step on a host goes.
    pub(crate) fn next(&mut self, host: &HostId, step: Step) -> Does {
        let rule = self
            .rules
            .iter_mut()
            .find(|r| r.host == *host && r.step == step && r.left != Some(0));
        let Some(rule) = rule else {
            return Does::Well(Duration::from_millis(usual_millis(step)));
        };
        rule.left = rule.left.map(|left| left - 1);
        rule.does
    }
}

fn usual_millis(step: Step) -> u64 {
    match step {
        Step::Stage => 500,
        Step::Drain => 2_000,
        Step::Apply | Step::RollBack => 5_000,
        Step::Reboot => 20_000,
        Step::Verify | Step::VerifyRollback => 3_000,
        Step::Readmit => 1_000,
    }
}
