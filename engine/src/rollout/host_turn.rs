//! Which hosts of the present wave go now: first those ahead, list by list, then the others, then
//! those behind, one by one.

use super::Rollout;
use crate::{
    hold::{Hold, Reason},
    id::{CellId, HostId},
    plan::PlannedWave,
    time::Timestamp,
};

/// Which hosts of a wave go now.
#[derive(Debug, Clone, Copy)]
pub(super) enum HostTurn<'a> {
    /// Those of a list ahead.
    Ahead(&'a [HostId]),
    /// Those that are neither ahead nor behind, as their cells open.
    Others,
    /// One of those behind.
    Behind(&'a HostId),
}

impl<'a> HostTurn<'a> {
    /// The hosts that go whatever the turn of their cell.
    pub(super) fn hosts(self) -> &'a [HostId] {
        match self {
            Self::Ahead(hosts) => hosts,
            Self::Others => &[],
            Self::Behind(host) => std::slice::from_ref(host),
        }
    }
}

impl Rollout {
    /// Which hosts of the present wave go now.
    pub(super) fn host_turn<'a>(&self, wave: &'a PlannedWave, now: Timestamp) -> HostTurn<'a> {
        let is_open = |host: &&HostId| !self.is_settled(host);
        let order = &wave.order;
        if let Some(hosts) = order
            .ahead
            .iter()
            .find(|hosts| hosts.iter().any(|h| is_open(&h)))
        {
            return HostTurn::Ahead(hosts);
        }
        let goes = |host: &&HostId| is_open(host) && !self.is_left_unknown(host, now);
        let mut behind = order.behind.iter().filter(goes);
        match behind.next() {
            Some(host) if self.unsettled(wave, now).is_none() => HostTurn::Behind(host),
            Some(_) | None => HostTurn::Others,
        }
    }

    /// Why hosts whose turn it is not yet wait.
    pub(super) fn hold_other_turns(
        &self,
        wave: &PlannedWave,
        turn: HostTurn<'_>,
        holds: &mut Vec<Hold>,
        now: Timestamp,
    ) {
        let HostTurn::Ahead(hosts) = turn else {
            return self.hold_behind(wave, turn, holds, now);
        };
        let Some(awaits) = hosts.iter().find(|host| !self.is_settled(host)) else {
            return;
        };
        let waits = |host: &HostId| !hosts.contains(host) && !self.is_settled(host);
        for (cell, _) in wave
            .slices
            .iter()
            .filter(|(_, slice)| slice.iter().any(waits))
        {
            let awaits = awaits.clone();
            holds.push(self.cell_hold(cell, Reason::CanaryTurn { awaits }));
        }
    }

    /// Why hosts that go after all others wait, but for the one whose turn it is.
    fn hold_behind(
        &self,
        wave: &PlannedWave,
        turn: HostTurn<'_>,
        holds: &mut Vec<Hold>,
        now: Timestamp,
    ) {
        let mut waiting = wave.order.behind.iter().collect::<Vec<_>>();
        waiting.retain(|host| !self.is_settled(host));
        if waiting.is_empty() {
            return;
        }
        let awaits = match turn {
            HostTurn::Ahead(_) | HostTurn::Others => self.unsettled(wave, now),
            HostTurn::Behind(host) => Some(host),
        };
        let Some(awaits) = awaits else { return };
        for host in waiting.into_iter().filter(|host| *host != awaits) {
            let awaits = awaits.clone();
            holds.push(self.host_hold(host, Reason::PatcherTurn { awaits }));
        }
    }

    /// Hosts whose turn it is not may be held for good: then that is said of them. Nor has a host its turn
    /// whose cell does not open, since all that it has of the wave is held or waits for people.
    pub(super) fn hold_convicted(
        &self,
        wave: &PlannedWave,
        turn: HostTurn<'_>,
        open: &[CellId],
        holds: &mut Vec<Hold>,
    ) {
        if self.convicted.is_empty() {
            return;
        }
        let has_turn = |cell: &CellId, host: &HostId| match turn {
            HostTurn::Others => open.contains(cell) && !wave.order.behind.contains(host),
            HostTurn::Ahead(_) | HostTurn::Behind(_) => turn.hosts().contains(host),
        };
        let hosts = self.open_hosts();
        let waiting = hosts.filter(|(cell, host)| self.is_of_wave(host) && !has_turn(cell, host));
        for (_, host) in waiting {
            let Some(stratum) = self.conviction_of(host) else {
                continue;
            };
            let stratum = stratum.to_string();
            holds.push(self.host_hold(host, Reason::Convicted { stratum }));
        }
    }

    /// The first host of a wave that is waited for, of those that are not behind.
    fn unsettled<'a>(&'a self, wave: &'a PlannedWave, now: Timestamp) -> Option<&'a HostId> {
        let mut hosts = self.open_hosts().map(|(_, host)| host);
        let is_done = |host: &HostId| self.is_settled(host) || self.is_left_unknown(host, now);
        hosts.find(|host| !is_done(host) && !wave.order.behind.contains(host))
    }

    /// Whether a host is over, held for good, or waits for people.
    pub(super) fn is_settled(&self, host: &HostId) -> bool {
        self.is_over(host) || self.is_held_for_good(host) || self.awaits_approval(host).is_some()
    }

    /// Whether a host of the present wave goes after all others.
    pub(super) fn is_behind(&self, host: &HostId) -> bool {
        self.present()
            .is_some_and(|wave| wave.order.behind.contains(host))
    }
}
