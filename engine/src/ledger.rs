//! One cell's ledger: everything that is out or may be out, whoever caused it.
//!
//! A host has at most one entry, so at most one holder (promise 2). Silence never removes an entry
//! (promise 11): only its release under the right token, the host's own report that it is in
//! service, or its deletion from the inventory does.

use crate::{
    by_name::ByHost,
    id::{HostId, OperatorId, ReservationToken, RolloutId},
    kept::Kept,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt};

/// Who has a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "who", rename_all = "kebab-case")]
pub enum Holder {
    /// A rollout's order.
    Rollout {
        /// Which.
        rollout: RolloutId,
    },
    /// An operator's reservation.
    Operator {
        /// Who.
        by: OperatorId,
        /// Why.
        reason: String,
        /// When it ends by itself.
        until: Timestamp,
    },
    /// A person at the host, who opened a window in its guard.
    AtHost {
        /// Who, as the host tells it.
        by: String,
        /// Why.
        reason: String,
        /// When it ends by itself.
        until: Timestamp,
    },
    /// Nobody: the host fell by itself.
    Itself,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rollout { rollout } => write!(f, "rollout {rollout}"),
            Self::Operator { by, reason, .. } => write!(f, "{by} ({reason})"),
            Self::AtHost { by, reason, .. } => write!(f, "{by} at the host ({reason})"),
            Self::Itself => f.write_str("nobody: it fell by itself"),
        }
    }
}

impl Holder {
    /// When it lets go by itself. Nothing when it takes an event.
    pub fn until(&self) -> Option<Timestamp> {
        match self {
            Self::Operator { until, .. } | Self::AtHost { until, .. } => Some(*until),
            Self::Rollout { .. } | Self::Itself => None,
        }
    }

    /// Whether it is a person, and no order is behind it: it comes to its end by itself.
    pub fn is_person(&self) -> bool {
        self.until().is_some()
    }

    /// Whether it is an operator's reservation, of this operator.
    pub fn is_operator(&self, who: &OperatorId) -> bool {
        matches!(self, Self::Operator { by, .. } if by == who)
    }
}

/// How far a reservation has gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Occupancy {
    /// Promised to its holder; may be out.
    Reserved,
    /// Past the point of disruption.
    Disrupted,
    /// Lost to the work, or fallen; out until it reports itself in service.
    Casualty {
        /// How, in one line.
        why: String,
        /// Since when. In the record of an older release: from the beginning.
        #[serde(default)]
        since: Timestamp,
    },
}

/// One host's entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The fencing token of this reservation.
    pub token: ReservationToken,
    /// Who has the host.
    pub holder: Holder,
    /// How far it has gone.
    pub occupancy: Occupancy,
    /// Since when the holder has it.
    pub since: Timestamp,
}

impl Entry {
    /// Whether nobody is at work on the host: it was lost to the work, or fell by itself.
    pub fn is_casualty(&self) -> bool {
        matches!(self.occupancy, Occupancy::Casualty { .. })
    }
}

/// Why the ledger refuses a change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// Somebody has the host already.
    #[error("host {host} is held by {by}")]
    Held {
        /// The host.
        host: HostId,
        /// Who has it.
        by: Box<Holder>,
    },
    /// The token is not the one that the ledger would give out next.
    #[error("token {token} for host {host} is out of order: {expected} is next")]
    TokenOutOfOrder {
        /// The host.
        host: HostId,
        /// The token.
        token: ReservationToken,
        /// The one that is next.
        expected: ReservationToken,
    },
    /// The host has no entry under this token.
    #[error("host {host} has no reservation under token {token}")]
    NotHeld {
        /// The host.
        host: HostId,
        /// The token.
        token: ReservationToken,
    },
}

/// Everything in one cell that is out or may be out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Ledger {
    entries: ByHost<Entry>,
    last_token: ReservationToken,
    /// The hosts that people have.
    #[serde(skip)]
    people: Kept<BTreeSet<HostId>>,
}

impl Ledger {
    /// The host's entry; nothing when nobody has it and it did not fall.
    pub fn entry(&self, host: &HostId) -> Option<&Entry> {
        self.entries.get(host)
    }

