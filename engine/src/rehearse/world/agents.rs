//! The agents of a world: by name for who asks, by number for what is under way, so that what happens to
//! one of a million hosts is found without comparing names.

use super::Agent;
use crate::{by_name::ByHost, id::HostId};
use std::ops::Index;

/// The how-manieth an agent joined its world, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Number(u32);

impl Number {
    fn place(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// All agents.
#[derive(Debug, Default)]
pub struct Agents {
    numbers: ByHost<Number>,
    all: Vec<Agent>,
}

impl Agents {
    /// Puts an agent there, in the place of one of the same name.
    pub(super) fn insert(&mut self, agent: Agent) -> Number {
        if let Some(number) = self.number(&agent.host.id) {
            self.all[number.place()] = agent;
            return number;
        }
        let number = Number(u32::try_from(self.all.len()).unwrap_or(u32::MAX));
        self.numbers.insert(agent.host.id.clone(), number);
        self.all.push(agent);
        number
    }

    /// The number of a host's agent.
    pub fn number(&self, host: &HostId) -> Option<Number> {
        self.numbers.get(host).copied()
    }

    /// The agent of a number.
    pub fn at(&self, number: Number) -> Option<&Agent> {
        self.all.get(number.place())
    }

    /// The agent of a number, which may change.
    pub(super) fn at_mut(&mut self, number: Number) -> Option<&mut Agent> {
        self.all.get_mut(number.place())
    }

    /// The agent of a host.
    pub fn get(&self, host: &HostId) -> Option<&Agent> {
        self.at(self.number(host)?)
    }

    /// The agent of a host, which may change.
    pub fn get_mut(&mut self, host: &HostId) -> Option<&mut Agent> {
        self.at_mut(self.number(host)?)
    }

    /// Whether there is an agent of a host.
    pub fn contains_key(&self, host: &HostId) -> bool {
        self.numbers.contains_key(host)
    }

    /// The names of all hosts, in order.
    pub fn keys(&self) -> impl Iterator<Item = &HostId> {
        self.numbers.keys()
    }

    /// All agents, in the order of their hosts' names.
    pub fn values(&self) -> impl Iterator<Item = &Agent> + Clone {
        self.numbered().map(|(_, agent)| agent)
    }

    /// The same, with the names.
    pub fn iter(&self) -> impl Iterator<Item = (&HostId, &Agent)> {
        self.values().map(|agent| (&agent.host.id, agent))
    }

    /// The same, with their numbers.
    pub fn numbered(&self) -> impl Iterator<Item = (Number, &Agent)> + Clone {
        let numbers = self.numbers.values().copied();
        numbers.filter_map(|number| Some((number, self.at(number)?)))
    }
}

impl Index<&HostId> for Agents {
    type Output = Agent;

    fn index(&self, host: &HostId) -> &Agent {
        &self.all[self.numbers[host].place()]
    }
}

/// Something that is known of each agent of which it was noted, by their numbers.
#[derive(Debug)]
pub struct ByNumber<T>(Vec<Option<T>>);

impl<T> Default for ByNumber<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> ByNumber<T> {
    /// What is known of one. Nothing: it was not noted, or was forgotten.
    pub fn get(&self, number: Number) -> Option<&T> {
        self.0.get(number.place())?.as_ref()
    }

    /// The same, which may change.
    pub fn get_mut(&mut self, number: Number) -> Option<&mut T> {
        self.0.get_mut(number.place())?.as_mut()
    }

    /// Notes it.
    pub fn insert(&mut self, number: Number, known: T) {
        let place = number.place();
        if place >= self.0.len() {
            self.0.resize_with(place + 1, || None);
        }
        self.0[place] = Some(known);
    }

    /// Forgets it. What it was.
    pub fn remove(&mut self, number: Number) -> Option<T> {
        self.0.get_mut(number.place())?.take()
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}
