//! Which hosts each cell of the present wave may start now.

use super::{
    CellProgress, Rollout, RolloutCommand, Wish,
    host_turn::HostTurn,
    suspect::{Barred, Docket},
};
use crate::{
    hold::{Hold, Reason},
    id::{CellId, HostId},
    order::Direction,
    plan::PlannedWave,
    time::Timestamp,
};
use std::collections::BTreeSet;

/// What each cell may start, and why the rest may not.
pub(super) struct Grants {
    /// What cells are told. Cells that have all of it already are told nothing.
    pub(super) warrants: Vec<RolloutCommand>,
    /// Why the rest waits.
    pub(super) holds: Vec<Hold>,
}

/// Whose turn it is in the present wave.
struct Turns<'a> {
    wave: &'a PlannedWave,
    hosts: HostTurn<'a>,
    cells: Vec<CellId>,
    opinion: Option<HostId>,
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
            warrants: Vec::new(),
            holds: Vec::new(),
        };
        let opinion = docket.next_opinion();
        let hosts = self.host_turn(wave, now);
        self.hold_other_turns(wave, hosts, &mut grants.holds, now);
        let cells = match hosts {
            HostTurn::Others => self.open_cells(wave, &mut grants.holds, now),
            HostTurn::Ahead(_) | HostTurn::Behind(_) => Vec::new(),
        };
        self.hold_convicted(wave, hosts, &cells, &mut grants.holds);
        let turns = Turns {
            wave,
            hosts,
            cells,
            opinion,
        };
        // Hosts that do not wait for their cell's turn do not open it to others.
        let alone = self.own_turns_now().chain(hosts.hosts());
        let alone = alone.chain(&turns.opinion);
        let alone = alone.filter_map(|host| Some(&self.plan.hosts.get(host)?.cell));
        let alone = alone.filter(|cell| !turns.cells.contains(cell));
        for cell in alone.collect::<BTreeSet<_>>() {
            let goes_now = |host: &&HostId| !self.waits_for_cell(host, hosts);
            let candidates = self.wave_hosts(cell).filter(goes_now);
            self.grant_cell(cell, candidates, &turns, docket, &mut grants, now);
        }
        let has_opinion = turns.opinion.is_some();
        let is_wanted = |cell: &&CellId| has_opinion || !self.needs_nothing(cell);
        for cell in turns.cells.iter().filter(is_wanted) {
            let candidates = self.wave_hosts(cell).filter(|host| !self.is_behind(host));
            self.grant_cell(cell, candidates, &turns, docket, &mut grants, now);
        }
        grants
    }

    fn grant_cell<'a>(
        &'a self,
        cell: &CellId,
        candidates: impl Iterator<Item = &'a HostId>,
        turns: &'a Turns<'_>,
        docket: &mut Docket<'_>,
        grants: &mut Grants,
        now: Timestamp,
    ) {
        let opinion = turns.opinion.as_ref();
        let opinion_here = opinion.filter(|host| {
            let planned = self.plan.hosts.get(*host);
            planned.is_some_and(|planned| planned.cell == *cell)
        });
        if self.is_silent(cell) || (opinion_here.is_none() && self.has_its_leave(cell)) {
            return;
        }
        let progress = self.cells.get(cell);
        let already = progress.and_then(CellProgress::granted).unwrap_or_default();
        let granted: BTreeSet<&HostId> = already.iter().collect();
        let mut hosts: Vec<HostId> = already
            .iter()
            .filter(|host| !self.is_over(host) && self.awaits_approval(host).is_none())
            .cloned()
            .collect();
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
            let opinion = opinion_here.filter(|host| !granted.contains(host));
            let warrant = self.warrant_in_turn(cell, hosts, opinion, turns);
            grants.warrants.push(warrant);
        }
    }

    /// Whether a cell has all the leave that there is for the present wave, and none that it must not have:
    /// where nobody speaks of single hosts, none is taken back.
    fn has_its_leave(&self, cell: &CellId) -> bool {
        let is_plain = self.exceptions.is_empty() && self.plan.approvals.is_empty();
        let goes = matches!(
            self.cells.get(cell).map(|progress| &progress.wish),
            Some(Wish::Start { .. })
        );
        let waits_for_none = goes || self.open_hosts_of(cell).next().is_none();
        is_plain && waits_for_none && self.has_all_granted(cell)
    }

    /// Whether a cell has no host of the present wave that is not over, where nobody speaks of single hosts.
    fn needs_nothing(&self, cell: &CellId) -> bool {
        let is_plain = self.exceptions.is_empty() && self.plan.approvals.is_empty();
        is_plain && self.open_hosts_of(cell).next().is_none()
    }

    /// The leave to start hosts, and whose turn that is: the cell's, or that of an opinion alone.
    fn warrant_in_turn(
        &self,
        cell: &CellId,
        hosts: Vec<HostId>,
        opinion: Option<&HostId>,
        turns: &Turns<'_>,
    ) -> RolloutCommand {
        let is_turn = turns.cells.contains(cell);
        let is_alone = |host: &&HostId| {
            let goes_with_cell = is_turn && self.is_of_wave(host);
            hosts.contains(host) && !goes_with_cell && self.waits_for_cell(host, turns.hosts)
        };
        let opinion = opinion.filter(is_alone).cloned();
        let opens = |host: &HostId| {
            self.is_of_wave(host) && !self.has_own_turn(host) && !turns.wave.order.names(host)
        };
        let opens = is_turn && hosts.iter().any(opens);
        RolloutCommand::Warrant {
            warrant: self.leave(cell, hosts, Direction::Patch),
            opens,
            opinion,
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

    /// Whether the present wave is a host's own.
    pub(super) fn is_of_wave(&self, host: &HostId) -> bool {
        let planned = self.plan.hosts.get(host);
        planned.is_some_and(|planned| planned.wave == self.wave)
    }

    /// Whether every host of the present wave in the cell is over, held for good, or waits for
    /// people, but for those that go after all others: no cell waits for them.
    pub(super) fn is_cell_over(&self, cell: &CellId) -> bool {
        let mut open = self.open_hosts_of(cell);
        open.all(|host| {
            let waits_for_people = || self.awaits_approval(host).is_some();
            self.is_held_for_good(host) || self.is_behind(host) || waits_for_people()
        })
    }
}
