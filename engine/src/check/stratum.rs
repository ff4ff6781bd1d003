//! Promise 9: every wave installs the bits that the canary proved, on hosts whose like has passed;
//! two live rollouts that name one thing on one host are refused.

use super::{Broken, Disturbance, Step, exception};
use crate::{
    fleet::Fleet,
    id::{HostId, WaveIndex},
    rollout::{Phase, Rollout},
    stratum::{DELTA, Stratum},
    warrant::{Change, FailedEnd, Outcome},
};
use std::collections::BTreeMap;

/// Of a stratum that no host has passed, one host at a time is out.
pub(super) fn in_rollout(rollout: &Rollout, all: &mut Vec<Broken>) {
    if *rollout.phase() != Phase::Running {
        return;
    }
    let mut running: BTreeMap<u32, usize> = BTreeMap::new();
    let of = |host: &HostId| rollout.plan().hosts.get(host).map(|p| p.strata.iter());
    let reborn = rollout.reborn().iter().filter_map(of).flatten();
    let mut passed: Vec<u32> = reborn.copied().collect();
    for (host, outcome) in rollout.outcomes() {
        let planned = rollout.plan().hosts.get(host);
        let strata = planned.map(|planned| planned.strata.as_slice());
        let strata = strata.unwrap_or_default();
        // Whether a host that is gone had passed is not known any more.
        if matches!(outcome, Outcome::Passed | Outcome::Gone) {
            passed.extend(strata);
        }
        if *outcome == Outcome::Running {
            strata
                .iter()
                .for_each(|s| *running.entry(*s).or_default() += 1);
        }
    }
    for (stratum, out) in running {
        if out > 1 && !passed.contains(&stratum) {
            all.push(Broken {
                promise: 9,
                what: format!(
                    "rollout {}: {out} hosts of {} are out, and none has passed",
                    rollout.plan().rollout,
                    name(rollout, stratum)
                ),
            });
        }
    }
}

/// The first wave has a host of each stratum, but for those that a waiver names, or that only hosts
/// are of which go after all others: of a rollout as it was started, before hosts came late, and before
/// a later wave took in what the first went on without.
pub(super) fn covered(rollout: &Rollout, all: &mut Vec<Broken>) {
    let plan = rollout.plan();
    let is_as_started =
        rollout.came_late().is_empty() && rollout.changed_since_planned().is_empty();
    if !is_as_started || rollout.wave() != WaveIndex(0) {
        return;
    }
    let first = plan.waves.first().map(|wave| wave.slices.values());
    let mut proved: Vec<&Stratum> = first
        .into_iter()
        .flatten()
        .flatten()
        .flat_map(|host| plan.strata_of(host))
        .collect();
    proved.extend(plan.waived.iter().map(|waived| &waived.stratum));
    let behind = plan.waves.last().map(|wave| wave.order.behind.as_slice());
    let has_others = |stratum: &Stratum| {
        let mut others = plan.hosts.keys();
        others.any(|host| {
            !behind.unwrap_or_default().contains(host)
                && plan.strata_of(host).any(|of| of == stratum)
        })
    };
    let missing = plan.strata.iter().filter(|s| !proved.contains(s));
    for stratum in missing.filter(|stratum| has_others(stratum)) {
        all.push(Broken {
            promise: 9,
            what: format!(
                "rollout {}: its first wave has no host of {stratum}, which nobody waived",
                plan.rollout
            ),
        });
    }
}

/// Where hosts are told apart by what is installed on them, the stratum in which one is proved and judged is
/// that of the delta which its agent is held to.
pub(super) fn judged_as_ordered(rollout: &Rollout, all: &mut Vec<Broken>) {
    let plan = rollout.plan();
    if !plan.coverage.tells_deltas_apart() {
        return;
    }
    for host in plan.hosts.keys() {
        let Some(delta) = plan.delta_of(host) else {
            continue;
        };
        let mut strata = plan.strata_of(host);
        let delta = delta.to_string();
        if !strata.any(|of| of.with.is_none() && of.label == DELTA && of.value == delta) {
            all.push(Broken {
                promise: 9,
                what: format!(
                    "rollout {}: {host} is to have the delta {delta}, and is not judged by it",
                    plan.rollout
                ),
            });
        }
    }
}

/// An order carries the locked bits of its rollout, and what these change on the host as the plan has it.
pub(super) fn by(of: &Disturbance<'_>, all: &mut Vec<Broken>) {
    if of.is_forward()
        && of.order.delta != of.work.assignment.delta_of(of.host())
        && of.step != Step::Again
    {
        all.push(of.broken(9, "it is for another delta than the plan has"));
    }
    if of.step != Step::Order {
        return;
    }
    let assignment = &of.work.assignment;
    let platform = &of.member.host.facts.platform;
    let content = assignment.lock.content_for(platform, &assignment.patch);
    let is_locked = content.as_ref() == Some(&of.order.content)
        && of.order.grant.lock_digest == assignment.lock.digest();
    if !is_locked {
        all.push(of.broken(9, "it does not carry what the lock file says"));
    }
}

/// No two live rollouts name one thing on one host.
pub(super) fn between_rollouts(fleet: &Fleet, all: &mut Vec<Broken>) {
    let live: Vec<_> = fleet
        .rollouts()
        .iter()
        .filter(|(_, rollout)| rollout.is_live())
        .collect();
    for (place, (name, rollout)) in live.iter().enumerate() {
        for (other_name, other) in live.iter().skip(place + 1) {
            if share_a_subject(fleet, rollout, other) {
                all.push(Broken {
                    promise: 9,
                    what: format!("rollouts {name} and {other_name} change one thing on one host"),
                });
            }
        }
    }
}

fn share_a_subject(fleet: &Fleet, one: &Rollout, other: &Rollout) -> bool {
    let theirs = other.plan().subjects();
    let shared = one.plan().subjects().iter().any(|s| theirs.contains(s));
    let is_of_both = |host: &HostId| {
        let of = |rollout: &Rollout| {
            let has_left = exception::is_given_away(rollout, host) || is_back(rollout, host);
            let is_planned = rollout.plan().hosts.contains_key(host);
            is_planned && (!has_left || is_ordered(fleet, rollout, host))
        };
        of(one) && of(other)
    };
    shared && one.plan().hosts.keys().any(is_of_both)
}

/// Whether a rollout has an order out to a host, whatever it knows of that.
fn is_ordered(fleet: &Fleet, rollout: &Rollout, host: &HostId) -> bool {
    let works = fleet.cells().values();
    let works = works.filter_map(|cell| cell.work().get(&rollout.plan().rollout));
    let jobs = works.filter_map(|work| work.jobs.get(host));
    jobs.into_iter().any(|job| job.active().is_some())
}

/// Whether a rollout that is taken back has nothing more to take from a host.
fn is_back(rollout: &Rollout, host: &HostId) -> bool {
    let has_none = match rollout.outcomes().get(host) {
        Some(Outcome::Passed | Outcome::Running) => rollout.superseded().contains(host),
        Some(Outcome::Failed { end, .. }) => *end != FailedEnd::Silent,
        Some(Outcome::Skipped { change, .. }) => *change == Change::NotBegun,
        Some(Outcome::Waiting | Outcome::LeftOut { .. } | Outcome::RolledBack | Outcome::Gone)
        | None => true,
    };
    rollout.goes_back() && has_none
}

fn name(rollout: &Rollout, stratum: u32) -> String {
    let place = usize::try_from(stratum).unwrap_or(usize::MAX);
    let stratum = rollout.plan().strata.get(place);
    stratum.map_or_else(|| "an unknown stratum".to_owned(), ToString::to_string)
}
