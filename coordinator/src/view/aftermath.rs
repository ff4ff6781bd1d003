//! What a rollout left on its hosts once their runs were over: how far it is in effect, and what a way back
//! did not bring back.

use super::{Situation, cluster::listed};
use cofferdam_engine::{
    cell::{LeftBehind, Member},
    id::HostId,
    rollout::Rollout,
    warrant::Outcome,
};
use cofferdam_proto::operator::{EFFECTIVE_UNITS, EffectiveView, StaleUnit};
use std::collections::BTreeMap;

/// How far the patch is in effect on the hosts that have it, as they told last. Nothing while none has it.
pub(super) fn effective(situation: Situation<'_>, rollout: &Rollout) -> Option<EffectiveView> {
    let mut view = EffectiveView::default();
    let mut units: BTreeMap<&str, u64> = BTreeMap::new();
    let passed = rollout.outcomes().iter();
    let passed = passed.filter(|(_, outcome)| matches!(outcome, Outcome::Passed));
    for (host, _) in passed {
        let member = situation.fleet.host(host).map(|(_, member)| member);
        let Some(effect) = member.and_then(|member| member.effect.as_deref()) else {
            view.unknown += 1;
            continue;
        };
        match (&effect.reboot, effect.is_whole()) {
            (Some(_), _) => view.needs_reboot += 1,
            (None, false) => {
                view.needs_restart += 1;
                for unit in &effect.restart {
                    *units.entry(unit).or_default() += 1;
                }
            }
            (None, true) => view.yes += 1,
        }
    }
    let mut units: Vec<_> = units.into_iter().collect();
    // The most hosts first.
    units.sort_by_key(|(unit, hosts)| (u64::MAX - hosts, *unit));
    let units = units.into_iter().take(EFFECTIVE_UNITS);
    view.units = units
        .map(|(unit, hosts)| StaleUnit {
            unit: unit.to_owned(),
            hosts,
        })
        .collect();
    (view != EffectiveView::default()).then_some(view)
}

/// The hosts that went back from a rollout and are not quite as they were before, in a line. Nothing: all are.
pub(super) fn left_behind(situation: Situation<'_>, rollout: &Rollout) -> Option<String> {
    let name = &rollout.plan().rollout;
    let is_left = |host: &&HostId| {
        let member = situation.fleet.host(host).map(|(_, member)| member);
        let left = member.and_then(|member| member.left_behind.as_deref());
        left.is_some_and(|left| left.rollout == *name)
    };
    let hosts: Vec<_> = rollout.outcomes().keys().filter(is_left).collect();
    (!hosts.is_empty()).then(|| {
        format!(
            "{} that went back {} not quite as before: {}; `cofferdam explain HOST` says what is left",
            count(hosts.len()),
            if hosts.len() == 1 { "is" } else { "are" },
            listed(&hosts)
        )
    })
}

fn count(hosts: usize) -> String {
    match hosts {
        1 => "1 host".to_owned(),
        _ => format!("{hosts} hosts"),
    }
}

/// What its last way back left on a host, one line each.
pub(super) fn left_on(member: &Member) -> impl Iterator<Item = String> {
    let left = member.left_behind.as_deref();
    left.into_iter().flat_map(|LeftBehind { rollout, lines }| {
        lines.iter().map(move |line| format!("{line} ({rollout})"))
    })
}
