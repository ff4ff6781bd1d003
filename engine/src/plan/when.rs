//! Freezes and windows that lie in a rollout's way: the estimate knows nothing of them.

use super::{Estimate, PlanInput, Warning, selected::Selected};
use crate::{spec::Spec, window::WindowState};

/// What freezes and windows do to hosts within the time that a rollout may take at most.
pub(super) fn warnings(
    spec: &Spec,
    input: &PlanInput<'_>,
    planned: &[&Selected<'_>],
    estimate: Estimate,
) -> Vec<Warning> {
    let ends = input.now.after(estimate.most);
    let mut warnings = Vec::new();
    for freeze in &input.calendar.freezes {
        let lies_within = input.now < freeze.until && freeze.from < ends;
        let bound = planned
            .iter()
            .filter(|host| freeze.binds(host.host, spec.profile()));
        let hosts = if lies_within { bound.count() } else { 0 };
        if hosts > 0 {
            warnings.push(Warning::Frozen {
                name: freeze.name.clone(),
                hosts,
                from: freeze.time_zone.show(freeze.from),
                until: freeze.time_zone.show(freeze.until),
            });
        }
    }
    let opens_in_time: Vec<bool> = spec
        .windows()
        .iter()
        .map(|rule| match rule.window.at(input.now) {
            WindowState::Open { .. } => true,
            WindowState::Closed { opens } => opens.is_some_and(|opens| opens < ends),
        })
        .collect();
    let (mut bound, mut shut) = (0, 0);
    for host in planned {
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
