//! Clocks that go wrong: how far a process's own time stands from the world's.
//!
//! A process takes its host's wall clock when it anchors its own time, an agent at a boot and a coordinator at a
//! start, and goes on with what it took until the next one; no time lies before what it stored.

use super::{super::Model, Number, World};
use crate::{id::HostId, time::Timestamp};
use std::{collections::BTreeMap, time::Duration};

/// How far a clock is ahead of the world's time, in milliseconds. Negative: it is behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Skew(pub i64);

impl Skew {
    /// What the clock says at a moment of the world.
    pub(super) fn read(self, now: Timestamp) -> Timestamp {
        Timestamp(now.0.saturating_add_signed(self.0))
    }

    /// The same clock, set forward where it said less than `least` now.
    fn not_before(self, least: Timestamp, now: Timestamp) -> Self {
        let needed = i128::from(least.0) - i128::from(now.0);
        let needed = i64::try_from(needed).unwrap_or(i64::MAX);
        Self(self.0.max(needed))
    }
}

/// What the wall clocks of hosts say, apart from what processes took over from them. One that is not there
/// says what the world says.
#[derive(Debug, Default)]
pub(super) struct Walls {
    agents: BTreeMap<Number, Skew>,
    owner: Skew,
}

impl<M: Model> World<M> {
    /// Sets the wall clock of a host. Its agent goes by it from its next boot on.
    pub fn set_clock(&mut self, host: &HostId, skew: Skew) {
        let agent = self.number_of(host);
        self.walls.agents.insert(agent, skew);
    }

    /// Sets the wall clock of the coordinator's host. It goes by it from its next start on.
    pub fn set_owner_clock(&mut self, skew: Skew) {
        self.walls.owner = skew;
    }

    /// The moment by the coordinator's clock.
    pub(super) fn owner_now(&self) -> Timestamp {
        self.owner.skew.read(self.now)
    }

    /// How long until a moment of the coordinator's clock.
    pub(super) fn until_owners(&self, moment: Timestamp) -> Duration {
        moment.since(self.owner_now())
    }

    /// The coordinator starts on its host, and takes the time from it.
    pub(super) fn owner_starts(&mut self) {
        let wall = self.walls.owner;
        self.owner.skew = wall.not_before(self.owner.stored_at, self.now);
        let now = self.owner_now();
        self.owner.start(now);
    }

    /// The moment by an agent's clock.
    pub(super) fn agent_now(&self, agent: Number) -> Timestamp {
        let skew = self.agents.at(agent).map(|agent| agent.skew);
        skew.unwrap_or_default().read(self.now)
    }

    /// An agent starts on its host; in a new boot it takes the time from it.
    pub(super) fn anchor(&mut self, agent: Number) {
        let wall = self.walls.agents.get(&agent).copied();
        let now = self.now;
        let Some(starts) = self.agents.at_mut(agent) else {
            return;
        };
        if starts.anchored == starts.boot {
            return;
        }
        starts.anchored = starts.boot;
        let journal = starts.journal.run.as_ref().map(|run| run.entered_at());
        let latest = journal.unwrap_or_default();
        starts.skew = wall.unwrap_or_default().not_before(latest, now);
    }
}
