//! What one rollout does in one cell.

use super::{
    agenda::Agenda,
    held_warrant::HeldWarrant,
    job::{Job, JobState},
    slow::RunningMean,
    slow_down::SlowDown,
};
use crate::{
    by_name::ByHost,
    digest::Digest,
    hold::Reason,
    id::{Generation, HostId},
    kept::Kept,
    order::Direction,
    time::Timestamp,
    warrant::{Assignment, Change, FailedEnd, Outcome, Stop, Warrant, WarrantProof},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What one rollout does in one cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    /// What the rollout is, for this cell.
    pub assignment: Assignment,
    /// When it was assigned.
    pub assigned_at: Timestamp,
    /// The newest leave to start hosts.
    pub warrant: Option<HeldWarrant>,
    /// The newest stop, when it is newer than the warrant.
    pub stop: Option<Stop>,
    /// When it was stopped. Absent: it is not.
    #[serde(default)]
    pub stopped_at: Option<Timestamp>,
    /// What the cell's own brake found, until a newer warrant.
    pub braked: Option<String>,
    /// The hosts that the rollout may ever take here.
    pub jobs: ByHost<Job>,
    /// When the last host was started.
    pub last_start: Option<Timestamp>,
    /// How long the runs that passed took.
    pub mean: RunningMean,
    /// How far failures have slowed it down here.
    #[serde(default)]
    pub slow_down: SlowDown,
    /// Hosts that were over when an operator last went on: the brake looks at the others.
    #[serde(default, rename = "judged_hosts")]
    pub(super) judged: BTreeSet<HostId>,
    /// Hosts that were left out for lack of room in a group, or since a person had them: each waits again once
    /// there is room, and nobody has it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) without_room: BTreeSet<HostId>,
    pub(super) revision: u64,
    /// The newest revision of exceptions taken.
    #[serde(default)]
    pub(super) exceptions: u64,
    pub(super) unsummarised: BTreeSet<HostId>,
    pub(super) brake_unsummarised: bool,
    /// Which jobs are to be looked at, and when.
    #[serde(skip)]
    pub(super) agenda: Kept<Agenda>,
    /// The digest of the assignment's lock file.
    #[serde(skip)]
    pub(super) lock_digest: Kept<Digest>,
}

impl Work {
    pub(super) fn new(assignment: Assignment, now: Timestamp) -> Self {
        let jobs = assignment
            .hosts
            .iter()
            .map(|host| (host.clone(), Job::default()))
            .collect();
        Self {
            assignment,
            assigned_at: now,
            warrant: None,
            stop: None,
            stopped_at: None,
            braked: None,
            jobs,
            last_start: None,
            mean: RunningMean::default(),
            slow_down: SlowDown::default(),
            judged: BTreeSet::new(),
            without_room: BTreeSet::new(),
            revision: 0,
            exceptions: 0,
            unsummarised: BTreeSet::new(),
            brake_unsummarised: false,
            agenda: Kept::default(),
            lock_digest: Kept::default(),
        }
    }

    /// The digest of its lock file.
    pub(super) fn lock_digest(&self) -> Digest {
        *self.lock_digest.get(|| self.assignment.lock.digest())
    }

    /// The newest generation taken.
    pub fn generation(&self) -> Generation {
        let warrant = self.warrant.as_ref().map(|held| held.warrant.generation);
        warrant
            .max(self.stop.as_ref().map(|stop| stop.generation))
            .unwrap_or_default()
    }

    /// The newest revision of exceptions taken. 0: none.
    pub fn exceptions_taken(&self) -> u64 {
        self.exceptions
    }

    /// What shows a host's agent that the newest warrant names it. Nothing: nobody signed that, or it does
    /// not.
    pub fn proof(&self, host: &HostId) -> Option<WarrantProof> {
        self.warrant.as_ref()?.proof(host)
    }

    /// Which way the newest warrant goes. Nothing before the first.
    pub fn direction(&self) -> Option<Direction> {
        self.warrant.as_ref().map(|held| held.warrant.direction)
    }

