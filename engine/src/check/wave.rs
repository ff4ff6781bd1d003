//! Promise 3: no host of a wave starts before the wave before it is over and has baked, or an approver
//! has ended its bake.

use super::{Broken, Disturbance, approval, silence, turn};
use crate::{
    id::{HostId, WaveIndex},
    order::Direction,
    plan::PlannedHost,
    rollout::{Phase, Rollout, RolloutCommand},
    time::Timestamp,
    warrant::Outcome,
};
use std::time::Duration;

/// A host is disturbed in its wave or later, or as a second opinion that joined an earlier one, which
/// may have passed since where the cell is cut off.
pub(super) fn by_disturbing(of: &Disturbance<'_>, all: &mut Vec<Broken>) {
    if !of.is_forward() {
        return;
    }
    let is_due = wave_of(of.rollout, of.host()).is_some_and(|wave| wave <= of.rollout.wave());
    let is_cut = !silence::has_heard_wish(of);
    if !is_due && !is_cut && !turn::has_own_turn(of.rollout, of.host()) {
        let wave = of.rollout.wave();
        all.push(of.broken(3, &format!("its wave comes after wave {wave}")));
    }
}

/// Waves pass in order, over and baked; what is granted early is a second opinion.
pub(super) fn by_rollout(
    rollout: &Rollout,
    command: &RolloutCommand,
    now: Timestamp,
    all: &mut Vec<Broken>,
) {
    let found = match command {
        RolloutCommand::Warrant { warrant, .. } if warrant.direction == Direction::Patch => {
            let early = warrant.hosts.iter().find(|host| is_early(rollout, host));
            early.map(|host| format!("host {host} is granted before its wave, and is no opinion"))
        }
        RolloutCommand::BeginBake { wave } => not_over(rollout, *wave, now),
        RolloutCommand::PassWave { wave } => {
            not_over(rollout, *wave, now).or_else(|| not_baked(rollout, *wave, now))
        }
        RolloutCommand::End { .. } if *rollout.phase() == Phase::Running => {
            let waves = rollout.plan().waves.len();
            let last = u32::try_from(waves).unwrap_or(u32::MAX).saturating_sub(1);
            let last = WaveIndex(last);
            not_over(rollout, last, now)
                .or_else(|| approval::passed_over(rollout, now))
                .or_else(|| not_baked(rollout, last, now))
        }
        RolloutCommand::Warrant { .. }
        | RolloutCommand::Assign(_)
        | RolloutCommand::Except(_)
        | RolloutCommand::Stop(_)
        | RolloutCommand::Brake { .. }
        | RolloutCommand::End { .. } => None,
    };
    let name = &rollout.plan().rollout;
    all.extend(found.map(|what| Broken {
        promise: 3,
        what: format!("rollout {name}: {what}"),
    }));
}

fn wave_of(rollout: &Rollout, host: &HostId) -> Option<WaveIndex> {
    rollout.plan().hosts.get(host).map(|planned| planned.wave)
}

/// Why the wave must not be called over.
fn not_over(rollout: &Rollout, wave: WaveIndex, now: Timestamp) -> Option<String> {
    if rollout.wave() != wave {
        return Some(format!("wave {wave} is not the present one"));
    }
    let is_last = usize::try_from(wave.0).is_ok_and(|n| n + 1 == rollout.plan().waves.len());
    let mut left = 0;
    for (host, planned) in &rollout.plan().hosts {
        let is_put_off = !is_last && approval::is_awaited(rollout, host);
        let is_done = is_over(rollout, host) || is_held_for_good(rollout, planned) || is_put_off;
        if planned.wave != wave || is_done {
            continue;
        }
        if !silence::is_unknown(rollout, &planned.cell, now) {
            return Some(format!("host {host} of wave {wave} is not over"));
        }
        left += usize::from(!rollout.missed().contains(host));
    }
    let may_be_left = silence::may_be_left(rollout, wave, left);
    (!may_be_left).then(|| format!("{left} hosts of wave {wave} are in unknown cells"))
}

fn not_baked(rollout: &Rollout, wave: WaveIndex, now: Timestamp) -> Option<String> {
    let planned = rollout.plan().wave(wave)?;
    let is_of_it = |host: &PlannedHost| host.wave == wave;
    let bake = match rollout.plan().hosts.values().any(is_of_it) {
        true => planned.bake,
        // Nobody is there to be watched.
        false => Duration::ZERO,
    };
    let ends = rollout.bake_since().map(|since| since.after(bake));
    let is_baked = ends.is_some_and(|ends| ends <= now);
    let is_promoted = rollout.promotions().iter().any(|promotion| {
        promotion.wave == wave
            && Some(promotion.bake_since) == rollout.bake_since()
            && rollout.plan().approvers.contains(&promotion.by)
    });
    if !is_baked && !is_promoted {
        return Some(format!("wave {wave} has not baked"));
    }
    let mut cells = planned.slices.keys().filter(|_| wave == WaveIndex(0));
    let unknown = cells.find(|cell| silence::is_unknown(rollout, cell, now));
    unknown.map(|cell| format!("cell {cell} of the first wave is unknown"))
}

pub(super) fn is_over(rollout: &Rollout, host: &HostId) -> bool {
    let outcome = rollout.outcomes().get(host);
    !matches!(outcome, None | Some(Outcome::Running | Outcome::Waiting))
}

/// Whether the host is of a stratum that two hosts have failed and none has passed.
pub(super) fn is_held_for_good(rollout: &Rollout, planned: &PlannedHost) -> bool {
    planned.strata.iter().any(|&stratum| {
        let failed = of_stratum(rollout, stratum, failed);
        failed >= 2 && of_stratum(rollout, stratum, |o| *o == Outcome::Passed) == 0
    })
}

/// Whether a host is granted before its wave without being a second opinion: of a stratum that a
/// host has failed and none has passed.
fn is_early(rollout: &Rollout, host: &HostId) -> bool {
    let Some(planned) = rollout.plan().hosts.get(host) else {
        return true;
    };
    planned.wave > rollout.wave()
        && !turn::has_own_turn(rollout, host)
        && !is_opinion(rollout, host)
}

/// Whether a host speaks for a stratum that a host has failed and none has passed.
pub(super) fn is_opinion(rollout: &Rollout, host: &HostId) -> bool {
    let planned = rollout.plan().hosts.get(host);
    planned.is_some_and(|planned| {
        planned.strata.iter().any(|&stratum| {
            of_stratum(rollout, stratum, failed) > 0
                && of_stratum(rollout, stratum, |o| *o == Outcome::Passed) == 0
        })
    })
}

/// Whether a host failed, or may have: what failed and is gone still counts.
fn failed(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Failed { .. } | Outcome::Gone)
}

fn of_stratum(rollout: &Rollout, stratum: u32, is: impl Fn(&Outcome) -> bool) -> usize {
    let of_it = |host: &HostId| {
        let planned = rollout.plan().hosts.get(host);
        planned.is_some_and(|planned| planned.strata.contains(&stratum))
    };
    let outcomes = rollout.outcomes().iter();
    outcomes
        .filter(|(host, outcome)| is(outcome) && of_it(host))
        .count()
}
