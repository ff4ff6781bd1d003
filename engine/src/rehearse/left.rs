//! What a rehearsal leaves for a person: each cause once, with all its hosts.
//!
//! Hosts are of one cause that failed in the same way and ended alike, or were left out for the same
//! reason, whatever hosts, groups and numbers stand in it. Where a stratum stands out among them, its
//! hosts are a thing of their own: somebody who looks at one of them looks at what they have in common.

use super::{report::Left, world::World};
use crate::{
    hold::{Hold, Subject},
    id::{CellId, HostId},
    plan::Plan,
    rollout::{Phase, Rollout},
    warrant::{Change, FailedEnd, Outcome},
};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

/// A stratum stands out among the hosts of a cause when at least so many are of it, three quarters of
/// all of them, and no more than a tenth of the planned hosts are: by chance that is rare (guess).
const STANDS_OUT: usize = 3;

/// Why a host is left, in two parts: what the cause is known by, and how it is told.
struct Cause {
    key: String,
    told: String,
}

/// What is left for a person, the largest first: hosts without the patch, or out; and, where nothing moves any
/// more, those that still wait, each for what holds it.
pub(super) fn left<M>(world: &World<M>, plan: &Plan, holds: &[Hold]) -> Vec<Left> {
    let rollouts = world.owner.fleet.rollouts();
    let sizes = strata_sizes(plan);
    let mut left: Vec<Left> = by_cause(rollouts.values(), holds)
        .into_values()
        .flat_map(|(cause, hosts)| apart(&cause, hosts, plan, &sizes))
        .collect();
    left.sort_by_key(|left| (Reverse(left.hosts.len()), left.cause.clone()));
    left
}

/// The hosts of each cause, with how it is told of the first.
fn by_cause<'r>(
    rollouts: impl Iterator<Item = &'r Rollout>,
    holds: &[Hold],
) -> BTreeMap<String, (String, BTreeSet<HostId>)> {
    let mut causes: BTreeMap<String, (String, BTreeSet<HostId>)> = BTreeMap::new();
    for rollout in rollouts {
        let outcomes = rollout.outcomes().iter();
        let ended = outcomes.filter_map(|(host, outcome)| Some((host, cause(outcome)?)));
        let waiting = waiting(rollout, holds).into_iter();
        for (host, Cause { key, told }) in ended.chain(unapproved(rollout)).chain(waiting) {
            let (_, hosts) = causes.entry(key).or_insert((told, BTreeSet::new()));
            hosts.insert(host.clone());
        }
    }
    causes
}

/// The hosts of a rollout that moves no more, and is not over, which it has yet to patch or to take back; with
/// what holds them: themselves, or their cells, or the wave, or the rollout.
fn waiting<'r>(rollout: &'r Rollout, holds: &[Hold]) -> Vec<(&'r HostId, Cause)> {
    if !rollout.is_live() || *rollout.phase() == Phase::Aborting {
        return Vec::new();
    }
    let held = Held::of(rollout, holds);
    let planned = rollout.plan().hosts.iter();
    let waits = planned.filter(|(host, _)| {
        let has_to = match rollout.outcomes().get(*host) {
            None | Some(Outcome::Waiting | Outcome::Running) => !rollout.goes_back(),
            Some(Outcome::Passed) => rollout.goes_back(),
            Some(
                Outcome::Failed { .. }
                | Outcome::LeftOut { .. }
                | Outcome::Skipped { .. }
                | Outcome::RolledBack
                | Outcome::Gone,
            ) => false,
        };
        has_to && rollout.awaits_approval(host).is_none()
    });
    let causes = waits.map(|(host, planned)| {
        let hold = held
            .of_host
            .get(host)
            .or_else(|| held.of_cell.get(&planned.cell));
        let told = match hold.or(held.of_wave.as_ref()).or(held.of_rollout.as_ref()) {
            Some(hold) => format!("it still waits: {}", hold.reason),
            None => "it still waits".to_owned(),
        };
        let key = common_words(&told);
        (host, Cause { key, told })
    });
    causes.collect()
}

/// What holds the parts of a rollout.
#[derive(Default)]
struct Held<'h> {
    of_host: BTreeMap<&'h HostId, &'h Hold>,
    of_cell: BTreeMap<&'h CellId, &'h Hold>,
    of_wave: Option<&'h Hold>,
    of_rollout: Option<&'h Hold>,
}

impl<'h> Held<'h> {
    fn of(of: &Rollout, holds: &'h [Hold]) -> Self {
        let name = &of.plan().rollout;
        let mut held = Self::default();
        for hold in holds {
            match &hold.subject {
                Subject::Host { rollout, host } if rollout == name => {
                    held.of_host.entry(host).or_insert(hold);
                }
                Subject::Slice { rollout, cell } if rollout == name => {
                    held.of_cell.entry(cell).or_insert(hold);
                }
                Subject::Wave { rollout, .. } if rollout == name => {
                    held.of_wave.get_or_insert(hold);
                }
                Subject::Rollout { rollout } if rollout == name => {
                    held.of_rollout.get_or_insert(hold);
                }
                Subject::Host { .. }
                | Subject::Slice { .. }
                | Subject::Wave { .. }
                | Subject::Rollout { .. } => {}
            }
        }
        held
    }
}

