//! One host of a cell, as its owner knows it.

use crate::{
    drift::DriftSummary,
    effect::EffectSummary,
    guard::{GuardRecord, KnownWindow},
    id::{HostSequence, Incarnation, OrderKey, OwnerEpoch, ReportSequence, RolloutId},
    inventory::Host,
    run::RunState,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// What a host says first on a new session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Who it is, with labels and facts.
    pub host: Host,
    /// Its journal.
    pub incarnation: Incarnation,
    /// Its boot, as the kernel names it.
    pub boot_id: String,
    /// Its agent's version.
    pub version: String,
    /// Whether it is in service.
    pub in_service: bool,
    /// What fails, where it is not. Empty: it is, or does not know.
    #[serde(default)]
    pub detail: String,
    /// The order and state of a run that is not over.
    pub open: Option<(OrderKey, RunState)>,
    /// The newest order that its journal has seen.
    pub newest: Option<OrderKey>,
}

impl Hello {
    /// Whether a run has taken the host out of traffic: then what it says of its service is the
    /// run's doing.
    pub(super) fn is_drained(&self) -> bool {
        self.open.is_some_and(|(_, state)| state.is_drained())
    }
}

/// Whether a host is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "link", rename_all = "kebab-case")]
pub enum Link {
    /// It has a session.
    Connected {
        /// Since when.
        since: Timestamp,
    },
    /// It has none.
    Silent {
        /// Since when, as far as this owner knows.
        since: Timestamp,
    },
}

/// One host of a cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Labels and facts.
    pub host: Host,
    /// Its journal, as of its last hello.
    pub incarnation: Incarnation,
    /// Its boot, as of its last hello.
    pub boot_id: String,
    /// Its agent's version, as of its last hello.
    pub version: String,
    /// Whether it is connected.
    pub link: Link,
    /// Whether this owner has heard from it since it became the owner.
    pub heard: bool,
    /// Whether it last said that it is in service, outside of what runs did to it.
    pub in_service: bool,
    /// What failed when it last said that it is not; empty otherwise.
    pub detail: String,
    /// When its boot, journal or service last changed: it is left alone for a while after that.
    pub changed_at: Timestamp,
    /// The number of the last order that it was given.
    pub last_sequence: HostSequence,
    /// The highest epoch that it says it had an order of. Above the owner's where the owner's store
    /// was lost or restored.
    #[serde(default)]
    pub last_epoch: OwnerEpoch,
    /// Its runs that failed, in all rollouts: the more, the later it starts among others.
    #[serde(default)]
    pub failed_runs: u32,
    /// The newest report of this incarnation that was taken in.
    pub reported: ReportSequence,
    /// What is known of its guard. Absent: it told nothing, as an agent of an earlier release does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guard: Option<Box<GuardRecord>>,
    /// What last changed on it without an order. Absent: it told nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<Box<DriftSummary>>,
    /// How far what is installed on it is in effect. Absent: it told nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<Box<EffectSummary>>,
    /// What the last rollback on it left otherwise than it was before. Absent: nothing, or there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_behind: Option<Box<LeftBehind>>,
}

/// What a host that went back has otherwise than before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftBehind {
    /// The rollout that it went back from.
    pub rollout: RolloutId,
    /// What, one line each: 1 to [`MAX_EXCEPTIONS`](crate::run::MAX_EXCEPTIONS).
    pub lines: Vec<String>,
}

impl Member {
    pub(super) fn new(hello: &Hello, now: Timestamp) -> Self {
        Self {
            host: hello.host.clone(),
            incarnation: hello.incarnation,
            boot_id: hello.boot_id.clone(),
            version: hello.version.clone(),
            link: Link::Connected { since: now },
            heard: true,
            in_service: hello.in_service,
            detail: hello.detail.clone(),
            changed_at: now,
            last_sequence: hello.newest.map_or(HostSequence(0), |key| key.sequence),
            last_epoch: hello.newest.map_or(OwnerEpoch(0), |key| key.epoch),
            failed_runs: 0,
            reported: ReportSequence(0),
            guard: None,
            drift: None,
            effect: None,
            left_behind: None,
        }
    }

