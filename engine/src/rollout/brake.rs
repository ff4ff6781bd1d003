//! The fleet's brake: what makes a rollout pause by itself.

use super::{Rollout, suspect::Docket};
use crate::{
    failure::Failure,
    id::{HostId, WaveIndex},
    tally::Tally,
    time::Timestamp,
    warrant::Outcome,
};

impl Rollout {
    /// What the brake finds, if it must pause the rollout.
    pub(super) fn brake_finding(&self, docket: &Docket<'_>, now: Timestamp) -> Option<String> {
        self.conviction(docket)
            .or_else(|| self.cell_findings.values().next().cloned())
            .or_else(|| self.fleet_share())
            .or_else(|| self.velocity_finding(now))
    }

    /// In the canary a stratum that fails its second opinion pauses everything.
    fn conviction(&self, docket: &Docket<'_>) -> Option<String> {
        if self.wave != WaveIndex(0) {
            return None;
        }
        let is_new = |place: &&u32| docket.suspects.contains(place);
        let convicted: Vec<u32> = self.convicted.iter().filter(is_new).copied().collect();
        if convicted.is_empty() {
            return None;
        }
        let strata: Vec<String> = convicted
            .iter()
            .filter_map(|&place| self.stratum(place))
            .map(ToString::to_string)
            .collect();
        let failed: Vec<String> = self
            .failures()
            .filter(|(host, _)| self.is_of(host, &convicted))
            .map(|(host, failure)| format!("{host} ({failure})"))
            .collect();
        Some(format!(
            "hosts of {} failed, and so did the second opinion: {}",
            strata.join(", "),
            failed.join("; ")
        ))
    }

    fn fleet_share(&self) -> Option<String> {
        let rule = &self.plan.brake;
        let tally = self.tally();
        let is_exceeded = tally.exceeds(rule.fleet_share, rule.fleet_least);
        is_exceeded.then(|| {
            format!(
                "{} of {} attempted hosts of the fleet failed (brake: over {}, at least {})",
                tally.failed, tally.attempted, rule.fleet_share, rule.fleet_least
            )
        })
    }

    /// Attempts and failures since an operator last went on.
    fn tally(&self) -> Tally {
        let is_new = |host: &&HostId| !self.judged.contains(*host);
        let gone = self.gone.keys().filter(is_new).count();
        let failed = self.outcomes.failed().iter().filter(is_new).count();
        let judged = self.judged.iter();
        let judged = judged.filter(|host| self.outcomes.is_attempted(host));
        Tally {
            attempted: self.outcomes.attempted() - judged.count() + gone,
            failed: failed + gone,
        }
    }

    /// Every host that failed, those that are gone since included.
    pub(super) fn failures(&self) -> impl Iterator<Item = (&HostId, &Failure)> {
        let present = self.outcomes.failed().iter();
        let present = present.filter_map(|host| match self.outcomes.get(host)? {
            Outcome::Failed { failure, .. } => Some((host, failure)),
            Outcome::Waiting
            | Outcome::Running
            | Outcome::Passed
            | Outcome::LeftOut { .. }
            | Outcome::Skipped { .. }
            | Outcome::RolledBack
            | Outcome::Gone => None,
        });
        present.chain(&self.gone)
    }

    fn is_of(&self, host: &HostId, strata: &[u32]) -> bool {
        let planned = self.plan.hosts.get(host);
        planned.is_some_and(|planned| planned.strata.iter().any(|s| strata.contains(s)))
    }

    /// How many hosts of the present wave went wrong unjudged, and how many may: at least one. Those
    /// that are left out with their cells are counted apart.
    pub(super) fn left_out(&self, now: Timestamp) -> (usize, usize) {
        let present: Vec<&HostId> = self
            .cells
            .keys()
            .flat_map(|cell| self.wave_hosts(cell))
            .collect();
        let allowed = self.plan.hosts_left_out.of_rounded_up(present.len()).max(1);
        let wrong = present
            .iter()
            .filter(|host| !self.judged.contains(**host) && !self.was_counted(host))
            .filter(|host| !self.is_set_aside(host) && !self.is_left_unknown(host, now))
            .filter(|host| {
                matches!(
                    self.outcomes.get(host),
                    Some(Outcome::Failed { .. } | Outcome::LeftOut { .. }) | None
                )
            });
        (wrong.count(), allowed)
    }
}
