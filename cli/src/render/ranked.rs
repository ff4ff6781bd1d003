//! Hosts in order of how they stand, the worst first, with how many stand how: of 25,000 the few that a person has
//! to look at come first, and can be asked for alone.

use crate::render::{hosts::NO_HOSTS, table::counted};
use clap::ValueEnum;
use cofferdam_engine::time::Timestamp;
use cofferdam_proto::operator::HostView;
use serde::Serialize;
use std::{cmp::Reverse, collections::BTreeMap};

/// One way in which hosts stand, the worst first.
pub trait Standing: Copy + Ord + ValueEnum {
    /// How a host stands. It may in several ways, and in one at least.
    fn of(host: &HostView) -> Vec<Self>;

    /// Which of hosts that stand alike comes first: the one with the most of this.
    fn weight(host: &HostView) -> u64;
}

/// Hosts, the worst first, and those that are alike in order of their names.
#[derive(Debug, Serialize)]
pub struct Ranked<S: Ord> {
    /// Those that were asked for.
    pub hosts: Vec<HostView>,
    /// How many of all stand in which way. One may be counted in several.
    pub counts: BTreeMap<S, usize>,
    /// How many all are.
    pub all: usize,
    /// The moment at which they are looked at.
    #[serde(skip)]
    pub now: Timestamp,
}

impl<S: Standing> Ranked<S> {
    /// Ranks hosts. Of those that stand in none of some ways only the number stays, unless these are none.
    pub fn new(hosts: Vec<HostView>, only: &[S], now: Timestamp) -> Self {
        let all = hosts.len();
        let mut counts = BTreeMap::new();
        let mut ranked = Vec::new();
        for host in hosts {
            let standings = S::of(&host);
            for standing in &standings {
                *counts.entry(*standing).or_default() += 1;
            }
            if only.is_empty() || standings.iter().any(|standing| only.contains(standing)) {
                let worst = standings.into_iter().min();
                ranked.push((worst, Reverse(S::weight(&host)), host));
            }
        }
        ranked.sort_by(|one, other| {
            let key = |(worst, weight, host): &(Option<S>, Reverse<u64>, HostView)| {
                (*worst, *weight, host.host.clone())
            };
            key(one).cmp(&key(other))
        });
        Self {
            hosts: ranked.into_iter().map(|(_, _, host)| host).collect(),
            counts,
            all,
            now,
        }
    }

    /// A table of them with what else is told, and how many stand how.
    pub(super) fn shown(&self, table: impl FnOnce() -> String) -> String {
        if self.all == 0 {
            return NO_HOSTS.to_owned();
        }
        let table = match self.hosts.is_empty() {
            true => String::new(),
            false => table() + "\n",
        };
        let counts = self.counts.iter().map(|(standing, number)| {
            let value = standing.to_possible_value();
            let name = value.as_ref().map_or("", |value| value.get_name());
            format!("{number} {name}")
        });
        let counts = counts.collect::<Vec<_>>().join(", ");
        let all = counted(self.all, "host");
        let which = match self.hosts.len() {
            shown if shown == self.all => all,
            shown => format!("{shown} of {all}"),
        };
        format!("{table}{which}: {counts}\n")
    }
}