/// The hosts of a rollout that goes on which wait until somebody approves them.
fn unapproved(rollout: &Rollout) -> impl Iterator<Item = (&HostId, Cause)> {
    let needed = rollout.plan().approvals.keys();
    let waits = needed.filter(|host| rollout.is_live() && rollout.awaits_approval(host).is_some());
    waits.map(|host| {
        let told = "waits for an approval (cofferdam approve)".to_owned();
        let key = told.clone();
        (host, Cause { key, told })
    })
}

/// Why a host is left. Nothing: it is not, or a person said what is to become of it.
fn cause(outcome: &Outcome) -> Option<Cause> {
    let told = match outcome {
        Outcome::Failed { failure, end } => {
            let end = match end {
                FailedEnd::RolledBack => "back at what it had",
                FailedEnd::Quarantined => "quarantined",
                FailedEnd::Silent => "silent",
            };
            return Some(Cause {
                key: format!("{} {end}", failure.kind),
                told: format!("{failure}; {end}"),
            });
        }
        Outcome::LeftOut { reason, .. } => reason.clone(),
        Outcome::Skipped {
            change: Change::Unknown,
            ..
        } => "skipped in its change".to_owned(),
        Outcome::Skipped {
            change: Change::NotBegun,
            ..
        }
        | Outcome::Waiting
        | Outcome::Running
        | Outcome::Passed
        | Outcome::RolledBack
        | Outcome::Gone => return None,
    };
    let key = common_words(&told);
    Some(Cause { key, told })
}

/// The words of a reason that other hosts with the same reason have too: none that counts, or names
/// something.
fn common_words(reason: &str) -> String {
    let names = |word: &&str| word.contains(|c: char| c.is_ascii_digit() || c == '=');
    let common: Vec<&str> = reason.split(' ').filter(|word| !names(word)).collect();
    common.join(" ")
}

/// The hosts of a cause, those of a stratum that stands out apart from the others.
fn apart(cause: &str, hosts: BTreeSet<HostId>, plan: &Plan, sizes: &[usize]) -> Vec<Left> {
    let part = |hosts: Vec<HostId>, stratum: Option<String>| Left {
        cause: cause.to_owned(),
        stratum,
        hosts,
    };
    let Some(stratum) = outstanding(&hosts, plan, sizes) else {
        return vec![part(hosts.into_iter().collect(), None)];
    };
    let name = usize::try_from(stratum).ok();
    let name = name.and_then(|place| plan.strata.get(place));
    let (of_it, others): (Vec<HostId>, Vec<HostId>) = hosts
        .into_iter()
        .partition(|host| strata(plan, host).contains(&stratum));
    let mut parts = vec![part(of_it, name.map(ToString::to_string))];
    if !others.is_empty() {
        parts.push(part(others, None));
    }
    parts
}

/// The stratum that stands out among hosts: of several the one that most of them are of, and of those
/// the smallest.
fn outstanding(hosts: &BTreeSet<HostId>, plan: &Plan, sizes: &[usize]) -> Option<u32> {
    let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
    for stratum in hosts.iter().flat_map(|host| strata(plan, host)) {
        *counts.entry(*stratum).or_default() += 1;
    }
    let size = |stratum: u32| {
        let place = usize::try_from(stratum).unwrap_or(usize::MAX);
        sizes.get(place).copied().unwrap_or_default()
    };
    let stand_out = counts.into_iter().filter(|(stratum, count)| {
        *count >= STANDS_OUT
            && count * 4 >= hosts.len() * 3
            && size(*stratum) * 10 <= plan.hosts.len()
    });
    let most = stand_out.max_by_key(|(stratum, count)| (*count, Reverse(size(*stratum))));
    most.map(|(stratum, _)| stratum)
}

/// How many planned hosts each stratum has, by its place in the plan.
fn strata_sizes(plan: &Plan) -> Vec<usize> {
    let mut sizes = vec![0; plan.strata.len()];
    let planned = plan.hosts.values();
    for stratum in planned.flat_map(|planned| &planned.strata) {
        let place = usize::try_from(*stratum).ok();
        if let Some(size) = place.and_then(|place| sizes.get_mut(place)) {
            *size += 1;
        }
    }
    sizes
}

fn strata<'p>(plan: &'p Plan, host: &HostId) -> &'p [u32] {
    let planned = plan.hosts.get(host);
    planned.map_or(&[], |planned| &planned.strata)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_known_by_what_does_not_name_and_does_not_count() {
        let of = |group, out| common_words(&format!("{group}: {out} are out and 0 may be"));
        assert_eq!(of("service=web zone=a", "1"), of("service=api zone=b", "2"));
        assert_ne!(
            common_words("not connected"),
            common_words("not in service")
        );
    }
}
