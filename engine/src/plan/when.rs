//! Freezes and windows that lie in a rollout's way: the estimate knows nothing of them.

use super::{Estimate, PlanInput, Warning, planned::Planned};
use crate::{calendar::Freeze, spec::Spec, window::WindowState};

/// What freezes and windows do to hosts within the time that a rollout may take at most.
pub(super) fn warnings(
    spec: &Spec,
    input: &PlanInput<'_>,
    planned: &Planned<'_, '_>,
    estimate: Estimate,
) -> Vec<Warning> {
    let ends = input.now.after(estimate.most);
    let ahead = |freeze: &&Freeze| input.now < freeze.until && freeze.from < ends;
    let freezes = input.calendar.freezes.iter().filter(ahead);
    let mut warnings: Vec<Warning> = freezes
        .filter_map(|freeze| of_freeze(spec, planned, freeze))
        .collect();
    let opens_in_time: Vec<bool> = spec
        .windows()
        .iter()
        .map(|rule| match rule.window.at(input.now) {
            WindowState::Open { .. } => true,
            WindowState::Closed { opens } => opens.is_some_and(|opens| opens < ends),
        })
        .collect();
    let (mut bound, mut shut) = (0, 0);
    for host in planned.hosts() {
        let rules = spec.windows().iter().zip(&opens_in_time);
        let mut windows = rules.filter(|(rule, _)| rule.matches(host.host)).peekable();
        if windows.peek().is_some() {
            bound += 1;
            shut += usize::from(!windows.any(|(_, in_time)| *in_time));
        }
    }
    if bound > 0 {
        warnings.push(Warning::WindowsNotCounted { hosts: bound });
    }
    if shut > 0 {
        warnings.push(Warning::NoWindow { hosts: shut });
    }
    warnings
}

/// What a freeze that lies ahead does to planned hosts. Nothing when it is for none of them.
fn of_freeze(spec: &Spec, planned: &Planned<'_, '_>, freeze: &Freeze) -> Option<Warning> {
    let hosts = planned.hosts().filter(|host| freeze.is_for(host.host));
    let (hosts, name) = (hosts.count(), freeze.name.clone());
    let profile = spec.profile();
    if hosts == 0 {
        return None;
    }
    Some(match freeze.except_profiles.contains(&profile) {
        true => Warning::PassesFreeze {
            name,
            hosts,
            profile,
        },
        false => Warning::Frozen {
            name,
            hosts,
            from: freeze.time_zone.show(freeze.from),
            until: freeze.time_zone.show(freeze.until),
        },
    })
}
