//! What operators say of single hosts, and how it reaches their cells.
//!
//! A host that is excluded or skipped keeps no wave from ending and is nobody's second opinion. What
//! its run comes to all the same, past the point of disruption, is taken in as the truth.

use super::{Phase, Rollout, RolloutCommand, RolloutDecision, RolloutError, rollback};
use crate::{
    exception::{Exception, Exceptions, Word},
    id::{CellId, HostId, OperatorId},
    time::Timestamp,
    warrant::{Change, FailedEnd, Outcome},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// Why an operator's word on hosts is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotExcepted {
    /// The rollout is neither running nor paused.
    Phase(&'static str),
    /// It names no host on which it could change anything.
    Nothing(&'static str),
    /// The rollout is over: its hosts are tried again by a new one.
    Over(&'static str),
    /// Some hosts do not allow it: each with what it is.
    Hosts(Vec<(HostId, &'static str)>),
}

impl fmt::Display for NotExcepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// The most hosts that the sentence names.
        const NAMED: usize = 10;
        match self {
            Self::Phase(is) => write!(f, "it is {is}"),
            Self::Over(is) => write!(
                f,
                "it is {is}; start a new rollout with match = 'host in (\"NAME\", ..)'"
            ),
            Self::Nothing(why) => f.write_str(why),
            Self::Hosts(hosts) => {
                for (place, (host, why)) in hosts.iter().take(NAMED).enumerate() {
                    let comma = if place == 0 { "" } else { "; " };
                    write!(f, "{comma}{host} {why}")?;
                }
                match hosts.len().saturating_sub(NAMED) {
                    0 => Ok(()),
                    more => write!(f, "; and {more} more"),
                }
            }
        }
    }
}

impl Rollout {
    /// The newest word of an operator on each single host of which there is one.
    pub fn exceptions(&self) -> &BTreeMap<HostId, Exception> {
        &self.exceptions
    }

    /// Whether the host is this rollout's: planned, and not given away. An excluded host that may
    /// have the patch, or may yet get it, is still its own. What is taken back gives its hosts away
    /// one by one.
    pub fn claims(&self, host: &HostId) -> bool {
        let is_excluded = self
            .exceptions
            .get(host)
            .is_some_and(|exception| exception.word == Word::Exclude);
        let may_have_it = self.outcomes.get(host).is_some_and(rollback::may_have_it);
        self.plan.hosts.contains_key(host)
            && match self.goes_back {
                true => self.is_to_go_back(host),
                false => !is_excluded || may_have_it,
            }
    }

    /// Whether an operator excluded or skipped the host.
    pub(super) fn is_set_aside(&self, host: &HostId) -> bool {
        let exception = self.exceptions.get(host);
        exception.is_some_and(Exception::sets_aside)
    }

    pub(super) fn excepted(
        &mut self,
        word: Word,
        hosts: &BTreeSet<HostId>,
        by: &OperatorId,
        reason: &str,
        now: Timestamp,
    ) -> Result<(), RolloutError> {
        let hosts = self
            .excepts(word, hosts)
            .map_err(|why| RolloutError::NotExcepted {
                rollout: self.plan.rollout.clone(),
                word,
                why,
            })?;
        self.take_word(word, hosts, by, reason, now)
    }

    /// Takes in a word on hosts that allow it.
    pub(super) fn take_word(
        &mut self,
        word: Word,
        hosts: Vec<HostId>,
        by: &OperatorId,
        reason: &str,
        now: Timestamp,
    ) -> Result<(), RolloutError> {
        let mut cells = BTreeSet::new();
        for host in hosts {
            cells.extend(self.plan.hosts.get(&host).map(|p| p.cell.clone()));
            let before = self.exceptions.get(&host).map_or(0, |e| e.retries);
            let exception = Exception {
                word,
                by: by.clone(),
                reason: reason.to_owned(),
                retries: before + u32::from(word == Word::Retry),
            };
            match word {
                Word::Exclude | Word::Skip => self.put_aside(&host, &exception),
                Word::Retry => self.open_again(&host),
            }
            self.exceptions.insert(host, exception);
        }
        for cell in &cells {
            self.progress(cell)?.exceptions += 1;
            self.close(cell, now);
        }
        self.convict();
        Ok(())
    }

    /// The hosts on which a word changes something, or why it must not be said.
    fn excepts(&self, word: Word, hosts: &BTreeSet<HostId>) -> Result<Vec<HostId>, NotExcepted> {
        self.allows(word)?;
        let mut taken = Vec::new();
        let mut refused = Vec::new();
        for host in hosts {
            match (self.plan.hosts.contains_key(host), word) {
                (false, _) => refused.push((host.clone(), "is not of it")),
                (true, Word::Exclude) if self.may_be_excluded(host) => taken.push(host.clone()),
                (true, Word::Exclude) => {}
                (true, Word::Skip) if self.is_over(host) => {
                    refused.push((host.clone(), "is over in it: nothing waits for it"));
                }
                (true, Word::Skip) => taken.push(host.clone()),
                (true, Word::Retry) => match self.not_retried(host) {
                    Some(why) => refused.push((host.clone(), why)),
                    None => taken.push(host.clone()),
                },
            }
        }
        if !refused.is_empty() {
            return Err(NotExcepted::Hosts(refused));
        }
        match taken.is_empty() {
            true => Err(NotExcepted::Nothing(
                "each of the hosts has passed, is gone, or is excluded already",
            )),
            false => Ok(taken),
        }
    }

    /// Whether the rollout is where a word on its hosts can still change anything.
    pub(super) fn allows(&self, word: Word) -> Result<(), NotExcepted> {
        match self.phase {
            Phase::Running => Ok(()),
            Phase::Paused { .. } if !self.goes_back => Ok(()),
            Phase::Paused { .. } => Err(NotExcepted::Phase("rolling back")),
            Phase::Ended { .. } if word == Word::Retry => Err(NotExcepted::Over(self.phase.name())),
            Phase::Aborting | Phase::RollingBack | Phase::Ended { .. } => {
                Err(NotExcepted::Phase(self.phase.name()))
            }
        }
    }

    /// Whether a host can leave the rollout: those that passed stay, to be rolled back with it.
    pub(super) fn may_be_excluded(&self, host: &HostId) -> bool {
        let is_excluded = self.exceptions.get(host).map(|e| e.word) == Some(Word::Exclude);
        let stays = matches!(
            self.outcomes.get(host),
            Some(Outcome::Passed | Outcome::RolledBack | Outcome::Gone)
        );
        !is_excluded && !stays
    }

    /// Why a host gets no new tries, if it gets none: only one that is known to have what it had
    /// does.
    pub fn not_retried(&self, host: &HostId) -> Option<&'static str> {
        let is_excluded = self.exceptions.get(host).map(|e| e.word) == Some(Word::Exclude);
        if is_excluded {
            return Some("was excluded: it needs a rollout of its own");
        }
        match self.outcomes.get(host) {
            Some(Outcome::LeftOut { .. }) => None,
            Some(Outcome::Failed { end, .. }) => match end {
                FailedEnd::RolledBack => None,
                FailedEnd::Quarantined => Some(
                    "is quarantined: what it has is not known; a person looks, or a rollout with repair = true takes it",
                ),
                FailedEnd::Silent => Some("has not been heard of since its run began"),
            },
            Some(Outcome::Skipped { change, .. }) => match change {
                Change::NotBegun => None,
                Change::Unknown => Some("has not been heard of since its run began"),
            },
            None | Some(Outcome::Waiting) => Some("is tried in its turn"),
            Some(Outcome::Running) => Some("is at work"),
            Some(Outcome::Passed) => Some("has passed"),
            Some(Outcome::RolledBack) => Some("was rolled back"),
            Some(Outcome::Gone) => Some("is gone"),
        }
    }

    /// Lets a host be tried once more: in the present wave, unless its own comes later.
    fn open_again(&mut self, host: &HostId) {
        self.take_outcome(host, Outcome::Waiting);
        self.begin_anew(host);
    }

    fn put_aside(&mut self, host: &HostId, exception: &Exception) {
        if let None | Some(Outcome::Waiting) = self.outcomes.get(host) {
            let change = self.change_unheard(host);
            let outcome = Outcome::Skipped {
                by: exception.by.clone(),
                reason: exception.reason.clone(),
                change,
            };
            self.take_outcome(host, outcome);
        }
    }

    /// Tells cells what operators said of their hosts.
    pub(super) fn except(&self, decision: &mut RolloutDecision) {
        for (cell, progress) in &self.cells {
            let is_told = progress.exceptions_told >= progress.exceptions;
            if progress.assigned && !is_told && !self.is_silent(cell) {
                let exceptions = self.exceptions_of(cell, progress.exceptions);
                decision.commands.push(RolloutCommand::Except(exceptions));
            }
        }
    }

    fn exceptions_of(&self, cell: &CellId, revision: u64) -> Exceptions {
        let is_in_cell = |host: &HostId| {
            let planned = self.plan.hosts.get(host);
            planned.is_some_and(|planned| planned.cell == *cell)
        };
        // A host that has the patch is not set aside from its way back.
        let goes_back = |host: &HostId| self.goes_back && self.is_to_go_back(host);
        let binds = |(host, exception): &(&HostId, &Exception)| {
            is_in_cell(host) && !(exception.sets_aside() && goes_back(host))
        };
        let hosts = self.exceptions.iter().filter(binds);
        Exceptions {
            rollout: self.plan.rollout.clone(),
            cell: cell.clone(),
            revision,
            hosts: hosts.map(|(h, e)| (h.clone(), e.clone())).collect(),
        }
    }
}
