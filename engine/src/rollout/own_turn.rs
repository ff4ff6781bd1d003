//! Hosts that have their turn in a wave by themselves: they do not wait for their cell's, and do not
//! open it to others.

use super::{Rollout, host_turn::HostTurn};
use crate::id::{CellId, HostId, WaveIndex};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The turn that a host has by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnTurn {
    /// In which wave. What becomes of the host counts there.
    pub wave: WaveIndex,
    /// Why.
    pub why: WhyOwnTurn,
}

/// Why a host has its turn by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhyOwnTurn {
    /// It is asked for a second opinion, before its cell has its turn or its wave has come.
    Opinion,
    /// An earlier wave was over with it, and it is tried again: an operator asked for that, or it was
    /// away and is back.
    Again,
    /// An earlier wave put it off until somebody approved it, which somebody did, or which it needs no
    /// more.
    PutOff,
    /// It was at work when it turned out that an earlier wave had gone on without it.
    AtWork,
}

impl Rollout {
    /// Hosts that have or had their turn in a wave by themselves.
    pub fn own_turns(&self) -> &BTreeMap<HostId, OwnTurn> {
        &self.own_turns
    }

    /// Gives a host its turn in the present wave.
    pub(super) fn give_turn(&mut self, host: &HostId, why: WhyOwnTurn) {
        let wave = self.wave;
        self.own_turns.insert(host.clone(), OwnTurn { wave, why });
        self.open.forget();
    }

    /// Hosts that have their turn in the present wave by themselves.
    pub(super) fn own_turns_now(&self) -> impl Iterator<Item = &HostId> {
        let turns = self.own_turns.iter();
        let now = turns.filter(|(_, turn)| turn.wave == self.wave);
        now.map(|(host, _)| host)
    }

    /// Whether a host of the present wave waits until its cell has its turn.
    pub(super) fn waits_for_cell(&self, host: &HostId, turn: HostTurn<'_>) -> bool {
        !self.has_own_turn(host) && !turn.hosts().contains(host)
    }

    /// Whether a host has its turn in the present wave by itself.
    pub(super) fn has_own_turn(&self, host: &HostId) -> bool {
        let turn = self.own_turns.get(host);
        turn.is_some_and(|turn| turn.wave == self.wave)
    }

    /// Whether what became of a host was counted in an earlier wave, which it had its turn in.
    pub(super) fn was_counted(&self, host: &HostId) -> bool {
        let turn = self.own_turns.get(host);
        turn.is_some_and(|turn| turn.wave < self.wave)
    }

    /// Hosts of other waves in a cell that have their turn in the present one.
    pub(super) fn guests<'a>(&'a self, cell: &'a CellId) -> impl Iterator<Item = &'a HostId> {
        self.own_turns_now().filter(move |host| {
            let planned = self.plan.hosts.get(*host);
            planned.is_some_and(|p| p.cell == *cell && p.wave != self.wave)
        })
    }

    /// All of them, of every cell.
    pub(super) fn all_guests(&self) -> impl Iterator<Item = &HostId> {
        self.own_turns_now().filter(|host| {
            let planned = self.plan.hosts.get(*host);
            planned.is_some_and(|planned| planned.wave != self.wave)
        })
    }

    /// Forgets the turns that came to nothing in a wave that has passed: the hosts have that of their
    /// own wave, or get another.
    pub(super) fn forget_unused_turns(&mut self) {
        let turns = std::mem::take(&mut self.own_turns);
        let used = turns.into_iter().filter(|(host, _)| self.is_settled(host));
        self.own_turns = used.collect();
        self.open.forget();
    }
}
