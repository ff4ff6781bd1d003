//! The link between the rollouts and the region of a cell, and what becomes of messages while it is
//! cut: what rollouts tell the cell is lost, what the cell summarises waits.

use super::{
    super::Model,
    Happening, NOTICE, REDIAL, World,
    owner::{Input, Owner},
};
use crate::{
    cell::CellCommand,
    fleet::{FleetCommand, FleetEvent},
    id::{CellId, HostId},
    time::Timestamp,
};
use std::time::Duration;

/// A cell that is cut off from the rollouts.
#[derive(Debug, Clone)]
pub(super) struct CutCell {
    since: Timestamp,
    /// Whether the rollouts have noticed.
    is_missed: bool,
    /// What it summarised since: its region keeps it until it can be told.
    kept: Vec<FleetEvent>,
}

impl<M: Model> World<M> {
    /// From now on nothing comes through between the rollouts and a cell. They notice after a while.
    pub fn cut_cell(&mut self, cell: &CellId) {
        self.cut_cell_noticed(cell, NOTICE);
    }

    /// The same, noticed after this long.
    pub fn cut_cell_noticed(&mut self, cell: &CellId, notice: Duration) {
        let cut = CutCell {
            since: self.owner_now(),
            is_missed: false,
            kept: Vec::new(),
        };
        self.owner.cut_cells.entry(cell.clone()).or_insert(cut);
        let cell = cell.clone();
        self.put(notice, Happening::CellMissed { cell });
    }

    /// Everything comes through again: what the cell summarised meanwhile, then everything else.
    pub fn mend_cell(&mut self, cell: &CellId) {
        let cell = cell.clone();
        self.put(Duration::ZERO, Happening::CellMended { cell });
    }

    /// The same of the cell of a host, noticed at once. Nothing when it has none.
    pub fn cut_cell_of(&mut self, host: &HostId) {
        if let Some(cell) = self.owner.fleet.homes().get(host).cloned() {
            self.cut_cell_noticed(&cell, Duration::ZERO);
        }
    }

    /// Everything comes through again to the cell of a host.
    pub fn mend_cell_of(&mut self, host: &HostId) {
        if let Some(cell) = self.owner.fleet.homes().get(host).cloned() {
            self.mend_cell(&cell);
        }
    }

    /// Everything comes through again to all cells.
    pub fn mend_cells(&mut self) {
        let cells: Vec<CellId> = self.owner.cut_cells.keys().cloned().collect();
        cells.iter().for_each(|cell| self.mend_cell(cell));
    }

    pub(super) fn cell_missed(&mut self, cell: CellId) {
        if !self.owner.is_up {
            return self.put(REDIAL, Happening::CellMissed { cell });
        }
        let now = self.owner_now();
        self.owner.miss(&cell, now);
        self.put(Duration::ZERO, Happening::ToOwner(Input::Wake));
    }

    pub(super) fn cell_mended(&mut self, cell: CellId) {
        if !self.owner.is_up {
            return self.put(REDIAL, Happening::CellMended { cell });
        }
        let now = self.owner_now();
        self.owner.hear(&cell, now);
        self.put(Duration::ZERO, Happening::ToOwner(Input::Wake));
    }
}

impl Owner {
    /// Delivers what a rollout tells a cell, or a cell a rollout; where the link is cut, the one is
    /// lost and the other waits.
    pub(super) fn pass_on(&mut self, told: FleetEvent, by: &FleetCommand, now: Timestamp) {
        if let FleetEvent::Cell { cell, .. } = &told
            && self.cut_cells.contains_key(cell)
        {
            return;
        }
        if let FleetCommand::Cell {
            cell,
            command: CellCommand::Summarise(_),
        } = by
            && let Some(cut) = self.cut_cells.get_mut(cell)
        {
            cut.kept.push(told);
            return;
        }
        self.take(&told, now, "what one machine tells another");
    }

    /// What starts has heard of no cell that was cut off before, whatever the clock said then.
    pub(super) fn hears_none_before(&mut self, now: Timestamp) {
        for cut in self.cut_cells.values_mut() {
            cut.since = cut.since.min(now);
        }
    }

    /// The rollouts notice that a cell is cut off, if it still is.
    fn miss(&mut self, cell: &CellId, now: Timestamp) {
        let Some(cut) = self.cut_cells.get_mut(cell) else {
            return;
        };
        if !std::mem::replace(&mut cut.is_missed, true) {
            let (cell, since) = (cell.clone(), cut.since);
            self.take(&FleetEvent::CellSilent { cell, since }, now, "silence");
        }
    }

    fn hear(&mut self, cell: &CellId, now: Timestamp) {
        // Who was cut off for a moment only has lost messages too.
        self.miss(cell, now);
        let Some(cut) = self.cut_cells.remove(cell) else {
            return;
        };
        for told in cut.kept {
            self.take(&told, now, "a summary that waited");
        }
        let cell = cell.clone();
        self.take(&FleetEvent::CellHeard { cell }, now, "the end of silence");
    }
}
