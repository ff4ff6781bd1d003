//! How long a rollout takes at least, by the limits that were set to it.
//!
//! Of `n` runs of which `w` may be under way at once and `s` apart, at least the longest of
//!
//! - all of them, shared out evenly: their sum by `w`,
//! - the `ceil(n / w)` shortest, one after the other: so many go through one of the `w` places,
//! - the last start and one run more, were all as short as the shortest, `r`: with `n - 1 = q w + p`
//!   that start is at `q r + p s`, or at `(n - 1) s` where `w s` is more than `r`.
//!
//! Of a cell that is taken for its hosts with `w` its `at_once_per_cell`, and for each capacity group
//! in it with `w` the group's allowance, each `start_spacing` apart; the longest counts. Cells open in
//! the plan's order, each as soon as fewer than `cells_at_once` work and a gap has passed; a region is
//! its zones, one after the other, a wave its turns, and at least the longest of the groups that have
//! members in several cells. In the first wave the second host of a stratum waits for its first: that
//! is two runs. Between waves lie their bakes; a wave without hosts has none.
//!
//! Hosts that go ahead of the others, or behind them, count apart, one list after the other: a cell that has
//! only such hosts is over when it has its turn, and no gap and no bake is for it.
//!
//! Runs last as long as in the rehearsal, tries again and ways back left out. Windows, freezes,
//! pauses and hosts that need an approval are no part of it, and neither is what groups that several cells share, or
//! strata that several hosts share, make wait for each other beyond that: with floors that bind
//! tighter than the pace, no schedule may come near to it.

use super::Modelled;
use crate::{
    floor::Group,
    id::{CellId, HostId},
    inventory::{Host, REGION, SERVICE, ZONE},
    plan::{Chain, Plan, PlannedWave, Turn, WideGroup},
    policy::FloorRule,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Region, zone and service.
type Place<'a> = (&'a str, &'a str, &'a str);

/// A rule, and the values of its labels that its group has.
type FloorGroup<'a> = (&'a FloorRule, Vec<&'a str>);

/// The hosts of each cell that go with the others of a wave, in their cell's turn. Cells without any are not
/// there.
type Others<'a> = BTreeMap<&'a CellId, Vec<&'a HostId>>;

/// The hosts of a wave that are of one group.
struct Members<'a> {
    /// One of them.
    first: &'a Host,
    /// How long the run of each takes.
    runs: Vec<Duration>,
}

/// What a plan's limits say of its hosts.
struct Limits<'a> {
    plan: &'a Plan,
    /// The hosts, each with how long its run takes.
    hosts: BTreeMap<&'a HostId, (&'a Host, Duration)>,
    /// How many of each capacity group may be out at once.
    allowances: BTreeMap<Place<'a>, usize>,
}

/// How long a plan takes at least. Hosts that are not given take no time.
pub(super) fn bound<'a>(
    plan: &'a Plan,
    hosts: impl Iterator<Item = &'a Host>,
    model: &'a Modelled,
) -> Duration {
    let groups = plan.blast.groups.iter();
    let allowances = groups.map(|group| {
        let name = (&*group.region, &*group.zone, &*group.service);
        (name, group.allowance)
    });
    let limits = Limits {
        plan,
        hosts: hosts
            .filter(|host| !plan.approvals.contains_key(&host.id))
            .map(|host| (&host.id, (host, model.run_lasts(host))))
            .collect(),
        allowances: allowances.collect(),
    };
    let waves = plan.waves.iter().enumerate();
    let waves = waves.filter(|(_, wave)| !wave.is_empty());
    let waves = waves.map(|(place, wave)| limits.of_wave(wave, place == 0));
    waves.fold(Duration::ZERO, Duration::saturating_add)
}

impl<'a> Limits<'a> {
    fn of_wave(&self, wave: &'a PlannedWave, is_first: bool) -> Duration {
        let ahead = wave.order.ahead.iter().map(|list| self.longest(list));
        let behind = wave.order.behind.iter().map(|host| self.run(host));
        let others = self.others(wave);
        let cells = others
            .iter()
            .map(|(cell, hosts)| (*cell, self.of_slice(cell, hosts)));
        let cells: BTreeMap<&CellId, Duration> = cells.collect();
        let turns = wave.opening.turns.iter();
        let turns = turns.filter(|turn| turn.cells().any(|cell| cells.contains_key(cell)));
        let gaps = times(wave.gap, turns.clone().count().saturating_sub(1));
        let turns: Duration = turns.map(|turn| of_turn(wave, turn, &cells)).sum();
        let mut lasts = turns.saturating_add(gaps).max(self.of_wide_groups(&others));
        if is_first && wave.order.ahead.is_empty() {
            lasts = lasts.max(self.of_second_hosts(&others));
        }
        let apart: Duration = ahead.chain(behind).sum();
        apart.saturating_add(lasts).saturating_add(wave.bake)
    }

