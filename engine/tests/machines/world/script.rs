//! What the steps on modelled hosts do, and how long that takes.

use cofferdam_engine::{
    failure::FailureKind,
    id::HostId,
    rehearse::{Does, Model, Moment, Step},
};
use std::time::Duration;

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
}

impl Model for Script {
    fn next(&mut self, moment: &Moment<'_>) -> Does {
        let (host, step) = (&moment.host.id, moment.step);
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
