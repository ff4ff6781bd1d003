//! Which hosts each cell of the present wave may start now.

use super::{
    Rollout, Wish,
    host_turn::HostTurn,
    suspect::{Barred, Docket},
};
use crate::{
    hold::{Hold, Reason},
    id::{CellId, HostId},
    plan::PlannedWave,
    time::Timestamp,
};
use std::collections::BTreeSet;

/// What each cell may start, and why the rest may not.
pub(super) struct Grants {
    /// Cells, and the hosts that each may start, in order. Cells that have all of it already are
    /// not here.
    pub(super) cells: Vec<(CellId, Vec<HostId>)>,
    /// Why the rest waits.
    pub(super) holds: Vec<Hold>,
}

impl Rollout {
    /// Works out the grants of the present wave.
    pub(super) fn grants(
        &self,
        wave: &PlannedWave,
        docket: &mut Docket<'_>,
        now: Timestamp,
    ) -> Grants {
        let mut grants = Grants {
            cells: Vec::new(),
            holds: Vec::new(),
        };
        let opinion = docket.next_opinion();
        let opinion_cell = opinion.as_ref().and_then(|host| self.plan.hosts.get(host));
        let opinion_cell = opinion_cell.map(|planned| planned.cell.clone());
        let turn = self.host_turn(wave, now);
        self.hold_other_turns(wave, turn, &mut grants.holds, now);
        self.hold_convicted(wave, turn, &mut grants.holds);
        let open = match turn {
            HostTurn::Others => self.open_cells(wave, &mut grants.holds, now),
            HostTurn::Ahead(_) | HostTurn::Behind(_) => Vec::new(),
        };
        // A second opinion does not wait for its cell's turn, and does not open the cell to others;
        // nor do hosts that go before or after the others, or were approved after their wave.
        let apart = turn.hosts();
        let late = self.approved_late();
        let late_of = |cell: &CellId| late.get(cell).into_iter().flatten().copied();
        let own = apart.iter().chain(&self.early);
        let own = own.filter_map(|host| Some(&self.plan.hosts.get(host)?.cell));
        let early = opinion_cell.iter().chain(self.joined.keys()).chain(own);
        let early = early.chain(late.keys().copied());
        let early = early.filter(|cell| !open.contains(cell));
        for cell in early.collect::<BTreeSet<_>>() {
            let goes_now = |host: &&HostId| self.is_early(cell, host) || apart.contains(host);
            let hosts = self.wave_hosts(cell).filter(goes_now).chain(late_of(cell));
            self.grant_cell(cell, opinion.as_ref(), hosts, docket, &mut grants, now);
        }
        for cell in &open {
            let hosts = self.wave_hosts(cell).filter(|host| !self.is_behind(host));
            let hosts = hosts.chain(late_of(cell));
            self.grant_cell(cell, opinion.as_ref(), hosts, docket, &mut grants, now);
        }
        grants
    }

    fn grant_cell<'a>(
        &'a self,
        cell: &CellId,
        opinion: Option<&'a HostId>,
        candidates: impl Iterator<Item = &'a HostId>,
        docket: &mut Docket<'_>,
        grants: &mut Grants,
        now: Timestamp,
    ) {
        if self.is_silent(cell) {
            return;
        }
        let already: &[HostId] = match self.cells.get(cell).map(|progress| &progress.wish) {
            Some(Wish::Start { hosts, .. }) => hosts,
            Some(Wish::Nothing | Wish::Stop { .. }) | None => &[],
        };
        let granted: BTreeSet<&HostId> = already.iter().collect();
        let mut hosts: Vec<HostId> = already
            .iter()
            .filter(|host| !self.is_over(host) && self.awaits_approval(host).is_none())
            .cloned()
            .collect();
        let opinion_here = opinion.filter(|host| {
            let planned = self.plan.hosts.get(*host);
            planned.is_some_and(|planned| planned.cell == *cell)
        });
        let others = candidates.filter(|host| Some(*host) != opinion_here);
        for host in opinion_here.into_iter().chain(others) {
            let is_held = self.awaits_approval(host).is_some();
            if granted.contains(host) || self.is_over(host) || is_held {
                continue;
            }
            match docket.bar(host, opinion) {
                None => {
                    docket.awaits(host);
                    hosts.push(host.clone());
                }
                Some(barred) => grants.holds.extend(self.barred(host, barred, now)),
            }
        }
        let is_stopped = !matches!(
            self.cells.get(cell).map(|p| &p.wish),
            Some(Wish::Start { .. })
        );
        let is_new = hosts.iter().any(|host| !granted.contains(host));
        let mut dropped = already.iter().filter(|host| !hosts.contains(host));
        let is_narrower = dropped.any(|host| self.is_set_aside(host) || !self.is_over(host));
        if is_new || is_narrower || (is_stopped && !hosts.is_empty()) {
            grants.cells.push((cell.clone(), hosts));
        }
    }

    fn barred(&self, host: &HostId, barred: Barred, now: Timestamp) -> Option<Hold> {
        let reason = match barred {
            Barred::Convicted(place) => Reason::Convicted {
                stratum: self.stratum(place)?.to_string(),
            },
            Barred::Awaits(place, awaits) => Reason::Stratum {
                stratum: self.stratum(place)?.to_string(),
                awaits,
            },
            Barred::Suspect(place) => {
                let failed = self.failures().find(|(failed, _)| {
                    let planned = self.plan.hosts.get(*failed);
                    planned.is_some_and(|planned| planned.strata.contains(&place))
                });
                let awaits = failed.map_or_else(|| host.clone(), |(failed, _)| failed.clone());
                Reason::Stratum {
                    stratum: self.stratum(place)?.to_string(),
                    awaits,
                }
            }
        };
        Some(Hold {
            since: self.wave_since.min(now),
            ..self.host_hold(host, reason)
        })
    }

    /// Whether a host of the present wave does not wait for its cell's turn.
    fn is_early(&self, cell: &CellId, host: &HostId) -> bool {
        let joined = self.joined.get(cell);
        self.early.contains(host) || joined.is_some_and(|joined| joined.contains(host))
    }

    /// Whether the present wave has opened the cell.
    pub(super) fn is_opened(&self, cell: &CellId) -> bool {
        let opened = self.cells.get(cell).and_then(|progress| progress.opened);
        opened.is_some_and(|(wave, _)| wave == self.wave)
    }

    /// Whether every host of the present wave in the cell is over, held for good, or waits for
    /// people, but for those that go after all others: no cell waits for them.
    pub(super) fn is_cell_over(&self, cell: &CellId) -> bool {
        self.wave_hosts(cell)
            .all(|host| self.is_settled(host) || self.is_behind(host))
    }
}