    /// Whether the host is out or may be.
    pub fn holds(&self, host: &HostId) -> bool {
        self.entries.contains_key(host)
    }

    /// All entries: all hosts that are out or may be.
    pub fn entries(&self) -> &ByHost<Entry> {
        &self.entries
    }

    /// The entries of hosts that people have.
    pub(crate) fn of_people(&self) -> impl Iterator<Item = (&HostId, &Entry)> {
        let people = self.people.get(|| {
            let people = self.entries.iter().filter(|(_, of)| of.holder.is_person());
            people.map(|(host, _)| host.clone()).collect()
        });
        people
            .iter()
            .filter_map(|host| Some((host, self.entries.get(host)?)))
    }

    /// The token that the next reservation gets.
    pub fn next_token(&self) -> ReservationToken {
        self.last_token.next()
    }

    /// Gives out no token that another ledger has given out.
    pub fn go_on_from(&mut self, other: &Self) {
        self.last_token = self.last_token.max(other.last_token);
    }

    /// Promises a host to a holder under the next token. A casualty, and a host that fell by itself,
    /// have nobody at work on them and may be taken, to repair them.
    ///
    /// # Errors
    /// [`LedgerError::Held`] when somebody has it; [`LedgerError::TokenOutOfOrder`] when the token
    /// is not [`Ledger::next_token`].
    pub fn reserve(
        &mut self,
        host: &HostId,
        holder: Holder,
        token: ReservationToken,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        if let Some(entry) = self.entries.get(host)
            && !entry.is_casualty()
        {
            return Err(LedgerError::Held {
                host: host.clone(),
                by: Box::new(entry.holder.clone()),
            });
        }
        let expected = self.next_token();
        if token != expected {
            return Err(LedgerError::TokenOutOfOrder {
                host: host.clone(),
                token,
                expected,
            });
        }
        self.enter(host, holder, Occupancy::Reserved, now);
        Ok(())
    }

    /// Promises a host to a holder under the token that is next.
    ///
    /// # Errors
    /// [`LedgerError::Held`] when somebody has it.
    pub fn take(
        &mut self,
        host: &HostId,
        holder: Holder,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        self.reserve(host, holder, self.next_token(), now)
    }

    /// Gives a person's reservation another reason or end; its token and its beginning stay.
    ///
    /// # Errors
    /// [`LedgerError::NotHeld`] when the host has no reservation under this token.
    pub fn extend(
        &mut self,
        host: &HostId,
        holder: Holder,
        token: ReservationToken,
    ) -> Result<(), LedgerError> {
        self.held(host, token)?.holder = holder;
        self.people.forget();
        Ok(())
    }

    /// Moves a reservation past the point of disruption.
    ///
    /// # Errors
    /// [`LedgerError::NotHeld`] when the host has no reservation under this token.
    pub fn disrupt(&mut self, host: &HostId, token: ReservationToken) -> Result<(), LedgerError> {
        self.held(host, token)?.occupancy = Occupancy::Disrupted;
        Ok(())
    }

    /// Makes a reservation a casualty: it stays, and counts as out.
    ///
    /// # Errors
    /// [`LedgerError::NotHeld`] when the host has no reservation under this token.
    pub fn lose(
        &mut self,
        host: &HostId,
        token: ReservationToken,
        why: impl Into<String>,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        self.held(host, token)?.occupancy = Occupancy::Casualty {
            why: why.into(),
            since: now,
        };
        Ok(())
    }

    /// Ends a reservation whose run is over and whose host is in service. Repeating it is harmless.
    pub fn release(&mut self, host: &HostId, token: ReservationToken) {
        if self
            .entries
            .get(host)
            .is_some_and(|entry| entry.token == token)
        {
            self.forget(host);
        }
    }

    /// Enters a host that fell by itself. A host that somebody has keeps that entry.
    pub fn fell(&mut self, host: &HostId, why: impl Into<String>, now: Timestamp) {
        if !self.entries.contains_key(host) {
            self.enter(
                host,
                Holder::Itself,
                Occupancy::Casualty {
                    why: why.into(),
                    since: now,
                },
                now,
            );
        }
    }

