//! What operators said of single hosts: a host that is set aside is not started, and its order does
//! not go on where its change has not begun.

use super::{Active, Cell, CellError, Job, JobState, Work};
use crate::{
    exception::{Exception, Exceptions, Word},
    id::{HostId, RolloutId},
    order::Direction,
    time::Timestamp,
    warrant::{Change, Outcome},
};

impl Cell {
    /// Takes in what operators said. What was taken in before changes nothing.
    pub(super) fn excepted(&mut self, exceptions: &Exceptions) -> Result<(), CellError> {
        let work = self.work_mut(&exceptions.rollout)?;
        if exceptions.revision <= work.exceptions {
            return Ok(());
        }
        work.exceptions = exceptions.revision;
        for (host, exception) in &exceptions.hosts {
            work.except(host, exception);
        }
        Ok(())
    }

    /// Ends an order that an operator does not want to wait for: its host is a casualty until it
    /// reports itself in service.
    pub(super) fn skipped(
        &mut self,
        rollout: &RolloutId,
        host: &HostId,
        now: Timestamp,
    ) -> Result<(), CellError> {
        let active = self.active_mut(rollout, host, "skipping")?;
        let token = active.order.token;
        let change = match active.disrupted {
            true => Change::Unknown,
            false => Change::NotBegun,
        };
        let job = self.job(rollout, host)?;
        let outcome = job
            .set_aside(change)
            .ok_or_else(|| CellError::IllegalEvent {
                rollout: rollout.clone(),
                host: host.clone(),
                what: "skipping",
            })?;
        let why = job.exception.as_ref().map(ToString::to_string);
        self.ledger
            .lose(host, token, why.unwrap_or_default(), now)?;
        self.end_job(rollout, host, outcome);
        Ok(())
    }
}

impl Work {
    fn except(&mut self, host: &HostId, exception: &Exception) {
        let Some(job) = self.jobs.get_mut(host) else {
            return;
        };
        job.exception = Some(exception.clone());
        match exception.word {
            Word::Exclude | Word::Skip => self.put_aside(host),
            Word::Retry => self.open_again(host, exception),
        }
    }

    fn put_aside(&mut self, host: &HostId) {
        let Some(job) = self.jobs.get_mut(host) else {
            return;
        };
        if job.waits_to_begin()
            && let Some(outcome) = job.set_aside(Change::NotBegun)
        {
            job.state = JobState::Over(outcome);
            self.note_changed(host);
        }
    }

    /// Lets a host that is over be started again, once a new warrant names it. The old ones did so
    /// before its stratum was judged by its failure.
    fn open_again(&mut self, host: &HostId, exception: &Exception) {
        let Some(job) = self.jobs.get_mut(host) else {
            return;
        };
        if exception.retries <= job.retries {
            return;
        }
        job.retries = exception.retries;
        if matches!(job.state, JobState::Over(_)) {
            self.begin_anew(host);
        }
    }

    /// The word that set a host aside. Nothing when none did.
    pub(super) fn set_aside(&self, host: &HostId) -> Option<&Exception> {
        let exception = self.jobs.get(host)?.exception.as_ref();
        exception.filter(|exception| exception.sets_aside())
    }

    /// Whether an operator does not want to wait for an order that is out.
    pub(super) fn is_skipped(&self, host: &HostId, active: &Active) -> bool {
        let exception = self.set_aside(host);
        active.order.direction == Direction::Patch
            && exception.is_some_and(|exception| exception.word == Word::Skip)
    }
}

impl Job {
    /// Whether an operator asked for the try that comes next or is under way.
    pub(super) fn is_asked_again(&self) -> bool {
        let word = self.exception.as_ref().map(|exception| exception.word);
        word == Some(Word::Retry)
    }

    /// The outcome of a host that was set aside. Nothing when it was not.
    pub(super) fn set_aside(&self, change: Change) -> Option<Outcome> {
        let exception = self.exception.as_ref().filter(|e| e.sets_aside())?;
        Some(Outcome::Skipped {
            by: exception.by.clone(),
            reason: exception.reason.clone(),
            change,
        })
    }
}
