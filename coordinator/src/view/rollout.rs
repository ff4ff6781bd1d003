//! How a rollout stands.

use super::{Situation, aftermath, cluster, cord, guard::alarms, said, strata};
use cofferdam_engine::{
    counts::Counts,
    hold::{Reason, Subject},
    id::{HostId, RolloutId, WaveIndex},
    rollout::{Asked, End, PauseCause, Phase, Rollout},
};
use cofferdam_proto::operator::{RolloutLine, RolloutState, RolloutView, WaveState, WaveView};

/// One rollout in a list.
pub(crate) fn rollout_line(rollout: &Rollout) -> RolloutLine {
    let counts = Counts::of(rollout.outcomes().values());
    let wave = rollout
        .plan()
        .wave(rollout.wave())
        .filter(|_| rollout.is_live());
    RolloutLine {
        name: rollout.plan().rollout.clone(),
        state: state(rollout),
        reason: reason(rollout),
        wave: wave.map(|wave| wave.name.to_string()),
        hosts: count(rollout.plan().hosts.len()),
        passed: count(counts.passed),
        failed: count(counts.went_wrong()),
        started_at_ms: Some(rollout.started_at()),
        ended_at_ms: rollout.ended_at(),
        amends: amends(rollout),
        amended_by: rollout.amended_by().to_vec(),
    }
}

/// One rollout, whole. Nothing when there is none of this name.
pub(crate) fn rollout(situation: Situation<'_>, name: &RolloutId) -> Option<RolloutView> {
    let rollout = situation.fleet.rollouts().get(name)?;
    let theirs = situation
        .holds()
        .iter()
        .filter(|hold| rollout_of(&hold.subject) == name);
    let mut warnings: Vec<String> = rollout
        .plan()
        .warnings
        .iter()
        .map(ToString::to_string)
        .collect();
    warnings.extend(cluster::left_out(rollout));
    warnings.extend(cluster::exceptions(rollout));
    warnings.extend(strata::judged(rollout));
    warnings.extend(strata::gone_on_without(rollout));
    warnings.extend(strata::gone(rollout));
    warnings.extend(aftermath::left_behind(situation, rollout));
    warnings.extend(cord::beneath(situation, rollout));
    warnings.extend(situation.clock().filter(|_| rollout.is_live()));
    Some(RolloutView {
        name: name.clone(),
        state: state(rollout),
        reason: reason(rollout),
        waves: waves(rollout),
        failures: cluster::failures(rollout),
        holds: cluster::holds(situation.fleet, theirs),
        hosts: count(rollout.plan().hosts.len()),
        slow_hosts: slow_hosts(situation, name),
        warnings,
        started_at_ms: Some(rollout.started_at()),
        ended_at_ms: rollout.ended_at(),
        amends: amends(rollout),
        amended_by: rollout.amended_by().to_vec(),
        approvals: said::approvals(rollout),
        promotions: said::promotions(rollout),
        alarms: alarms(situation, rollout),
        signed_by: rollout.plan().signer.clone(),
        effective: aftermath::effective(situation, rollout),
        changed_hosts: count(rollout.changed_since_planned().len()),
    })
}

/// The rollout that another amends. Nothing when it amends none.
fn amends(rollout: &Rollout) -> Option<RolloutId> {
    let amends = rollout.plan().amends.as_ref()?;
    Some(amends.rollout.clone())
}

/// The rollout that a hold is of.
pub(super) fn rollout_of(subject: &Subject) -> &RolloutId {
    match subject {
        Subject::Rollout { rollout }
        | Subject::Wave { rollout, .. }
        | Subject::Slice { rollout, .. }
        | Subject::Host { rollout, .. } => rollout,
    }
}

/// How a rollout stands, in the operator's words.
pub(super) fn state(rollout: &Rollout) -> RolloutState {
    match rollout.phase() {
        Phase::Running => RolloutState::Running,
        Phase::Aborting => RolloutState::Aborting,
        Phase::Paused { .. } => RolloutState::Paused,
        Phase::RollingBack => RolloutState::RollingBack,
        Phase::Ended { end: End::Done } => RolloutState::Done,
        Phase::Ended { end: End::Aborted } => RolloutState::Aborted,
        Phase::Ended {
            end: End::RolledBack,
        } => RolloutState::RolledBack,
    }
}