    /// Frees a casualty, or a host that fell, because it reports itself in service. A reservation
    /// that is still being worked on stays.
    pub fn recovered(&mut self, host: &HostId) {
        if self.entries.get(host).is_some_and(Entry::is_casualty) {
            self.forget(host);
        }
    }

    /// Frees whatever a deleted host held.
    pub fn forget(&mut self, host: &HostId) {
        let before = self.entries.remove(host);
        if before.is_some_and(|entry| entry.holder.is_person()) {
            self.people.forget();
        }
    }

    fn enter(&mut self, host: &HostId, holder: Holder, occupancy: Occupancy, now: Timestamp) {
        self.last_token = self.last_token.next();
        let entry = Entry {
            token: self.last_token,
            holder,
            occupancy,
            since: now,
        };
        let is_of_person = entry.holder.is_person();
        let before = self.entries.insert(host.clone(), entry);
        if is_of_person || before.is_some_and(|entry| entry.holder.is_person()) {
            self.people.forget();
        }
    }

    fn held(&mut self, host: &HostId, token: ReservationToken) -> Result<&mut Entry, LedgerError> {
        self.entries
            .get_mut(host)
            .filter(|entry| entry.token == token)
            .ok_or_else(|| LedgerError::NotHeld {
                host: host.clone(),
                token,
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host() -> HostId {
        HostId::new("web-1").unwrap()
    }

    fn rollout(name: &str) -> Holder {
        Holder::Rollout {
            rollout: RolloutId::new(name).unwrap(),
        }
    }

    #[test]
    fn a_host_has_at_most_one_holder() {
        let mut ledger = Ledger::default();
        ledger
            .reserve(&host(), rollout("a"), ReservationToken(1), Timestamp(0))
            .unwrap();
        let second = ledger.reserve(&host(), rollout("b"), ReservationToken(2), Timestamp(0));
        assert_eq!(
            second,
            Err(LedgerError::Held {
                host: host(),
                by: Box::new(rollout("a"))
            })
        );
    }

    #[test]
    fn a_token_is_never_given_out_twice() {
        let mut ledger = Ledger::default();
        ledger
            .reserve(&host(), rollout("a"), ReservationToken(1), Timestamp(0))
            .unwrap();
        ledger.release(&host(), ReservationToken(1));
        let again = ledger.reserve(&host(), rollout("a"), ReservationToken(1), Timestamp(0));
        assert!(matches!(again, Err(LedgerError::TokenOutOfOrder { .. })));
    }

    #[test]
    fn a_release_under_an_old_token_frees_nothing() {
        let mut ledger = Ledger::default();
        ledger.fell(&host(), "no flag", Timestamp(0));
        ledger.release(&host(), ReservationToken(7));
        assert!(ledger.entry(&host()).is_some());
    }

    #[test]
    fn an_operator_s_reservation_is_kept_longer_under_its_token_alone() {
        let operator = |secs: u64| Holder::Operator {
            by: OperatorId::new("anna").unwrap(),
            reason: "new disk".to_owned(),
            until: Timestamp(secs),
        };
        let mut ledger = Ledger::default();
        let token = ReservationToken(1);
        ledger
            .reserve(&host(), operator(10), token, Timestamp(0))
            .unwrap();
        ledger.extend(&host(), operator(20), token).unwrap();
        let entry = ledger.entry(&host()).unwrap();
        assert_eq!(
            (entry.holder.until(), entry.token),
            (Some(Timestamp(20)), token)
        );
        let other = ledger.extend(&host(), operator(30), ReservationToken(2));
        assert!(matches!(other, Err(LedgerError::NotHeld { .. })));
    }

    #[test]
    fn a_casualty_is_out_until_it_is_heard_of() {
        let mut ledger = Ledger::default();
        ledger
            .reserve(&host(), rollout("a"), ReservationToken(1), Timestamp(0))
            .unwrap();
        ledger.recovered(&host());
        assert!(
            ledger.entry(&host()).is_some(),
            "a host at work is not freed by its health"
        );
        let lost = ledger.lose(&host(), ReservationToken(1), "silent", Timestamp(1));
        lost.unwrap();
        ledger.recovered(&host());
        assert!(ledger.entry(&host()).is_none());
    }
}
