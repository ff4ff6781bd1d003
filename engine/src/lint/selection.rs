//! Selections within a rollout that match none of its hosts, and labels that none or only some of them have.
//! Hosts without a label that a floor groups by are one group, which keeps nobody in service where it matters.

use super::Findings;
use crate::{
    inventory::Host,
    plan::{self, PlanInput},
    select::Selection,
    spec::Spec,
    stratum::DELTA,
};
use std::collections::BTreeSet;

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
    floors(spec, input, &selected, found);
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

/// Labels that the file's floors group by, and that hosts lack for which they are.
fn floors(spec: &Spec, input: &PlanInput<'_>, selected: &[&Host], found: &mut Findings<'_>) {
    for (place, limit) in spec.limits().iter().enumerate() {
        let key = format!("limits[{place}].floor");
        if !found.places.has(&key) {
            continue;
        }
        let labels = limit.floors.iter().flat_map(|rule| &rule.group_by);
        for label in labels.collect::<BTreeSet<_>>() {
            if unknown("floor", &key, label, selected, found) {
                continue;
            }
            // Each host has the first limit that matches it; one in no cell is a mistake of its own.
            let is_bound = |host: &&&Host| {
                let first = spec.limits().iter().position(|limit| limit.matches(host));
                first == Some(place) && input.cells.contains_key(&host.id)
            };
            let lacks = |host: &&&Host| host.value(label).is_none();
            let lacking = selected.iter().filter(lacks).filter(is_bound);
            lack(&key, label, &lacking.copied().collect::<Vec<_>>(), found);
        }
    }
}

/// Hosts without a label that others have.
fn lack(key: &str, label: &str, lacking: &[&Host], found: &mut Findings<'_>) {
    if lacking.is_empty() {
        return;
    }
    let hosts: Vec<_> = lacking.iter().map(|host| &host.id).collect();
    found.warn(
        "floor",
        key,
        format!("{} of the hosts that this floor is for lack the label {label}, as {}, and count as one group, {label}=?: give it to them where they are enrolled, or give them a [[limits]] of their own", hosts.len(), plan::list(&hosts)),
    );
}

/// Whether no selected host has a label.
fn unknown(
    rule: &str,
    key: &str,
    label: &str,
    selected: &[&Host],
    found: &mut Findings<'_>,
) -> bool {
    if selected.iter().any(|host| host.value(label).is_some()) {
        return false;
    }
    found.warn(
        rule,
        key,
        format!("no selected host has the label {label}: correct it, or take it out; `cofferdam hosts -o json` shows their labels"),
    );
    true
}
