//! Which hosts of the present wave are not over, cell by cell: a decision asks and never counts.

use super::Rollout;
use crate::id::{CellId, HostId};
use std::collections::{BTreeMap, BTreeSet};

/// The hosts of the present wave, and of earlier ones that cells have leave to start still.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Open {
    /// How many hosts the wave has, over or not.
    hosts: usize,
    /// Those that are not over. A cell without any is not there.
    open: BTreeMap<CellId, BTreeSet<HostId>>,
    /// Those that each cell has leave to start, of this wave or another, and that are not over.
    granted: BTreeMap<CellId, BTreeSet<HostId>>,
    /// How many of the wave's are neither over nor granted.
    idle: BTreeMap<CellId, usize>,
}

impl Open {
    fn of(rollout: &Rollout) -> Self {
        let mut open = Self::default();
        for cell in rollout.cells.keys() {
            let all: Vec<&HostId> = rollout.wave_hosts(cell).collect();
            open.hosts += all.len();
            let hosts = all.into_iter().filter(|host| !rollout.is_over(host));
            let hosts: BTreeSet<HostId> = hosts.cloned().collect();
            if !hosts.is_empty() {
                open.open.insert(cell.clone(), hosts);
            }
            open.grant(
                rollout.cells.get(cell).and_then(|p| p.granted()),
                cell,
                |host| rollout.is_over(host),
            );
        }
        open
    }

    /// Takes in what a cell has leave to start from now on.
    fn grant(
        &mut self,
        hosts: Option<&[HostId]>,
        cell: &CellId,
        is_over: impl Fn(&HostId) -> bool,
    ) {
        let hosts = hosts.unwrap_or_default().iter();
        let granted: BTreeSet<HostId> = hosts.filter(|host| !is_over(host)).cloned().collect();
        let open = self.open.get(cell).into_iter().flatten();
        let idle = open.filter(|host| !granted.contains(*host)).count();
        set(&mut self.idle, cell, idle, idle > 0);
        let is_there = !granted.is_empty();
        set(&mut self.granted, cell, granted, is_there);
    }

    /// A host is over now.
    fn end(&mut self, cell: &CellId, host: &HostId) {
        let was_open = remove(&mut self.open, cell, host);
        let was_granted = remove(&mut self.granted, cell, host);
        if was_open && !was_granted {
            let idle = self.idle.get(cell).map_or(0, |idle| idle.saturating_sub(1));
            set(&mut self.idle, cell, idle, idle > 0);
        }
    }
}

/// Keeps a value by a cell, or none.
fn set<T>(map: &mut BTreeMap<CellId, T>, cell: &CellId, value: T, is_there: bool) {
    match is_there {
        true => drop(map.insert(cell.clone(), value)),
        false => drop(map.remove(cell)),
    }
}

/// Takes a host out of the set of its cell. Whether it was there.
fn remove(sets: &mut BTreeMap<CellId, BTreeSet<HostId>>, cell: &CellId, host: &HostId) -> bool {
    let Some(hosts) = sets.get_mut(cell) else {
        return false;
    };
    let was_there = hosts.remove(host);
    if hosts.is_empty() {
        sets.remove(cell);
    }
    was_there
}

impl Rollout {
    fn open(&self) -> &Open {
        self.open.get(|| Open::of(self))
    }

    /// How many hosts the present wave has, and how many of them are not over.
    pub(super) fn wave_size(&self) -> (usize, usize) {
        let open = self.open();
        (open.hosts, open.open.values().map(BTreeSet::len).sum())
    }

    /// The hosts of the present wave that are not over, each with its cell.
    pub(super) fn open_hosts(&self) -> impl Iterator<Item = (&CellId, &HostId)> {
        let cells = self.open().open.iter();
        cells.flat_map(|(cell, hosts)| hosts.iter().map(move |host| (cell, host)))
    }

    /// Those of one cell.
    pub(super) fn open_hosts_of(&self, cell: &CellId) -> impl Iterator<Item = &HostId> {
        self.open().open.get(cell).into_iter().flatten()
    }

    /// The hosts that cells have leave to start and that are not over, by their cells.
    pub(super) fn granted(&self) -> impl Iterator<Item = (&CellId, &BTreeSet<HostId>)> {
        self.open().granted.iter()
    }

    /// Whether a host is of the present wave and not over, and its cell has leave to start it.
    pub(super) fn is_granted_and_open(&self, host: &HostId, cell: &CellId) -> bool {
        let has = |sets: &BTreeMap<CellId, BTreeSet<HostId>>| {
            sets.get(cell).is_some_and(|hosts| hosts.contains(host))
        };
        has(&self.open().open) && has(&self.open().granted)
    }

    /// Whether a cell has leave to start every host of the present wave that is not over.
    pub(super) fn has_all_granted(&self, cell: &CellId) -> bool {
        !self.open().idle.contains_key(cell)
    }

    /// Keeps in step with what became of a host.
    pub(super) fn keep_open(&mut self, host: &HostId, was_over: bool) {
        let is_over = self.is_over(host);
        match (was_over, is_over) {
            (true, false) => self.open.forget(),
            (false, true) => {
                let Self { open, plan, .. } = self;
                if let (Some(open), Some(planned)) = (open.get_mut(), plan.hosts.get(host)) {
                    open.end(&planned.cell, host);
                }
            }
            (true, true) | (false, false) => {}
        }
    }

    /// Keeps in step with what a cell has leave to start.
    pub(super) fn keep_granted(&mut self, cell: &CellId) {
        let Self {
            open,
            cells,
            outcomes,
            ..
        } = self;
        if let Some(open) = open.get_mut() {
            let granted = cells.get(cell).and_then(|progress| progress.granted());
            open.grant(granted, cell, |host| {
                super::suspect::is_over(outcomes.get(host))
            });
        }
    }

    /// Whether what it keeps of the present wave is what counting anew comes to. For tests.
    pub fn is_kept_right(&self) -> bool {
        self.open.is_right(&Open::of(self))
    }
}