    fn others(&self, wave: &'a PlannedWave) -> Others<'a> {
        let order = &wave.order;
        let apart: BTreeSet<&HostId> = order.ahead.iter().flatten().chain(&order.behind).collect();
        let waits =
            |host: &&HostId| !apart.contains(*host) && !self.plan.approvals.contains_key(*host);
        let slices = wave.slices.iter();
        let others = slices.map(|(cell, hosts)| (cell, hosts.iter().filter(waits).collect()));
        others
            .filter(|(_, hosts): &(_, Vec<_>)| !hosts.is_empty())
            .collect()
    }

    /// A cell's part of a wave.
    fn of_slice(&self, cell: &CellId, hosts: &[&'a HostId]) -> Duration {
        let Some(assignment) = self.plan.assignments.get(cell) else {
            return Duration::ZERO;
        };
        let (mut all, mut groups) = (Vec::new(), BTreeMap::<Place<'_>, Vec<Duration>>::new());
        for host in hosts {
            let run = self.run(host);
            all.push(run);
            groups.entry(self.group(host)).or_default().push(run);
        }
        let spacing = assignment.pace.start_spacing;
        let of_groups = groups.into_iter().map(|(group, runs)| {
            let allowance = self.allowances.get(&group).copied();
            least(runs, allowance.unwrap_or(usize::MAX), spacing)
        });
        let of_all = least(all, assignment.pace.at_once_per_cell, spacing);
        of_groups.fold(of_all, Duration::max)
    }

    /// The groups that have members in several cells: the longest counts.
    fn of_wide_groups(&self, others: &Others<'a>) -> Duration {
        if self.plan.blast.wide.is_empty() {
            return Duration::ZERO;
        }
        let groups = self.floor_groups(others).into_iter();
        let wide = groups.filter_map(|((rule, _), of)| {
            let group = Group::of(rule, of.first);
            let is_it = |wide: &&WideGroup| {
                wide.group == group.name
                    && wide.region == group.region
                    && wide.min_in_service == rule.min_in_service
            };
            let wide = self.plan.blast.wide.iter().find(is_it)?;
            Some(least(of.runs, wide.allowance, Duration::ZERO))
        });
        wide.max().unwrap_or_default()
    }

    /// The hosts of a wave by the groups that floors make of them: by rule and the values of its labels.
    fn floor_groups(&self, others: &Others<'a>) -> BTreeMap<FloorGroup<'_>, Members<'_>> {
        let mut groups: BTreeMap<FloorGroup<'_>, Members<'_>> = BTreeMap::new();
        for (cell, hosts) in others {
            let assignment = self.plan.assignments.get(cell);
            for floor in assignment.into_iter().flat_map(|of| &of.floors) {
                let labels = floor.rule.group_by.iter().map(String::as_str);
                // Zones of two regions may have one name.
                let labels = labels.chain(floor.rule.names(ZONE).then_some(REGION));
                let bound = hosts.iter().filter(|host| floor.hosts.contains(*host));
                for (host, run) in bound.filter_map(|host| self.hosts.get(*host)) {
                    let values = labels.clone().map(|label| host.value(label));
                    let values = values.map(Option::unwrap_or_default).collect();
                    let members = groups.entry((&floor.rule, values));
                    let members = members.or_insert(Members {
                        first: host,
                        runs: Vec::new(),
                    });
                    members.runs.push(*run);
                }
            }
        }
        groups
    }

    /// Two of the shortest runs of a wave in which nobody goes ahead, where a stratum has a second host. Else
    /// nothing.
    fn of_second_hosts(&self, others: &Others<'a>) -> Duration {
        let hosts = || others.values().flatten();
        let mut seen = BTreeSet::new();
        let planned = hosts().filter_map(|host| self.plan.hosts.get(*host));
        let mut strata = planned.flat_map(|planned| &planned.strata);
        let has_second = strata.any(|stratum| !seen.insert(stratum));
        let shortest = hosts().map(|host| self.run(host)).min();
        times(shortest.unwrap_or_default(), if has_second { 2 } else { 0 })
    }

    fn group(&self, host: &HostId) -> Place<'a> {
        let label = |name| {
            let host = self.hosts.get(host);
            host.and_then(|(host, _)| host.value(name))
                .unwrap_or_default()
        };
        (label(REGION), label(ZONE), label(SERVICE))
    }

    fn run(&self, host: &HostId) -> Duration {
        let host = self.hosts.get(host);
        host.map_or(Duration::ZERO, |(_, run)| *run)
    }

    fn longest(&self, hosts: &[HostId]) -> Duration {
        let runs = hosts.iter().map(|host| self.run(host));
        runs.max().unwrap_or_default()
    }
}

/// The regions of a turn, side by side as far as `cells_at_once` lets them.
fn of_turn(wave: &PlannedWave, turn: &Turn, cells: &BTreeMap<&CellId, Duration>) -> Duration {
    let regions = turn
        .chains
        .iter()
        .map(|chain| of_region(wave, chain, cells));
    regions.fold(side_by_side(wave, turn.cells(), cells), Duration::max)
}

/// The zones of a region, one after the other.
fn of_region(wave: &PlannedWave, chain: &Chain, cells: &BTreeMap<&CellId, Duration>) -> Duration {
    let has_part = |zone: &&Vec<CellId>| zone.iter().any(|cell| cells.contains_key(cell));
    let zones = chain.zones.iter().filter(has_part);
    let between = zones.clone().count().saturating_sub(1);
    let zones: Duration = zones
        .map(|zone| side_by_side(wave, zone.iter(), cells))
        .sum();
    zones.saturating_add(times(wave.gap.max(wave.zone_bake), between))
}

/// Cells of which `cells_at_once` work at once, each opened in its turn once another is over.
fn side_by_side<'c>(
    wave: &PlannedWave,
    cells: impl Iterator<Item = &'c CellId>,
    lasts: &BTreeMap<&CellId, Duration>,
) -> Duration {
    // When each place is free again.
    let mut places: Vec<Duration> = Vec::new();
    for lasts in cells.filter_map(|cell| lasts.get(cell).copied()) {
        if places.len() < wave.cells_at_once.max(1) {
            places.push(lasts);
        } else if let Some(place) = places.iter_mut().min() {
            *place = place.saturating_add(wave.gap).saturating_add(lasts);
        }
    }
    places.into_iter().max().unwrap_or_default()
}

/// How long runs take at least of which so many may be under way at once, begun so far apart.
fn least(mut runs: Vec<Duration>, at_once: usize, spacing: Duration) -> Duration {
    runs.sort_unstable();
    let (Some(&shortest), Some(&longest)) = (runs.first(), runs.last()) else {
        return Duration::ZERO;
    };
    let at_once = at_once.clamp(1, runs.len());
    let rounds = runs.len().div_ceil(at_once);
    let last = runs.len() - 1;
    let last_start = match times(spacing, at_once) > shortest {
        true => times(spacing, last),
        false => times(shortest, last / at_once) + times(spacing, last % at_once),
    };
    let all: Duration = runs.iter().sum();
    let evenly = all / u32::try_from(at_once).unwrap_or(u32::MAX);
    let through_one: Duration = runs.iter().take(rounds).sum();
    longest
        .max(evenly)
        .max(through_one)
        .max(last_start + shortest)
}

fn times(duration: Duration, count: usize) -> Duration {
    duration.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn what_runs_take_at_least_follows_the_tightest_limit() {
        let half = Duration::from_millis(500);
        for (count, run, at_once, spacing, lasts) in [
            (0, 30, 5, half, secs(0)),
            (1, 30, 5, half, secs(30)),
            // Nine rounds of 50, and the last start of the tenth 24.5 s into it.
            (500, 30, 50, half, Duration::from_millis(324_500)),
            // Rounds.
            (19, 30, 2, Duration::ZERO, secs(300)),
            // Starts.
            (100, 10, 50, secs(1), secs(109)),
        ] {
            let runs = vec![secs(run); count];
            assert_eq!(least(runs, at_once, spacing), lasts, "{count} runs");
        }
    }

    #[test]
    fn runs_that_differ_are_shared_out_and_the_longest_counts() {
        let runs = |all: &[u64]| all.iter().map(|run| secs(*run)).collect();
        assert_eq!(least(runs(&[10, 20, 30, 40]), 2, Duration::ZERO), secs(50));
        assert_eq!(least(runs(&[1, 1, 90]), 2, Duration::ZERO), secs(90));
    }
}