    /// The key of its next order under an epoch: above all that it has seen. Nothing after the last
    /// number that there is.
    pub(super) fn next_key(&self, epoch: OwnerEpoch) -> Option<OrderKey> {
        let sequence = self.last_sequence.next();
        (sequence > self.last_sequence).then_some(OrderKey {
            epoch: epoch.max(self.last_epoch),
            sequence,
        })
    }

    /// Learns which order it says that it has seen: the next one is above it.
    pub(super) fn has_seen(&mut self, newest: OrderKey) {
        self.last_sequence = self.last_sequence.max(newest.sequence);
        self.last_epoch = self.last_epoch.max(newest.epoch);
    }

    /// Whether the journal that is known here has seen an order that was not given here.
    pub(super) fn is_outrun(&self, hello: &Hello) -> bool {
        let newest = hello.newest.map(|key| key.sequence);
        self.incarnation == hello.incarnation && newest > Some(self.last_sequence)
    }

    /// The window that is open in its guard, as far as its cell knows. Nothing: none is.
    pub fn window(&self, now: Timestamp) -> Option<&KnownWindow> {
        let window = self.guard.as_ref()?.window.as_ref();
        window.filter(|window| window.is_open(now))
    }

    /// Whether the host has a session.
    pub fn is_connected(&self) -> bool {
        matches!(self.link, Link::Connected { .. })
    }

    /// Takes in a new hello; returns whether the journal is another one than before.
    pub(super) fn greet(&mut self, hello: &Hello, now: Timestamp) -> bool {
        let made_anew = self.incarnation != hello.incarnation;
        let rebooted = self.boot_id != hello.boot_id;
        if made_anew || rebooted {
            self.changed_at = now;
        }
        if !hello.is_drained() {
            self.set_service(hello.in_service, &hello.detail, now);
        }
        if made_anew {
            self.reported = ReportSequence(0);
            // What was found on the host that it was: the one that it is tells anew.
            (self.drift, self.effect) = (None, None);
        }
        if let Some(newest) = hello.newest {
            self.has_seen(newest);
        }
        // It says the same of itself nearly each time.
        if self.host != hello.host {
            self.host = hello.host.clone();
        }
        self.incarnation = hello.incarnation;
        self.boot_id.clone_from(&hello.boot_id);
        self.version.clone_from(&hello.version);
        self.link = Link::Connected { since: now };
        self.heard = true;
        made_anew
    }

    pub(super) fn set_service(&mut self, in_service: bool, detail: &str, now: Timestamp) {
        if self.in_service != in_service {
            self.changed_at = now;
        }
        self.in_service = in_service;
        detail.clone_into(&mut self.detail);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stratum::tests::host;

    fn hello(incarnation: u64, newest: Option<OrderKey>) -> Hello {
        Hello {
            host: host(&[]),
            incarnation: Incarnation(incarnation),
            boot_id: "boot".to_owned(),
            version: "0".to_owned(),
            in_service: true,
            detail: String::new(),
            open: None,
            newest,
        }
    }

    #[test]
    fn what_was_found_on_a_host_is_forgotten_once_it_is_made_anew() {
        let mut member = Member::new(&hello(1, None), Timestamp(0));
        member.drift = Some(Box::default());
        member.effect = Some(Box::default());
        member.greet(&hello(1, None), Timestamp(1));
        assert!(member.drift.is_some() && member.effect.is_some());
        member.greet(&hello(2, None), Timestamp(2));
        assert!(member.drift.is_none() && member.effect.is_none());
    }

    #[test]
    fn an_order_is_above_all_that_the_host_has_seen_and_after_the_last_number_there_is_none() {
        let key = |epoch, sequence| OrderKey {
            epoch: OwnerEpoch(epoch),
            sequence: HostSequence(sequence),
        };
        for (seen, epoch, next) in [
            (None, 3, Some(key(3, 1))),
            (Some(key(2, 7)), 3, Some(key(3, 8))),
            (Some(key(5, 7)), 3, Some(key(5, 8))),
            (Some(key(2, u64::MAX - 1)), 3, Some(key(3, u64::MAX))),
            (Some(key(2, u64::MAX)), 3, None),
        ] {
            let member = Member::new(&hello(1, seen), Timestamp(0));
            assert_eq!(member.next_key(OwnerEpoch(epoch)), next, "after {seen:?}");
        }
    }
}
