//! Which wave takes which host, and in which order its hosts start.

use super::{
    HostOrder, Opening, PlannedWave, Warning, coverage,
    planned::Planned,
    region::{RegionOrder, Regions},
    selected::{Chosen, Common, Mark, Selected},
};
use crate::{
    id::{CellId, WaveIndex},
    spec::{Spec, Wave, WaveSize},
};
use std::collections::{BTreeMap, BTreeSet};

/// Hands selected hosts to waves, wave by wave.
#[derive(Debug)]
pub(super) struct Waves<'s, 'a> {
    selected: &'s Chosen<'a>,
    /// The selected hosts, by place, in the order in which waves take them: from any point on, each
    /// cell has given its share.
    spread: Vec<usize>,
    /// The wave of each selected host. Nothing: none yet.
    taken: Vec<Option<WaveIndex>>,
    pub(super) warnings: Vec<Warning>,
}

impl<'s, 'a> Waves<'s, 'a> {
    /// Lets every wave of a rollout take its hosts. `strata` is how many there are.
    pub(super) fn take(spec: &Spec, selected: &'s Chosen<'a>, strata: usize) -> Self {
        let mut waves = Self {
            selected,
            spread: spread(selected),
            taken: vec![None; selected.hosts.len()],
            warnings: Vec::new(),
        };
        let last = spec.waves().len().saturating_sub(1);
        for (place, (wave, index)) in spec.waves().iter().zip(0..).enumerate() {
            let is_last = place == last;
            waves.take_wave(wave, WaveIndex(index), is_last, strata);
        }
        waves
    }

    /// The hosts that some wave takes.
    pub(super) fn planned(&self) -> Planned<'s, 'a> {
        Planned::of(self.selected, &self.taken)
    }

    fn take_wave(&mut self, wave: &Wave, index: WaveIndex, is_last: bool, strata: usize) {
        let candidates = self.candidates(wave);
        let due = self.due(&candidates, index, is_last);
        let mut chosen = self.up_to(wave.size, &candidates, &due);
        if index == WaveIndex(0) {
            let sized = chosen.len();
            chosen = self.covered(wave.size, &due, chosen, strata);
            if chosen.len() > sized {
                self.warnings.push(Warning::CanaryGrew {
                    wave: wave.name.clone(),
                    takes: chosen.len(),
                    sized,
                });
            }
        }
        if chosen.is_empty() {
            self.warnings.push(Warning::EmptyWave {
                wave: wave.name.clone(),
            });
        }
        for place in chosen {
            self.taken[place] = Some(index);
        }
    }

    /// The hosts that a wave is for.
    fn candidates(&self, wave: &Wave) -> Vec<usize> {
        let Some(selection) = &wave.selection else {
            return self.spread.clone();
        };
        let classes = self.selected.classes.iter();
        let is_for: Vec<bool> = classes.map(|class| selection.matches(class.host)).collect();
        let spread = self.spread.iter().copied();
        spread
            .filter(|place| is_for[self.common(*place).place])
            .collect()
    }

