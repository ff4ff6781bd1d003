//! People's reservations: how they come into the ledger, and how they end.
//!
//! An operator asks for one. A person at the host takes it by a window in its guard, which is entered when
//! it is heard of: at once, or as soon as whoever has the host then is done with it.
//!
//! While one stands, what the host says of its service changes nothing in the ledger: it is out already,
//! by somebody's will, and nobody else may take it. Once it ended, a host that is not in service counts
//! as fallen by itself, as any other.

use super::{Cell, CellCommand, CellError, decide::Draft};
use crate::{
    guard::{GuardNews, GuardRecord},
    id::{HostId, ReservationToken},
    ledger::{Entry, Holder, LedgerError},
    reservation::Reservation,
    time::Timestamp,
};

impl Cell {
    /// Takes a host for an operator. Whether its groups have room, the fleet has looked.
    pub(super) fn reserved(
        &mut self,
        host: &HostId,
        reservation: &Reservation,
        now: Timestamp,
    ) -> Result<(), CellError> {
        self.member_mut(host)?;
        let holder = Holder::from(reservation.clone());
        match self.ledger.entry(host) {
            Some(entry) if entry.holder.is_operator(&reservation.by) => {
                let token = entry.token;
                self.ledger.extend(host, holder, token)?;
            }
            Some(entry) if entry.holder != Holder::Itself => {
                return Err(CellError::Ledger(LedgerError::Held {
                    host: host.clone(),
                    by: Box::new(entry.holder.clone()),
                }));
            }
            Some(_) | None => self.ledger.take(host, holder, now)?,
        }
        Ok(())
    }

    /// Takes in what a host told of its guard.
    pub(super) fn guard_told(
        &mut self,
        host: &HostId,
        news: &GuardNews,
        now: Timestamp,
    ) -> Result<(), CellError> {
        let member = self.member_mut(host)?;
        let anew = || Box::new(GuardRecord::new(now));
        member.guard.get_or_insert_with(anew).take_in(news, now);
        let is_open = member.window(now).is_some();
        match self.ledger.entry(host) {
            Some(entry) if !is_open && matches!(entry.holder, Holder::AtHost { .. }) => {
                let token = entry.token;
                self.let_go(host, token, now);
            }
            Some(_) | None => self.enter_window(host, now),
        }
        Ok(())
    }

    /// Enters the window that is open at a host, unless somebody has the host: then it is out, and the
    /// window is entered once it is given back.
    pub(super) fn enter_window(&mut self, host: &HostId, now: Timestamp) {
        let member = self.members.get(host);
        let Some(window) = member.and_then(|member| member.window(now)) else {
            return;
        };
        let holder = window.holder();
        let entered = match self.ledger.entry(host) {
            Some(entry) => match &entry.holder {
                Holder::AtHost { .. } => self.ledger.extend(host, holder, entry.token),
                Holder::Itself => self.ledger.take(host, holder, now),
                Holder::Rollout { .. } | Holder::Operator { .. } => Ok(()),
            },
            None => self.ledger.take(host, holder, now),
        };
        if entered.is_err() {
            debug_assert!(false, "the ledger refuses what was just looked up in it");
        }
    }

    /// Ends a person's reservation.
    pub(super) fn unreserved(
        &mut self,
        host: &HostId,
        token: ReservationToken,
        now: Timestamp,
    ) -> Result<(), CellError> {
        let entry = self.ledger.entry(host);
        let is_it = |entry: &Entry| entry.token == token && entry.holder.is_person();
        if !entry.is_some_and(is_it) {
            let host = host.clone();
            return Err(CellError::Ledger(LedgerError::NotHeld { host, token }));
        }
        self.let_go(host, token, now);
        Ok(())
    }
}

impl Draft<'_> {
    /// Ends the reservations whose time is over, and wakes for the others; returns whether one ends.
    pub(super) fn end_reservations(&mut self) -> bool {
        let cell = self.cell;
        for (host, entry) in cell.ledger.of_people() {
            let Some(until) = entry.holder.until() else {
                continue;
            };
            if self.now < until {
                self.wake_at(until);
                continue;
            }
            self.push(CellCommand::EndReservation {
                host: host.clone(),
                token: entry.token,
            });
        }
        !self.decision.commands.is_empty()
    }
}
