//! The package sets of the selected hosts: hosts of one set answer alike, so one of them is asked.

use cofferdam_engine::{
    cell::Member, digest::Digest, fleet::Fleet, id::HostId, inventory::Platform, select::Selection,
};
use std::{cmp::Reverse, collections::BTreeMap};

/// The hosts of one platform that have one package set.
#[derive(Debug)]
pub(super) struct Set {
    pub(super) hosts: usize,
    /// One that can be asked.
    pub(super) connected: Option<HostId>,
}

/// The package sets of each platform, those of most hosts first.
pub(super) fn sets(fleet: &Fleet, selection: &Selection) -> BTreeMap<Platform, Vec<Set>> {
    let members = fleet
        .cells()
        .values()
        .flat_map(|cell| cell.members().values());
    let mut kinds: BTreeMap<Platform, BTreeMap<Digest, Vec<&Member>>> = BTreeMap::new();
    for member in members.filter(|member| selection.matches(&member.host)) {
        let facts = &member.host.facts;
        let sets = kinds.entry(facts.platform.clone()).or_default();
        sets.entry(facts.packages).or_default().push(member);
    }
    let set = |members: Vec<&Member>| Set {
        hosts: members.len(),
        connected: members
            .into_iter()
            .find(|member| member.is_connected())
            .map(|member| member.host.id.clone()),
    };
    let of_platform = |sets: BTreeMap<Digest, Vec<&Member>>| {
        let mut sets: Vec<Set> = sets.into_values().map(set).collect();
        sets.sort_by_key(|set| Reverse(set.hosts));
        sets
    };
    kinds
        .into_iter()
        .map(|(platform, sets)| (platform, of_platform(sets)))
        .collect()
}

/// Whom to ask: one connected host of each set, of so many sets at most.
pub(super) fn to_ask(sets: &[Set], most: usize) -> Vec<HostId> {
    let connected = sets.iter().filter_map(|set| set.connected.clone());
    connected.take(most).collect()
}
