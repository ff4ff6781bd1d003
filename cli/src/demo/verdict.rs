//! What the demo must show, compared with what the hosts and the coordinator say.

use crate::{
    demo::{fleet::Testimony, host::InstanceType, repository::Release},
    render::View,
};
use cofferdam_proto::operator::{RolloutState, RolloutView, WaveState};
use serde::Serialize;

/// What was found when both rollouts were over.
pub struct Evidence {
    /// The first rollout as it ended.
    pub good: RolloutView,
    /// What the hosts said then.
    pub after_good: Vec<Testimony>,
    /// The second rollout as it ended.
    pub bad: RolloutView,
    /// What the hosts said then.
    pub after_bad: Vec<Testimony>,
}

/// The demo in figures, each counted on the hosts themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// How many hosts there are.
    pub hosts: usize,
    /// How many the first rollout patched.
    pub patched: usize,
    /// The wave that the second rollout stopped in.
    pub stopped_in: String,
    /// Hosts that had the bad release and went back by themselves.
    pub rolled_back: Vec<String>,
    /// How many hosts the second rollout patched before it stopped.
    pub passed: usize,
    /// How many hosts it never touched.
    pub untouched: usize,
    /// How long the demo took.
    pub seconds: u64,
}

impl Evidence {
    /// Counts what happened.
    pub fn summary(&self, seconds: u64) -> Summary {
        let second = Release::Second.version();
        let third = Release::Third.version();
        let good = self.after_good.iter().filter(|t| t.installed == second);
        let bad = &self.after_bad;
        let back = bad.iter().filter(|t| had_third(t) && t.installed == second);
        let stopped = self.bad.waves.iter().find(|w| w.state != WaveState::Passed);
        Summary {
            hosts: bad.len(),
            patched: good.count(),
            stopped_in: stopped.map_or_else(|| "no-wave".to_owned(), |wave| wave.name.clone()),
            rolled_back: back.map(|t| t.host.name.clone()).collect(),
            passed: bad.iter().filter(|t| t.installed == third).count(),
            untouched: bad.iter().filter(|t| !had_third(t)).count(),
            seconds,
        }
    }

    /// Everything that is not as it must be. Empty: the demo went well.
    pub fn differences(&self) -> Vec<String> {
        let summary = self.summary(0);
        let mut differences = self.differences_of_good(&summary);
        differences.extend(self.differences_of_bad(&summary));
        differences.extend(self.differences_of_counts(&summary));
        differences
    }

    fn differences_of_good(&self, summary: &Summary) -> Vec<String> {
        let good = &self.good;
        let Summary { hosts, patched, .. } = summary;
        broken([
            (*hosts == 24, format!("there are {hosts} hosts, not 24")),
            (
                good.state == RolloutState::Done,
                format!("{} ended {}, not done", good.name, good.state),
            ),
            (
                patched == hosts,
                format!(
                    "{patched} of {hosts} hosts have the second release after {}",
                    good.name
                ),
            ),
        ])
    }

    fn differences_of_bad(&self, summary: &Summary) -> Vec<String> {
        let bad = &self.bad;
        let stopped_in = &summary.stopped_in;
        broken([
            (
                bad.state == RolloutState::Paused,
                format!("{} ended {}, not paused", bad.name, bad.state),
            ),
            (
                stopped_in == "canary",
                format!("{} stopped in {stopped_in}, not in the canary", bad.name),
            ),
            (
                bad.reason.contains(InstanceType::RARE.name()),
                format!(
                    "the brake does not name {}: {}",
                    InstanceType::RARE,
                    bad.reason
                ),
            ),
        ])
    }

    fn differences_of_counts(&self, summary: &Summary) -> Vec<String> {
        let Summary {
            hosts,
            rolled_back,
            passed,
            untouched,
            ..
        } = summary;
        let all = self.after_bad.iter().map(|testimony| &testimony.host);
        let rare = all.filter(|host| host.instance_type == InstanceType::RARE);
        let rare: Vec<String> = rare.map(|host| host.name.clone()).collect();
        let canary = self.bad.waves.first().map_or(0, |wave| wave.passed);
        let counted = rolled_back.len() + untouched + passed;
        broken([
            (
                *rolled_back == rare,
                format!("rolled back were {rolled_back:?}, not {rare:?}"),
            ),
            (
                counted == *hosts,
                format!("{counted} of {hosts} hosts are rolled back, passed or untouched"),
            ),
            (
                u64::try_from(*passed) == Ok(canary),
                format!("{passed} hosts have the third release, {canary} passed in the canary"),
            ),
        ])
    }
}

/// What is said of each thing that does not hold.
fn broken<const N: usize>(musts: [(bool, String); N]) -> Vec<String> {
    let broken = musts.into_iter().filter(|(holds, _)| !holds);
    broken.map(|(_, difference)| difference).collect()
}

fn had_third(testimony: &Testimony) -> bool {
    testimony.had.contains(&Release::Third)
}

impl View for Summary {
    fn text(&self) -> String {
        let Self {
            hosts,
            patched,
            stopped_in,
            rolled_back,
            passed,
            untouched,
            seconds,
        } = self;
        format!(
            "What the hosts themselves say\n\
             \x20 the good release  is on {patched} of {hosts} hosts after the first rollout\n\
             \x20 the bad release   was stopped in the {stopped_in}: {} failed and went back by\n\
             \x20                   themselves, {passed} passed, {untouched} were never touched\n\n\
             demo: ok hosts={hosts} patched={patched} stopped_in={stopped_in} rolled_back={} \
             untouched={untouched} seconds={seconds}\n",
            rolled_back.join(" and "),
            rolled_back.len(),
        )
    }
}

#[cfg(test)]
#[path = "verdict/tests.rs"]
mod tests;
