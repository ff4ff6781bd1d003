//! The control plane's mirror of a region's cells: it follows what the region tells of them, and what
//! happens there is news for rollouts.

use super::{Copy, News};
use crate::{
    cell::{Cell, CellEvent},
    fleet::{Fleet, FleetError},
    id::{CellId, HostId, Region},
    time::Timestamp,
};
use std::collections::BTreeSet;

impl Fleet {
    /// Takes in what happened to a region's cells, once and in order.
    pub(super) fn news(
        &mut self,
        region: &Region,
        number: u64,
        news: &News,
        now: Timestamp,
    ) -> Result<(), FleetError> {
        let last = self.link_of(region)?.news;
        if number <= last {
            return Ok(());
        }
        if number != last + 1 {
            let region = region.clone();
            return Err(FleetError::NewsMissing {
                region,
                last,
                number,
            });
        }
        self.follow(region, news, now)?;
        self.link_of(region)?.news = number;
        Ok(())
    }

    fn follow(&mut self, region: &Region, news: &News, now: Timestamp) -> Result<(), FleetError> {
        match news {
            News::Made {
                cell,
                epoch,
                calendar,
            } => {
                self.claim_cell(region, cell)?;
                let made = Cell::new(cell.clone(), *epoch, now).under(calendar.clone());
                self.cells.get_or_make(cell, || made);
                Ok(())
            }
            News::Cell { cell, event } => {
                self.claim_cell(region, cell)?;
                self.follow_cell(cell, event, now)
            }
            News::Moved { from, to, hosts } => {
                self.claim_cell(region, from)?;
                self.claim_cell(region, to)?;
                self.follow_move(from, to, hosts);
                Ok(())
            }
            News::Dropped { cell } => {
                self.claim_cell(region, cell)?;
                self.cells.remove(cell);
                Ok(())
            }
            News::Packages {
                digest,
                part,
                of,
                packages,
            } => self.packages(*digest, *part, *of, packages, now),
        }
    }

    /// A region may speak of its own cells alone.
    pub(super) fn claim_cell(&mut self, region: &Region, cell: &CellId) -> Result<(), FleetError> {
        let of = &mut self.links.of_cells;
        let of = of.entry(cell.clone()).or_insert_with(|| region.clone());
        match of == region {
            true => Ok(()),
            false => Err(FleetError::CellOfAnother {
                cell: cell.clone(),
                region: of.clone(),
            }),
        }
    }

    fn follow_cell(
        &mut self,
        cell: &CellId,
        event: &CellEvent,
        now: Timestamp,
    ) -> Result<(), FleetError> {
        if let CellEvent::HostConnected { hello } = event {
            return match self.is_at_home(&hello.host.id, cell) {
                true => self.arrive(hello, cell, now),
                // It came from another region, which has not forgotten it yet.
                false => self.put(cell, event, now),
            };
        }
        let left = event.forgets();
        let left = left.filter(|host| self.is_at_home(host, cell));
        let left = left.and_then(|host| self.host(host));
        let left = left.map(|(_, member)| member.host.clone());
        self.put(cell, event, now)?;
        if let Some(left) = left {
            self.forget_host(&left.id);
            self.part_from(&left, now);
            self.find_home(&left.id);
        }
        if let CellEvent::PackagesChanged { host, .. } = event {
            self.consider_late(host, now)?;
        }
        if *event == CellEvent::Booted {
            self.grant_anew(cell);
        }
        Ok(())
    }

    /// Whether a host is of the region of a cell, or of none: of hosts of another region a region says nothing that
    /// changes where they are and what is denied to them.
    fn is_at_home(&self, host: &HostId, cell: &CellId) -> bool {
        let home = self.region_of_host(host);
        home.is_none_or(|home| self.links.of_cells.get(cell) == Some(home))
    }

    /// A host that its region has forgotten is of the one to which it went meanwhile.
    fn find_home(&mut self, host: &HostId) {
        let mut cells = self.cells.values();
        let home = cells.find(|cell| cell.members().contains_key(host));
        if let Some(home) = home.map(|cell| cell.id().clone()) {
            self.homes.insert(host.clone(), home);
        }
    }

    /// Has rollouts give the leave anew that ended with a boot of the region's machine.
    fn grant_anew(&mut self, name: &CellId) {
        let Some(cell) = self.cells.get(name) else {
            return;
        };
        for rollout in cell.ended_with_boot() {
            if let Some(rollout) = self.rollouts.get_mut(rollout) {
                rollout.cell_booted(name);
            }
        }
    }

    fn follow_move(&mut self, from: &CellId, to: &CellId, hosts: &[HostId]) {
        let is_its = |host: &&HostId| self.is_at_home(host, from);
        let hosts: Vec<HostId> = hosts.iter().filter(is_its).cloned().collect();
        let first = hosts.first().and_then(|host| self.host(host));
        let of = first.map(|(_, member)| member.host.clone());
        self.shift(from, to, &hosts);
        if let Some(of) = of {
            self.note_apart(&of);
        }
    }

    /// Takes a region's cells in as they are, in place of what the mirror had. A copy that is older than what the
    /// mirror has came late.
    pub(super) fn copied(
        &mut self,
        region: &Region,
        copy: &Copy,
        now: Timestamp,
    ) -> Result<(), FleetError> {
        if copy.news < self.link_of(region)?.news {
            return Ok(());
        }
        for cell in copy.cells.keys() {
            self.claim_cell(region, cell)?;
        }
        let before = self.hosts_of(region);
        for cell in self.cells_of(region) {
            self.cells.remove(&cell);
        }
        for host in &before {
            self.homes.remove(host);
        }
        for (name, cell) in &copy.cells {
            for host in cell.members().keys() {
                if !self.homes.contains_key(host) {
                    self.homes.insert(host.clone(), name.clone());
                }
            }
            self.cells.insert(name.clone(), cell.clone());
            self.grant_anew(name);
        }
        self.package_sets.extend(copy.package_sets.clone());
        let known = self.link_of(region)?;
        known.news = copy.news;
        known.copied_at = Some(now);
        self.look_at_all_of(region, &before, now)
    }

    /// What news would have said one by one of the hosts of a copy: who is gone, who came, who has other
    /// packages, who is alone.
    fn look_at_all_of(
        &mut self,
        region: &Region,
        before: &BTreeSet<HostId>,
        now: Timestamp,
    ) -> Result<(), FleetError> {
        let present = self.hosts_of(region);
        for host in before.difference(&present) {
            self.forget_host(host);
            self.find_home(host);
        }
        for host in &present {
            if let Some((_, member)) = self.host(host) {
                let of = member.host.clone();
                self.note_apart(&of);
            }
            self.consider_late(host, now)?;
        }
        self.ask_all_anew(now);
        Ok(())
    }

    fn hosts_of(&self, region: &Region) -> BTreeSet<HostId> {
        let is_its = |cell: &CellId| self.links.of_cells.get(cell) == Some(region);
        let homes = self.homes.iter().filter(|(_, cell)| is_its(cell));
        homes.map(|(host, _)| host.clone()).collect()
    }
}
