//! Selections within a rollout that match none of its hosts, and labels that none of them has.
//! A floor's group by such a label is one of all hosts, which keeps nobody in service where it matters.

use super::Findings;
use crate::{inventory::Host, plan::PlanInput, select::Selection, spec::Spec, stratum::DELTA};

/// What each selection of the file matches of the hosts that the rollout is for.
pub(super) fn of_fleet(spec: &Spec, input: &PlanInput<'_>, found: &mut Findings<'_>) {
    let matched = input.hosts.values();
    let selected: Vec<&Host> = matched
        .filter(|host| spec.selection().matches(host))
        .collect();
    if selected.is_empty() {
        return;
    }
    let waves = spec.waves().iter().map(|wave| wave.selection.as_ref());
    let limits = spec.limits().iter().map(|limit| limit.selection.as_ref());
    let windows = spec.windows().iter().map(|rule| rule.selection.as_ref());
    nobody("wave", waves, &selected, found);
    nobody("limits", limits, &selected, found);
    nobody("window", windows, &selected, found);
    coverage(spec, &selected, found);
    floors(spec, &selected, found);
}

fn nobody<'s>(
    table: &str,
    selections: impl Iterator<Item = Option<&'s Selection>>,
    selected: &[&Host],
    found: &mut Findings<'_>,
) {
    for (place, selection) in selections.enumerate() {
        let Some(selection) = selection else { continue };
        if selected.iter().any(|host| selection.matches(host)) {
            continue;
        }
        found.warn(
            "selection",
            &format!("{table}[{place}].match"),
            format!(
                "none of the {} selected hosts matches `{selection}`; correct it, or take its [[{table}]] out; `cofferdam hosts -o json` shows their labels",
                selected.len()
            ),
        );
    }
}

/// Labels of `coverage` and `coverage_pairs` that the file names, and no selected host has.
fn coverage(spec: &Spec, selected: &[&Host], found: &mut Findings<'_>) {
    let labels = spec.coverage().labels.iter().enumerate();
    let labels = labels.map(|(place, label)| (format!("coverage[{place}]"), label));
    let pairs = spec.coverage().pairs.iter().enumerate();
    let pairs = pairs.flat_map(|(place, pair)| {
        let key = move |of| format!("coverage_pairs[{place}][{of}]");
        (0..).map(key).zip(pair)
    });
    for (key, label) in labels.chain(pairs) {
        // Not those of the default, which no file says.
        if label != DELTA && found.places.has(&key) {
            unknown("coverage", &key, label, selected, found);
        }
    }
}

/// Labels that floors group by, and no selected host has.
fn floors(spec: &Spec, selected: &[&Host], found: &mut Findings<'_>) {
    for (place, limit) in spec.limits().iter().enumerate() {
        for label in limit.floors.iter().flat_map(|rule| &rule.group_by) {
            let key = format!("limits[{place}].floor");
            unknown("floor", &key, label, selected, found);
        }
    }
}

fn unknown(rule: &str, key: &str, label: &str, selected: &[&Host], found: &mut Findings<'_>) {
    if selected.iter().any(|host| host.value(label).is_some()) {
        return;
    }
    found.warn(
        rule,
        key,
        format!("no selected host has the label {label}: correct it, or take it out; `cofferdam hosts -o json` shows their labels"),
    );
}