    /// What a host has in common with others.
    fn common(&self, place: usize) -> &Common<'a> {
        &self.selected.hosts[place].common
    }

    /// The candidates that a wave may take: in the first one validators before others and ready hosts
    /// before those that are not, and the patcher's own hosts in the last one only, after all others.
    fn due(&self, candidates: &[usize], index: WaveIndex, is_last: bool) -> Vec<usize> {
        let is_first = index == WaveIndex(0);
        let mut due = Vec::with_capacity(candidates.len());
        let (mut others, mut unready, mut behind) = (Vec::new(), Vec::new(), Vec::new());
        for place in candidates {
            let is_put_off = is_first && !self.selected.hosts[*place].is_ready;
            match self.common(*place).mark {
                Some(Mark::Patcher) if is_last => behind.push(*place),
                Some(Mark::Patcher) => {}
                Some(Mark::Validator) | None if is_put_off => unready.push(*place),
                Some(Mark::Validator) if is_first => due.push(*place),
                Some(Mark::Validator) | None => others.push(*place),
            }
        }
        due.append(&mut others);
        due.append(&mut unready);
        due.append(&mut behind);
        due
    }

    /// The due candidates that no wave took yet, as far as a size goes.
    fn up_to(&self, size: WaveSize, candidates: &[usize], due: &[usize]) -> Vec<usize> {
        let is_free = |place: &usize| self.taken[*place].is_none();
        let free = due.iter().copied().filter(is_free);
        let count = match size {
            WaveSize::To(share) => share.of_rounded_up(candidates.len()),
            WaveSize::Hosts(count) => count,
            WaveSize::CellsPerRegion(count) => {
                let cells = self.first_cells(count, candidates);
                return free
                    .filter(|place| cells.contains(self.common(*place).cell))
                    .collect();
            }
        };
        let taken = candidates.iter().filter(|place| !is_free(place)).count();
        free.take(count.saturating_sub(taken)).collect()
    }

    /// The first wave's hosts: enough to have one of every stratum, and every validator, as far as
    /// a size in hosts allows; then, of those that its size gives, others until they are as many: first a second
    /// one of every stratum, so that the second opinion is at hand, then `sized`. Cells are taken whole,
    /// whatever more it takes.
    fn covered(
        &self,
        size: WaveSize,
        candidates: &[usize],
        sized: Vec<usize>,
        strata: usize,
    ) -> Vec<usize> {
        let mut chosen = match size {
            WaveSize::CellsPerRegion(_) => self.cover_beside(&sized, candidates, strata),
            WaveSize::To(_) | WaveSize::Hosts(_) => self.cover(candidates, strata),
        };
        let firsts: BTreeSet<usize> = chosen.iter().copied().collect();
        let is_validator = |place: &usize| self.common(*place).mark == Some(Mark::Validator);
        chosen.extend(without(&firsts, candidates.iter().copied()).filter(is_validator));
        match size {
            WaveSize::Hosts(most) => chosen.truncate(most),
            WaveSize::CellsPerRegion(_) => return chosen,
            WaveSize::To(_) => {}
        }
        let room = |chosen: &[usize]| sized.len().saturating_sub(chosen.len());
        let more = room(&chosen);
        if more > 0 {
            let firsts: BTreeSet<usize> = chosen.iter().copied().collect();
            let others: Vec<usize> = without(&firsts, candidates.iter().copied()).collect();
            chosen.extend(self.cover(&others, strata).into_iter().take(more));
        }
        let taken: BTreeSet<usize> = chosen.iter().copied().collect();
        let more = room(&chosen);
        chosen.extend(without(&taken, sized.iter().copied()).take(more));
        chosen
    }

    /// Some hosts, and of the candidates those that have the strata which none of them has.
    fn cover_beside(&self, hosts: &[usize], candidates: &[usize], strata: usize) -> Vec<usize> {
        let mut chosen = hosts.to_vec();
        let of = chosen.iter().flat_map(|place| &self.common(*place).strata);
        let mut covered: BTreeSet<u32> = of.copied().collect();
        for place in self.cover(candidates, strata) {
            let of = &self.common(place).strata;
            if of.iter().any(|stratum| !covered.contains(stratum)) {
                covered.extend(of);
                chosen.push(place);
            }
        }
        chosen
    }

    /// The fewest of the candidates that have one of every stratum of theirs.
    fn cover(&self, candidates: &[usize], strata: usize) -> Vec<usize> {
        let hosts: Vec<_> = candidates.iter().map(|place| self.common(*place)).collect();
        let chosen = coverage::cover(&hosts, strata).into_iter();
        chosen.map(|candidate| candidates[candidate]).collect()
    }

    /// The first so many cells of each region that have candidates: one of each zone in turn, the
    /// smallest first.
    fn first_cells(&self, count: usize, candidates: &[usize]) -> BTreeSet<&'a CellId> {
        let mut sizes: BTreeMap<(&str, &str, &'a CellId), usize> = BTreeMap::new();
        for place in candidates {
            let Common { home, cell, .. } = self.common(*place);
            *sizes.entry((home.region, home.zone, cell)).or_default() += 1;
        }
        let mut zones: BTreeMap<(&str, &str), Vec<(usize, &'a CellId)>> = BTreeMap::new();
        for ((region, zone, cell), size) in sizes {
            zones.entry((region, zone)).or_default().push((size, cell));
        }
        let mut regions: BTreeMap<&str, Vec<(usize, usize, &'a CellId)>> = BTreeMap::new();
        for ((region, _), mut cells) in zones {
            cells.sort();
            let ranked = cells.into_iter().enumerate();
            let ranked = ranked.map(|(rank, (size, cell))| (rank, size, cell));
            regions.entry(region).or_default().extend(ranked);
        }
        let firsts = regions.into_values().flat_map(|mut cells| {
            cells.sort();
            cells.into_iter().take(count).map(|(_, _, cell)| cell)
        });
        firsts.collect()
    }
}

/// Places that are not among the taken ones.
fn without(
    taken: &BTreeSet<usize>,
    places: impl Iterator<Item = usize>,
) -> impl Iterator<Item = usize> {
    places.filter(|place| !taken.contains(place))
}

/// The order in which waves take hosts: by how much of its cell stands before each, so that every
/// beginning of it holds the same share of each cell.
fn spread(selected: &Chosen<'_>) -> Vec<usize> {
    let mut cells: Vec<Vec<(u64, usize)>> = vec![Vec::new(); selected.cells.len()];
    for (place, host) in selected.hosts.iter().enumerate() {
        cells[host.common.cell_place].push((host.seed, place));
    }
    let mut order = Vec::with_capacity(selected.hosts.len());
    for mut members in cells {
        members.sort_unstable();
        let count = u128::try_from(members.len()).unwrap_or(u128::MAX);
        for ((seed, place), rank) in members.into_iter().zip(0_u128..) {
            let share = ((2 * rank + 1) << 64) / count;
            order.push((share, seed, place));
        }
    }
    order.sort_unstable();
    order.into_iter().map(|(_, _, place)| place).collect()
}

/// Makes one wave of a plan of the hosts that it took.
pub(super) fn planned(
    wave: &Wave,
    hosts: &[&Selected<'_>],
    regions: &Regions<'_>,
    order: &RegionOrder<'_>,
    is_first: bool,
) -> PlannedWave {
    let mut hosts = hosts.to_vec();
    hosts.sort_by_key(|host| (host.common.rarest, host.seed, &host.host.id));
    let has_turns = is_first && !matches!(order, RegionOrder::None);
    let host_order = HostOrder::of(&hosts, has_turns);
    let mut slices: BTreeMap<usize, Vec<&Selected<'_>>> = BTreeMap::new();
    let mut firsts: Vec<&Common<'_>> = Vec::new();
    for host in hosts {
        let slice = slices.entry(host.common.cell_place).or_default();
        if slice.is_empty() {
            firsts.push(&host.common);
        }
        slice.push(host);
    }
    let slices = slices.into_values().filter_map(|hosts| {
        let cell = hosts.first()?.common.cell.clone();
        let hosts = hosts.into_iter().map(|host| host.host.id.clone());
        Some((cell, hosts.collect()))
    });
    PlannedWave {
        name: wave.name.clone(),
        bake: wave.bake,
        cells_at_once: wave.cells_at_once,
        gap: wave.gap,
        zone_bake: wave.zone_bake,
        unknown_share: wave.unknown_share,
        slices: slices.collect(),
        opening: Opening::of(&firsts, regions, order),
        order: host_order,
    }
}
