//! Operators' reservations: how they come into the ledger, and how they end.
//!
//! While one stands, what the host says of its service changes nothing in the ledger: it is out already,
//! by somebody's will, and nobody else may take it. Once it ended, a host that is not in service counts
//! as fallen by itself, as any other.

use super::{Cell, CellCommand, CellError, decide::Draft};
use crate::{
    id::{HostId, ReservationToken},
    ledger::{Holder, LedgerError},
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
            Some(_) | None => {
                let token = self.ledger.next_token();
                self.ledger.reserve(host, holder, token, now)?;
            }
        }
        Ok(())
    }

    /// Ends an operator's reservation.
    pub(super) fn unreserved(
        &mut self,
        host: &HostId,
        token: ReservationToken,
        now: Timestamp,
    ) -> Result<(), CellError> {
        let entry = self.ledger.entry(host);
        let is_it = entry.is_some_and(|entry| {
            entry.token == token && matches!(entry.holder, Holder::Operator { .. })
        });
        if !is_it {
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
        for (host, entry) in cell.ledger.entries() {
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
