//! Hosts that are in other cells than when the rollout ended: before it is taken back, the plan says
//! where they are now.

use super::Plan;
use crate::{
    by_name::ByHost,
    id::{CellId, HostId},
    warrant::Assignment,
};
use std::collections::BTreeSet;

impl Plan {
    /// Moves its hosts to the cells that they are in. The cells to which any came.
    pub(crate) fn follow(&mut self, homes: &ByHost<CellId>) -> BTreeSet<CellId> {
        let moved = self.hosts.iter().filter_map(|(host, planned)| {
            let home = homes.get(host).filter(|home| **home != planned.cell)?;
            Some((host.clone(), home.clone()))
        });
        let moved: Vec<(HostId, CellId)> = moved.collect();
        for (host, home) in &moved {
            self.move_host(host, home);
        }
        moved.into_iter().map(|(_, home)| home).collect()
    }

    fn move_host(&mut self, host: &HostId, home: &CellId) {
        let Some(planned) = self.hosts.get_mut(host) else {
            return;
        };
        let before = std::mem::replace(&mut planned.cell, home.clone());
        let target = match self.assignments.remove(home) {
            Some(target) => Some(target),
            None => self.empty_assignment(home),
        };
        if let (Some(mut target), Some(source)) = (target, self.assignments.get_mut(&before)) {
            target.take_over(source, host);
            self.assignments.insert(home.clone(), target);
        }
        for wave in &mut self.waves {
            if let Some(slice) = wave.slices.get_mut(&before)
                && slice.contains(host)
            {
                slice.retain(|other| other != host);
                wave.add(home, host);
            }
        }
    }
}

impl Assignment {
    /// Takes a host over from the assignment of another cell, with the floors that bind it there.
    /// Windows bind no rollback.
    fn take_over(&mut self, from: &mut Self, host: &HostId) {
        self.revision += 1;
        from.revision += 1;
        // The cell that it leaves is as slow as the strictest limit of its hosts.
        let here = match self.hosts.is_empty() {
            true => usize::MAX,
            false => self.pace.at_once_per_cell,
        };
        self.pace.at_once_per_cell = from.pace.at_once_per_cell.min(here);
        self.assume(host, from.delta_of(host));
        from.assume(host, None);
        from.hosts.remove(host);
        from.late.remove(host);
        self.hosts.insert(host.clone());
        self.late.insert(host.clone(), self.revision);
        for floor in &mut from.floors {
            if floor.hosts.remove(host) {
                let here = self.floor_of(&floor.rule);
                here.hosts.insert(host.clone());
                if floor.lone_hosts.remove(host) {
                    here.lone_hosts.insert(host.clone());
                }
            }
        }
    }
}
