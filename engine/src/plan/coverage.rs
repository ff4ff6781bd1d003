//! The fewest hosts that have one of every stratum.

use super::{selected::Common, strata::place};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
};

/// Chooses hosts of `candidates`, by place in it, such that each stratum of any of them has one.
///
/// Greedy: the next one is always of the most strata that still lack a host, and of several such
/// the first; in the end those go that are not needed any more. That is at most a few hosts above the
/// fewest possible, and near-linear: hosts of one class are tried once, and what one adds only shrinks,
/// so it is counted anew only when its turn comes.
pub(super) fn cover(candidates: &[&Common<'_>], strata: usize) -> Vec<usize> {
    let mut classes: BTreeMap<usize, usize> = BTreeMap::new();
    for (candidate, common) in candidates.iter().enumerate() {
        classes.entry(common.place).or_insert(candidate);
    }
    let mut is_covered = vec![false; strata];
    let mut queue: BinaryHeap<(usize, Reverse<usize>)> = classes
        .into_values()
        .map(|candidate| (candidates[candidate].strata.len(), Reverse(candidate)))
        .collect();
    let mut chosen = Vec::new();
    while let Some((believed, Reverse(candidate))) = queue.pop() {
        let strata = &candidates[candidate].strata;
        let adds = strata.iter().filter(|s| !is_covered[place(**s)]).count();
        if adds == 0 {
            continue;
        }
        if adds < believed {
            queue.push((adds, Reverse(candidate)));
            continue;
        }
        for stratum in strata {
            is_covered[place(*stratum)] = true;
        }
        chosen.push(candidate);
    }
    without_needless(|candidate| &candidates[candidate].strata, chosen, strata)
}

/// The chosen without those of whose strata each has another: later choices may make an earlier one
/// needless.
fn without_needless<'a>(
    strata_of: impl Fn(usize) -> &'a [u32],
    mut chosen: Vec<usize>,
    strata: usize,
) -> Vec<usize> {
    let mut counts = vec![0_usize; strata];
    for stratum in chosen.iter().flat_map(|candidate| strata_of(*candidate)) {
        counts[place(*stratum)] += 1;
    }
    chosen.retain(|candidate| {
        let strata = strata_of(*candidate);
        let is_needless = strata.iter().all(|s| counts[place(*s)] > 1);
        if is_needless {
            strata.iter().for_each(|s| counts[place(*s)] -= 1);
        }
        !is_needless
    });
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_that_are_needless_only_beside_each_other_one_stays() {
        let strata_of: [&[u32]; 4] = [&[0, 1], &[1, 2], &[0, 3], &[2, 4]];

        let left = without_needless(|candidate| strata_of[candidate], vec![0, 1, 2, 3], 5);

        assert_eq!(left, [1, 2, 3]);
    }
}
