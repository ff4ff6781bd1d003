//! What a host was like before a run: what was bad already is not the patch's doing.

use super::kernel_log;
use crate::checks::verdict::{Limit, Reading, Verdict};
use cofferdam_engine::id::OrderKey;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// By how much a number that was bad already may get worse, as a part of what it was, before that is the
/// patch's doing (guess: a load that was too high anyway moves that much by itself).
const SLACK: f64 = 0.25;

/// What the signals said before a run. It is on disk before the run's drain, so that a run that goes on
/// after a restart or a reboot is held against the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// The order whose run it is.
    pub order: OrderKey,
    /// The end of the kernel's log. Absent: it is not read.
    pub kernel_log: Option<kernel_log::Mark>,
    /// What did not pass, by the signal's name.
    pub bad: BTreeMap<String, Bad>,
}

/// A signal that did not pass.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bad {
    /// What it said: anything but a pass.
    pub verdict: Verdict,
    /// The number that it went by. Absent: none.
    pub value: Option<f64>,
}

impl Baseline {
    /// What the signals say now, before a run.
    pub fn take(
        order: OrderKey,
        kernel_log: Option<kernel_log::Mark>,
        readings: &[Reading],
    ) -> Self {
        let is_bad = |reading: &&Reading| reading.verdict != Verdict::Pass;
        let bad = readings.iter().filter(is_bad).map(|reading| {
            let bad = Bad {
                verdict: reading.verdict,
                value: reading.measure.as_ref().map(|measure| measure.value),
            };
            (reading.name.clone(), bad)
        });
        Self {
            order,
            kernel_log,
            bad: bad.collect(),
        }
    }

    /// Whether a signal is as bad as before the run and not much worse, so that it says nothing of the
    /// patch.
    pub fn sets_aside(&self, reading: &Reading) -> bool {
        let Some(was) = self.bad.get(&reading.name) else {
            return false;
        };
        match (was.verdict, reading.verdict) {
            (_, Verdict::Pass) => false,
            // Nobody could tell then: now somebody can.
            (Verdict::NoData, Verdict::Fail) => false,
            (Verdict::Fail | Verdict::Pass, Verdict::NoData) => false,
            (Verdict::NoData, Verdict::NoData) => true,
            (Verdict::Fail | Verdict::Pass, Verdict::Fail) => !is_much_worse(*was, reading),
        }
    }
}

fn is_much_worse(was: Bad, reading: &Reading) -> bool {
    let (Some(was), Some(now)) = (was.value, &reading.measure) else {
        return false;
    };
    match now.limit {
        Limit::AtMost(_) => now.value > was * (1.0 + SLACK),
        Limit::AtLeast(_) => now.value < was * (1.0 - SLACK),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{checks::verdict::Measure, sample};

    fn load(value: f64) -> Reading {
        Reading::measured("load", Measure::new(value, "", Limit::AtMost(8.0)), "")
    }

    fn free(value: f64) -> Reading {
        Reading::measured("disk:/", Measure::new(value, "%", Limit::AtLeast(5.0)), "")
    }

    fn word(verdict: Verdict) -> Reading {
        Reading::new("unit:a.service", verdict, "")
    }

    #[test]
    fn what_was_as_bad_before_is_set_aside_and_nothing_else() {
        use Verdict::{Fail, NoData, Pass};
        for (before, now, aside) in [
            (word(Fail), word(Fail), true),
            (word(Pass), word(Fail), false),
            (word(Pass), word(NoData), false),
            (word(NoData), word(NoData), true),
            (word(NoData), word(Fail), false),
            (word(Fail), word(NoData), false),
            (word(Fail), word(Pass), false),
            (load(10.0), load(12.5), true),
            (load(10.0), load(12.6), false),
            (load(7.0), load(8.1), false),
            (free(4.0), free(3.0), true),
            (free(4.0), free(2.9), false),
            (free(0.0), free(0.0), true),
            (free(4.0), load(9.0), false),
        ] {
            let baseline =
                Baseline::take(sample::order(1).key, None, std::slice::from_ref(&before));
            assert_eq!(baseline.sets_aside(&now), aside, "{before} then {now}");
        }
    }

    #[test]
    fn a_baseline_outlives_its_agent() {
        let mark = kernel_log::Mark {
            boot_id: "a".to_owned(),
            up_to: Some(7),
            known: ["I/O error, dev fd".to_owned()].into(),
        };
        let readings = [word(Verdict::NoData), load(9.5), free(50.0)];
        let baseline = Baseline::take(sample::order(1).key, Some(mark), &readings);
        assert_eq!(baseline.bad.len(), 2);
        let json = serde_json::to_string(&baseline).unwrap();
        assert_eq!(serde_json::from_str::<Baseline>(&json).unwrap(), baseline);
    }
}
