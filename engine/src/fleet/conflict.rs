//! Two live rollouts that change one thing on one host (promise 9): the one rule for hosts that a
//! rollout begins with, is amended for, is taken back on, or that come late to it.

use super::{Fleet, FleetError};
use crate::{
    id::{HostId, RolloutId},
    plan::Plan,
    rollout::Rollout,
};

/// A live rollout that changes a thing which another plan changes too.
pub(super) struct Rival<'a> {
    pub(super) name: &'a RolloutId,
    rollout: &'a Rollout,
    subject: String,
}

impl Fleet {
    /// The live rollouts that change something which a plan changes too, on whichever hosts.
    pub(super) fn rivals(&self, plan: &Plan) -> Vec<Rival<'_>> {
        let ours = plan.subjects();
        let live = self.rollouts.iter().filter(|(_, other)| other.is_live());
        let others = live.filter(|(name, _)| **name != plan.rollout);
        let rivals = others.filter_map(|(name, rollout)| {
            let subject = first_shared(&ours, rollout.plan())?;
            Some(Rival {
                name,
                rollout,
                subject,
            })
        });
        rivals.collect()
    }

    /// Whether a host is a rival's: it has not given the host away, or its order is out there still.
    pub(super) fn is_theirs(&self, rival: &Rival<'_>, host: &HostId) -> bool {
        rival.rollout.claims(host) || self.is_at_work(rival.name, host)
    }

    /// Why a plan must not go on beside a live rollout, of the hosts of the plan that count.
    pub(super) fn conflict(
        &self,
        plan: &Plan,
        counts: impl Fn(&HostId) -> bool,
    ) -> Option<FleetError> {
        self.rivals(plan).into_iter().find_map(|rival| {
            let is_shared = |host: &&HostId| counts(host) && self.is_theirs(&rival, host);
            let hosts: Vec<HostId> = plan.hosts.keys().filter(is_shared).cloned().collect();
            let host = hosts.first()?.clone();
            let (other, goes_back) = (rival.name.clone(), rival.rollout.goes_back());
            let subject = rival.subject;
            Some(match goes_back {
                false => FleetError::Conflict {
                    other,
                    subject,
                    host,
                },
                true => FleetError::GoesBack {
                    other,
                    subject,
                    hosts,
                },
            })
        })
    }

    /// Whether a rollout has an order out to a host.
    pub(super) fn is_at_work(&self, rollout: &RolloutId, host: &HostId) -> bool {
        let job = self.host(host).and_then(|(cell, _)| {
            let work = cell.work().get(rollout)?;
            work.jobs.get(host)?.active()
        });
        job.is_some()
    }
}

/// The first of some things that a plan changes too.
pub(super) fn first_shared(subjects: &[String], plan: &Plan) -> Option<String> {
    let theirs = plan.subjects();
    let mut shared = subjects.iter().filter(|subject| theirs.contains(subject));
    shared.next().cloned()
}

impl Rival<'_> {
    /// Why a host that came late stays with it.
    pub(super) fn reason(&self) -> String {
        let (name, subject) = (self.name, &self.subject);
        match self.rollout.goes_back() {
            false => format!("rollout {name} changes {subject} there too"),
            true => format!("rollout {name} is taken back, and {subject} has yet to go back there"),
        }
    }
}