/// Why it stands so. Empty: nothing to say.
pub(super) fn reason(rollout: &Rollout) -> String {
    match rollout.phase() {
        Phase::Paused {
            cause: PauseCause::Operator { by, reason },
        } if reason.is_empty() => format!("paused by {by}"),
        Phase::Paused {
            cause: PauseCause::Operator { by, reason },
        } => format!("paused by {by}: {reason}"),
        Phase::Paused {
            cause: PauseCause::Brake { finding },
        } => Reason::Braked {
            finding: finding.clone(),
        }
        .to_string(),
        Phase::Aborting => {
            format!(
                "{}; waits for the runs that began",
                asked("aborted", rollout)
            )
        }
        Phase::RollingBack => asked("asked for", rollout),
        Phase::Ended { end: End::Aborted } => asked("aborted", rollout),
        Phase::Ended {
            end: End::RolledBack,
        } => asked("rolled back", rollout),
        Phase::Running | Phase::Ended { end: End::Done } => String::new(),
    }
}

/// What was done by an operator, and why.
fn asked(done: &str, rollout: &Rollout) -> String {
    match rollout.asked() {
        None => done.to_owned(),
        Some(Asked { by, reason, .. }) if reason.is_empty() => format!("{done} by {by}"),
        Some(Asked { by, reason, .. }) => format!("{done} by {by}: {reason}"),
    }
}

fn waves(rollout: &Rollout) -> Vec<WaveView> {
    let plan = rollout.plan();
    // A second opinion counts where it was taken, not where it was planned.
    let wave_of = |host: &HostId| {
        let planned = plan.hosts.get(host)?;
        let own = rollout.own_turns().get(host);
        Some(own.map_or(planned.wave, |turn| turn.wave))
    };
    let view = |(index, planned): (u32, &cofferdam_engine::plan::PlannedWave)| {
        let index = WaveIndex(index);
        let is_of = |host: &&HostId| wave_of(host) == Some(index);
        let outcomes = rollout.outcomes().iter();
        let counts = Counts::of(outcomes.filter(|(host, _)| is_of(host)).map(|(_, o)| o));
        let bake_ends = rollout
            .bake_ends()
            .filter(|_| wave_state(rollout, index) == WaveState::Baking);
        WaveView {
            name: planned.name.to_string(),
            state: wave_state(rollout, index),
            hosts: count(plan.hosts.keys().filter(is_of).count()),
            running: count(counts.running),
            passed: count(counts.passed),
            failed: count(counts.failed),
            timed_out: count(counts.timed_out),
            unreachable: count(counts.unreachable),
            left_out: count(counts.left_out + counts.unknown + counts.gone),
            skipped: count(counts.skipped),
            rolled_back: count(counts.rolled_back),
            bake_until_ms: bake_ends,
        }
    };
    (0..).zip(&plan.waves).map(view).collect()
}

fn wave_state(rollout: &Rollout, index: WaveIndex) -> WaveState {
    let is_current = index == rollout.wave();
    if index > rollout.wave() {
        return WaveState::Pending;
    }
    match rollout.phase() {
        Phase::RollingBack => WaveState::RollingBack,
        Phase::Ended {
            end: End::RolledBack,
        } => WaveState::RolledBack,
        Phase::Ended { end: End::Aborted } if is_current => WaveState::Stopped,
        Phase::Running | Phase::Paused { .. } | Phase::Aborting if is_current => {
            match rollout.bake_since() {
                Some(_) => WaveState::Baking,
                None => WaveState::Running,
            }
        }
        Phase::Running | Phase::Paused { .. } | Phase::Aborting | Phase::Ended { .. } => {
            WaveState::Passed
        }
    }
}

fn slow_hosts(situation: Situation<'_>, name: &RolloutId) -> Vec<HostId> {
    let mut slow = Vec::new();
    for cell in situation.fleet.cells().values() {
        let Some(work) = cell.work().get(name) else {
            continue;
        };
        for (host, job) in &work.jobs {
            let active = super::host::active(job);
            if active.is_some_and(|active| super::host::is_slow(work, active, situation.now)) {
                slow.push(host.clone());
            }
        }
    }
    slow.sort();
    slow
}

/// A count as the wire has it.
pub(super) fn count(count: usize) -> u64 {
    count as u64
}
