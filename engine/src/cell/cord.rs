//! The cord in a cell: whatever a rollout was granted, nothing begins while it is pulled.

use super::{Cell, CellError, Work};
use crate::{cord::Cord, hold::Reason, id::HostId, order::Direction, time::Timestamp};

impl Cell {
    /// The cord that is pulled, as it was last told. Nothing: none is.
    pub fn cord(&self) -> Option<&Cord> {
        self.cord.as_ref()
    }

    /// The region's own, as it was last told, where that of the control plane is pulled as well. It holds on when
    /// that is released. Nothing: there is none beside [`Cell::cord`].
    pub fn cord_beneath(&self) -> Option<&Cord> {
        self.cord_beneath.as_ref()
    }

    /// Takes in how the cord stands. While it was pulled time did not run out on hosts that have leave to
    /// start.
    pub(super) fn cord_told(
        &mut self,
        cord: &Option<Cord>,
        beneath: &Option<Cord>,
        now: Timestamp,
    ) -> Result<(), CellError> {
        let is_released = self.cord.is_some() && cord.is_none();
        self.cord.clone_from(cord);
        self.cord_beneath.clone_from(beneath);
        if is_released {
            let jobs = self
                .work
                .values_mut()
                .flat_map(|work| work.jobs.values_mut());
            let granted = jobs.filter_map(|job| job.granted_at.as_mut());
            granted.for_each(|at| *at = now);
        }
        Ok(())
    }

    /// Why no host of a work may be started at all now, whatever host it is.
    pub(super) fn bar(&self, work: &Work, now: Timestamp) -> Option<Reason> {
        let corded = self.cord.clone().map(|cord| Reason::Cord { cord });
        corded.or_else(|| work.bar(now))
    }

    /// Since when [`Cell::bar`] says what it says.
    pub(super) fn barred_since(&self, work: &Work, now: Timestamp) -> Timestamp {
        let pulled_at = self.cord.as_ref().map(|cord| cord.at);
        pulled_at.unwrap_or_else(|| work.barred_since(now))
    }

    /// Why an order that is out must not go on, if it must not.
    pub(super) fn withdrawal(
        &self,
        work: &Work,
        host: &HostId,
        direction: Direction,
    ) -> Option<String> {
        let corded = self.cord.as_ref().map(Cord::to_string);
        corded.or_else(|| work.withdrawal(host, direction))
    }
}
