//! How long a rollout takes, between two bounds.
//!
//! Of one host, at least: `stable_for`; at most: every deadline of its run. Of a slice of `n` hosts
//! of which `w` may be out at once (by floors and `at_once_per_cell`), in rounds of `w`:
//!
//! - at least `max(rounds x host, (n - 1) x start_spacing + host)`,
//! - at most `rounds x host + (n - 1) x start_spacing`; in the first wave `n` rounds, since a
//!   stratum's second host waits for its first.
//!
//! Of a zone of `c` cells that open side by side, `k` at once: at least the longest slice, at most
//! `ceil(c / k)` times that, and `gap` between these batches. A region is its zones, one after the
//! other, with the longer of `gap` and `zone_bake` between them. A turn of several regions is at least
//! its longest region; at most that, or all of them one after the other where not all have room in
//! `k`, and a `gap` for each of its cells. A wave is its hosts that go before or after the others, its
//! turns, `gap` between them, and its bake: of the former at least one after each list, at most one
//! after each host. One without hosts takes no time. At most, staging takes all of `stage_within` before the first start.

use super::{Chain, HostOrder, PlannedWave, Turn, floors::Floors};
use crate::{id::CellId, patch::RebootPolicy, policy::Pace, spec::Spec};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

/// The time that a plan needs, from its start.
///
/// Both bounds assume that every host passes, that none is held by others, and that nothing pauses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Estimate {
    /// When every step takes no time and every host is healthy at once.
    pub least: Duration,
    /// When every step takes as long as its deadline allows.
    pub most: Duration,
}

impl Estimate {
    const NONE: Self = Self {
        least: Duration::ZERO,
        most: Duration::ZERO,
    };

    /// The time of all waves; `at_once` is each cell's own limit.
    pub(super) fn of(
        spec: &Spec,
        waves: &[PlannedWave],
        floors: &Floors<'_>,
        at_once: &BTreeMap<CellId, usize>,
    ) -> Self {
        let mut total = Self::NONE;
        for (place, wave) in waves
            .iter()
            .enumerate()
            .filter(|(_, wave)| !wave.is_empty())
        {
            let is_first = place == 0;
            let slices = wave.slices.iter().map(|(cell, hosts)| {
                let limit = at_once.get(cell).copied().unwrap_or(1);
                let width = floors.width(cell).min(limit).max(1);
                let others = hosts.iter().filter(|host| !wave.order.names(host));
                (cell, slice(spec, others.count(), width, is_first))
            });
            let slices: BTreeMap<_, _> = slices.collect();
            total = total.then(set_apart(spec, &wave.order, is_first));
            total = total.then(opening(wave, &slices)).then_wait(wave.bake);
        }
        total.most = total.most.saturating_add(spec.pace().stage_within);
        total
    }

    fn then(self, next: Self) -> Self {
        Self {
            least: self.least.saturating_add(next.least),
            most: self.most.saturating_add(next.most),
        }
    }

    fn then_wait(self, wait: Duration) -> Self {
        self.then(Self {
            least: wait,
            most: wait,
        })
    }
}

/// The hosts of a wave that go before or after the others.
fn set_apart(spec: &Spec, order: &HostOrder, is_first: bool) -> Estimate {
    let (least, most) = host(spec, is_first);
    let (ahead, behind) = (&order.ahead, order.behind.len());
    Estimate {
        least: times(least, ahead.len() + behind),
        most: times(most, ahead.iter().map(Vec::len).sum::<usize>() + behind),
    }
}

/// The cells of a wave, turn after turn.
fn opening(wave: &PlannedWave, slices: &BTreeMap<&CellId, Estimate>) -> Estimate {
    let mut total = Estimate::NONE;
    for (place, turn) in wave.opening.turns.iter().enumerate() {
        if place > 0 {
            total = total.then_wait(wave.gap);
        }
        total = total.then(of_turn(wave, turn, slices));
    }
    total
}

/// The regions of a turn, side by side as far as `cells_at_once` lets them.
fn of_turn(wave: &PlannedWave, turn: &Turn, slices: &BTreeMap<&CellId, Estimate>) -> Estimate {
    let chains: Vec<_> = turn
        .chains
        .iter()
        .map(|chain| of_chain(wave, chain, slices))
        .collect();
    let widths = turn.chains.iter().map(|chain| {
        let widest = chain.zones.iter().map(Vec::len).max();
        widest.unwrap_or_default()
    });
    let longest = longest(chains.iter().copied());
    if let [only] = chains.as_slice() {
        return *only;
    }
    let all_fit = widths.sum::<usize>() <= wave.cells_at_once;
    let most = if all_fit {
        longest.most
    } else {
        let each = chains.iter().map(|chain| chain.most);
        each.fold(Duration::ZERO, Duration::saturating_add)
    };
    let gaps = times(wave.gap, turn.cells().count().saturating_sub(1));
    Estimate {
        least: longest.least,
        most: most.saturating_add(gaps),
    }
}

/// The zones of a region, one after the other.
fn of_chain(wave: &PlannedWave, chain: &Chain, slices: &BTreeMap<&CellId, Estimate>) -> Estimate {
    let mut total = Estimate::NONE;
    for (place, zone) in chain.zones.iter().enumerate() {
        let longest = longest(zone.iter().filter_map(|cell| slices.get(cell).copied()));
        let batches = zone.len().div_ceil(wave.cells_at_once.max(1));
        if place > 0 {
            total = total.then_wait(wave.gap.max(wave.zone_bake));
        }
        total = total
            .then(Estimate {
                least: longest.least,
                most: times(longest.most, batches),
            })
            .then_wait(times(wave.gap, batches.saturating_sub(1)));
    }
    total
}

fn longest(of: impl Iterator<Item = Estimate>) -> Estimate {
    of.fold(Estimate::NONE, |longest, one| Estimate {
        least: longest.least.max(one.least),
        most: longest.most.max(one.most),
    })
}

/// A slice of `hosts`, of which `width` may be out at once.
fn slice(spec: &Spec, hosts: usize, width: usize, is_first: bool) -> Estimate {
    if hosts == 0 {
        return Estimate::NONE;
    }
    let Pace { start_spacing, .. } = spec.pace();
    let starts = times(*start_spacing, hosts.saturating_sub(1));
    let rounds = hosts.div_ceil(width);
    let (host_least, host_most) = host(spec, is_first);
    let most_rounds = if is_first { hosts } else { rounds };
    Estimate {
        least: times(host_least, rounds).max(starts.saturating_add(host_least)),
        most: times(host_most, most_rounds).saturating_add(starts),
    }
}

/// One host's run, at least and at most.
fn host(spec: &Spec, is_first: bool) -> (Duration, Duration) {
    let (deadlines, health) = (spec.deadlines(), spec.health());
    let least = if is_first {
        health.stable_for_canary
    } else {
        health.stable_for
    };
    let reboot = match spec.reboot() {
        RebootPolicy::Never => Duration::ZERO,
        RebootPolicy::IfRequired | RebootPolicy::Always => deadlines.reboot,
    };
    let most = [
        deadlines.start_by,
        deadlines.claim_wait,
        deadlines.drain,
        deadlines.claim_wait,
        deadlines.apply,
        reboot,
        deadlines.verify,
        // Raising the flag may take as long as lowering it.
        deadlines.drain,
    ]
    .into_iter()
    .fold(Duration::ZERO, Duration::saturating_add);
    (least, most)
}

fn times(duration: Duration, count: usize) -> Duration {
    duration.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX))
}
