//! A world of one coordinator and its agents, as tests fill it, ask it, and break it.

mod calendar;
mod cord;
mod hosts;
mod reserve;
mod rollout;
mod script;
mod state;
mod trace;

pub(crate) use cofferdam_engine::rehearse::{
    Does, Step,
    world::{Agent, Boots, Crash, START, Skew},
};
pub(crate) use hosts::id;
pub(crate) use rollout::{CHAIN, NotStarted, file, operator, rollout_id};
pub(crate) use script::fails;

use cofferdam_engine::{policy::CELL_SIZE, rehearse::world};
use hosts::packages;
use script::Script;
use std::ops::{Deref, DerefMut};

/// A world whose hosts follow a script.
#[derive(Debug)]
pub(crate) struct World(world::World<Script>);

impl World {
    /// An empty world with a coordinator that runs.
    pub(crate) fn new() -> Self {
        Self::with_cells_of(CELL_SIZE)
    }

    /// The same, with cells of at most so many hosts.
    pub(crate) fn with_cells_of(size: usize) -> Self {
        let owner = world::Owner::with_cells_of(size).checked();
        let mut world = world::World::new(owner, Script::default());
        let packages = packages();
        world.owner.package_sets.insert(packages.digest(), packages);
        Self(world)
    }
}

impl Deref for World {
    type Target = world::World<Script>;
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for World {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}
