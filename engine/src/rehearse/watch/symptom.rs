//! What a fleet shows of a host that is not well, and which faults that tells of.

use crate::{
    cell::{JobState, Staging, Work},
    failure::Failure,
    fleet::Fleet,
    id::HostId,
    rehearse::scenario::{Event, FaultKind, Goes},
    time::Timestamp,
    warrant::{FailedEnd, Outcome},
};

/// What is shown of a host.
pub(super) enum Symptom {
    /// It is in no inventory.
    Gone,
    /// Nothing is heard of its cell.
    CellSilent(String),
    /// It has no session.
    NotConnected,
    /// Its run failed, or bringing its bits to it did.
    Failed(Failure),
    /// Its run is given up, since nothing is heard of it.
    Silent(Failure),
    /// It was left out.
    LeftOut(String),
    /// Its run takes longer than those of others.
    Slow,
    /// It says that it does not serve.
    NotInService,
    /// It is in a cell.
    Enrolled(String),
}

impl Symptom {
    /// All that a fleet shows of a host that is not well, what is plainest first.
    pub(super) fn all(fleet: &Fleet, host: &HostId, now: Timestamp) -> Vec<Self> {
        let Some((cell, member)) = fleet.host(host) else {
            return vec![Self::Gone];
        };
        let mut all = Vec::new();
        if fleet.silent().contains_key(cell.id()) {
            all.push(Self::CellSilent(cell.id().to_string()));
        }
        let mut active = cell
            .work()
            .values()
            .filter_map(|work| work.jobs.get(host)?.active());
        // Who reboots by order is away for a while, and well: of a host at work its deadlines tell.
        if !member.is_connected() && !active.any(|active| active.disrupted) {
            all.push(Self::NotConnected);
        }
        let works = cell.work().values();
        all.extend(works.filter_map(|work| of_work(work, host, now)));
        if !member.in_service {
            all.push(Self::NotInService);
        }
        all.push(Self::Enrolled(cell.id().to_string()));
        all
    }

    /// Whether it tells of a fault that has struck the host.
    pub(super) fn tells_of(&self, kind: &FaultKind) -> bool {
        match kind {
            FaultKind::Step { goes, .. } => self.tells_of_step(goes),
            FaultKind::Timed { event, .. } => self.tells_of_event(*event),
        }
    }

    fn tells_of_step(&self, goes: &Goes) -> bool {
        match (goes, self) {
            (Goes::Fails(kind), Self::Failed(failure)) => failure.kind == *kind,
            (Goes::Hangs | Goes::Slow(_), Self::Slow | Self::Failed(_) | Self::Silent(_))
            | (Goes::Dies, Self::NotConnected | Self::Silent(_) | Self::LeftOut(_) | Self::Slow)
            | (Goes::Fails(_), Self::Silent(_)) => true,
            (
                Goes::Fails(_) | Goes::Hangs | Goes::Slow(_) | Goes::Dies,
                Self::Gone
                | Self::CellSilent(_)
                | Self::NotConnected
                | Self::Failed(_)
                | Self::LeftOut(_)
                | Self::Slow
                | Self::NotInService
                | Self::Enrolled(_),
            ) => false,
        }
    }

    fn tells_of_event(&self, event: Event) -> bool {
        match event {
            Event::CellsCut => matches!(self, Self::CellSilent(_)),
            Event::HostsCut | Event::HostsDie => matches!(
                self,
                Self::NotConnected | Self::Silent(_) | Self::LeftOut(_) | Self::Slow
            ),
            Event::HostsGone | Event::InventoryThrottled { .. } => {
                matches!(self, Self::Gone | Self::NotConnected | Self::Silent(_))
            }
            Event::HostsCome => matches!(self, Self::Enrolled(_)),
            Event::HostsFall => matches!(self, Self::NotInService | Self::Failed(_)),
            Event::CoordinatorDies => false,
        }
    }

    /// What `status` and `explain` say.
    pub(super) fn told(&self) -> String {
        match self {
            Self::Gone => "no longer in the inventory".to_owned(),
            Self::CellSilent(cell) => format!("nothing is heard of cell {cell}"),
            Self::NotConnected => "not connected".to_owned(),
            Self::Failed(failure) | Self::Silent(failure) => failure.to_string(),
            Self::LeftOut(reason) => reason.clone(),
            Self::Slow => "slower than the others".to_owned(),
            Self::NotInService => "not in service".to_owned(),
            Self::Enrolled(cell) => format!("it is in cell {cell}"),
        }
    }
}

fn of_work(work: &Work, host: &HostId, now: Timestamp) -> Option<Symptom> {
    let job = work.jobs.get(host)?;
    match &job.state {
        JobState::Over(Outcome::Failed { failure, end }) => Some(match end {
            FailedEnd::Silent => Symptom::Silent(failure.clone()),
            FailedEnd::RolledBack | FailedEnd::Quarantined => Symptom::Failed(failure.clone()),
        }),
        JobState::Over(Outcome::LeftOut { reason, .. }) => Some(Symptom::LeftOut(reason.clone())),
        JobState::Over(_) => None,
        JobState::Again(again) => Some(Symptom::Failed(again.failure.clone())),
        JobState::Active(active) => match &active.failure {
            Some(failure) => Some(Symptom::Failed(failure.clone())),
            None => {
                let is_slow = work.mean.is_slow(now.since(active.ordered_at));
                is_slow.then_some(Symptom::Slow)
            }
        },
        JobState::Waiting => match &job.staging {
            Staging::Again { failure, .. } => Some(Symptom::Failed(failure.clone())),
            Staging::Asked { failure, .. } => failure.clone().map(Symptom::Failed),
            Staging::NotAsked | Staging::Ready => None,
        },
    }
}
