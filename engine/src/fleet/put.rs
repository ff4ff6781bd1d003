//! The few ways by which the cells of a fleet change. A region tells its news of each.

use super::{Fleet, FleetError, News};
use crate::{
    cell::{Cell, CellEvent},
    id::{CellId, HostId},
    time::Timestamp,
};

impl Fleet {
    /// Applies an event to a cell.
    pub(super) fn put(
        &mut self,
        cell: &CellId,
        event: &CellEvent,
        now: Timestamp,
    ) -> Result<(), FleetError> {
        let known = self.cells.get_mut(cell);
        let known = known.ok_or_else(|| FleetError::NoCell(cell.clone()))?;
        known.apply(event, now).map_err(|source| FleetError::Cell {
            cell: cell.clone(),
            source,
        })?;
        self.note_news(|| News::Cell {
            cell: cell.clone(),
            event: Box::new(event.clone()),
        });
        Ok(())
    }

    /// Makes a cell where it is not there. Whether it did.
    pub(super) fn make_cell(&mut self, id: &CellId, now: Timestamp) -> bool {
        if self.cells.contains_key(id) {
            return false;
        }
        let (epoch, calendar) = (self.epoch, self.freezes());
        self.note_news(|| News::Made {
            cell: id.clone(),
            epoch,
            calendar: calendar.clone(),
        });
        let made = Cell::new(id.clone(), epoch, now).under(calendar);
        self.cells.insert(id.clone(), made);
        true
    }

    /// An empty cell goes, once no rollout works in it.
    pub(super) fn drop_empty(&mut self, cell: &CellId) {
        let is_empty = |cell: &Cell| cell.members().is_empty() && cell.work().is_empty();
        if self.cells.get(cell).is_some_and(is_empty) {
            self.cells.remove(cell);
            self.note_news(|| News::Dropped { cell: cell.clone() });
        }
    }

    /// Moves hosts from one cell to another that is there.
    pub(super) fn shift(&mut self, from: &CellId, to: &CellId, hosts: &[HostId]) {
        let Some(mut source) = self.cells.remove(from) else {
            return;
        };
        if let Some(target) = self.cells.get_mut(to) {
            target.take_over(&mut source, hosts);
            for host in hosts {
                self.homes.insert(host.clone(), to.clone());
            }
        }
        self.cells.insert(from.clone(), source);
        self.note_news(|| News::Moved {
            from: from.clone(),
            to: to.clone(),
            hosts: hosts.to_vec(),
        });
    }
}