    /// Whether a warrant to patch says what the present one says, for longer, and nothing stopped the work
    /// meanwhile.
    pub(super) fn is_renewed_by(&self, warrant: &Warrant) -> bool {
        let present = self.warrant.as_ref().map(|held| &held.warrant);
        let is_same = |present: &Warrant| {
            let Warrant {
                direction, hosts, ..
            } = present;
            *direction == warrant.direction && *hosts == warrant.hosts
        };
        let is_patch = warrant.direction == Direction::Patch;
        is_patch && self.stop.is_none() && self.braked.is_none() && present.is_some_and(is_same)
    }

    /// Notes with each job its place in the newest warrant.
    pub(super) fn number_turns(&mut self) {
        self.jobs.values_mut().for_each(|job| job.turn = None);
        let held = self.warrant.iter();
        for (turn, host) in (0..).zip(held.flat_map(|held| &held.warrant.hosts)) {
            if let Some(job) = self.jobs.get_mut(host) {
                job.turn = Some(turn);
            }
        }
    }

    /// Hosts with an order that is not over. Costs a look at every job.
    pub fn active(&self) -> usize {
        self.jobs
            .values()
            .filter(|job| matches!(job.state, JobState::Active(_)))
            .count()
    }

    /// Whether the end of some run here is not known: its host may still have one.
    pub(super) fn awaits_hosts(&self) -> bool {
        self.jobs.values().any(|job| match &job.state {
            JobState::Active(_) => true,
            JobState::Over(Outcome::Failed { end, .. }) => *end == FailedEnd::Silent,
            JobState::Over(Outcome::Skipped { change, .. }) => *change == Change::Unknown,
            JobState::Over(_) | JobState::Waiting | JobState::Again(_) => false,
        })
    }

    /// Why no host may be started at all now, whatever host it is.
    pub(super) fn bar(&self, now: Timestamp) -> Option<Reason> {
        if let Some(stop) = &self.stop {
            return Some(Reason::Stopped {
                reason: stop.reason.clone(),
            });
        }
        if let Some(finding) = &self.braked {
            return Some(Reason::Braked {
                finding: finding.clone(),
            });
        }
        let Some(held) = &self.warrant else {
            return Some(Reason::Warrant { ended: None });
        };
        (now >= held.ends_at()).then(|| Reason::Warrant {
            ended: Some(held.ends_at()),
        })
    }

    /// Since when [`Work::bar`] says what it says.
    pub(super) fn barred_since(&self, now: Timestamp) -> Timestamp {
        let ended = self.warrant.as_ref().map(HeldWarrant::ends_at);
        let ended = ended.filter(|ends| self.braked.is_none() && *ends <= now);
        self.stopped_at.or(ended).unwrap_or(self.assigned_at)
    }

    /// Why an order that is out must not go on, if it must not: a stop, the brake, a turn of
    /// direction, or that an operator set its host aside. The end of a warrant is none: it limits
    /// starts only.
    pub(super) fn withdrawal(&self, host: &HostId, direction: Direction) -> Option<String> {
        if let Some(stop) = &self.stop {
            return Some(stop.reason.clone());
        }
        if let Some(finding) = &self.braked {
            return Some(finding.clone());
        }
        if self.direction().is_some_and(|wanted| wanted != direction) {
            return Some("the rollout turned round".to_owned());
        }
        let exception = self.set_aside(host)?;
        (direction == Direction::Patch).then(|| exception.to_string())
    }

    /// Takes note that a host is no longer in the cell.
    pub(super) fn leave_gone(&mut self, host: &HostId) {
        self.jobs.get_or_default(host).state = JobState::Over(Outcome::Gone);
        self.note_changed(host);
    }

    /// Forgets claims that wait: their sessions are gone, and the hosts will ask again.
    pub(super) fn drop_claims(&mut self) {
        for job in self.jobs.values_mut() {
            if let JobState::Active(active) = &mut job.state {
                active.claim = None;
            }
        }
    }

    /// Stops for what its brake found.
    pub(super) fn brake(&mut self, finding: &str) {
        self.braked = Some(finding.to_owned());
        self.brake_unsummarised = true;
    }

    /// Takes note that what changed was told upwards.
    pub(super) fn summarised(&mut self) {
        self.revision += 1;
        self.unsummarised.clear();
        self.brake_unsummarised = false;
    }

    /// Marks a host's outcome as changed, to be told upwards.
    pub(super) fn note_changed(&mut self, host: &HostId) {
        self.unsummarised.insert(host.clone());
    }
}
