//! A brake that never fires, or with the first failure.

use super::Findings;
use crate::{duration::format, plan::Plan, policy::BrakeRule, share::Share, spec::Spec};

/// What the brake of a file can and cannot do, whatever the fleet.
pub(super) fn alone(spec: &Spec, found: &mut Findings<'_>) {
    let BrakeRule {
        cell_share,
        cell_least,
        fleet_share,
        fleet_least,
        ..
    } = spec.brake();
    for (of, share, least) in [
        ("cell", *cell_share, *cell_least),
        ("fleet", *fleet_share, *fleet_least),
    ] {
        let key = format!("brake.{of}_share");
        if share >= Share::ALL {
            found.warn(
                "brake",
                &key,
                format!("the {of}'s brake never fires: no more than 100% of the hosts can fail; lower {of}_share"),
            );
        }
        if share == Share::percent(0) && least <= 1 {
            found.warn(
                "brake",
                &key,
                format!("the {of}'s brake fires with the first host that fails, before a second opinion is heard: raise {of}_share or {of}_least"),
            );
        }
    }
    velocity_span(spec, found);
    if spec.brake().velocity_share == Share::percent(0) && found.places.has("brake.velocity_share")
    {
        found.warn(
            "brake",
            "brake.velocity_share",
            "the velocity's brake never fires: no wave is slower than nothing; raise velocity_share",
        );
    }
    if spec.brake().velocity_share >= Share::ALL {
        found.warn(
            "brake",
            "brake.velocity_share",
            "the velocity's brake fires as soon as a wave is slower than at its best: lower velocity_share",
        );
    }
}

/// A span that is over before any run can be, as long as hosts must be stable alone: spans say nothing of runs
/// that are longer on the average.
fn velocity_span(spec: &Spec, found: &mut Findings<'_>) {
    let (over, health) = (spec.brake().velocity_over, spec.health());
    let (stable_key, stable) = match spec.waves().len() {
        0 | 1 => ("stable_for_canary", health.stable_for_canary),
        _ => (
            "stable_for",
            health.stable_for.min(health.stable_for_canary),
        ),
    };
    if over > stable || spec.brake().velocity_share == Share::NONE {
        return;
    }
    let key = match found.places.has("brake.velocity_over") {
        true => "brake.velocity_over",
        false => stable_key,
    };
    let (over, stable) = (format(over), format(stable));
    found.warn(
        "brake",
        key,
        format_args!("the velocity's brake never fires: it goes by runs that take no longer than velocity_over of {over}, and each takes {stable} to be stable alone; raise velocity_over to several runs, with drain, apply and reboot"),
    );
}

/// What a brake that the file sets cannot do, or must do, with so few hosts. Defaults are for large
/// fleets, and are no mistake in a small one.
pub(super) fn of_plan(plan: &Plan, found: &mut Findings<'_>) {
    let largest = plan.assignments.values().map(|cell| cell.hosts.len()).max();
    let largest = largest.unwrap_or(0);
    let brake = &plan.brake;
    first_failures(plan, largest, found);
    let key = "brake.velocity_least";
    if brake.velocity_least > plan.hosts.len() && found.places.has(key) {
        let (least, hosts) = (brake.velocity_least, plan.hosts.len());
        found.warn(
            "brake",
            key,
            format!("the velocity's brake never fires: it waits until {least} hosts were over in one velocity_over, and the rollout takes {hosts}; lower velocity_least"),
        );
    }
    for (of, least, hosts, of_what) in [
        ("cell", brake.cell_least, largest, "no cell has more"),
        (
            "fleet",
            brake.fleet_least,
            plan.hosts.len(),
            "it has no more",
        ),
    ] {
        let key = format!("brake.{of}_least");
        if least > hosts && found.places.has(&key) {
            found.warn(
                "brake",
                &key,
                format!("the {of}'s brake never fires: it waits for {least} failed hosts, and of the {hosts} that the rollout takes {of_what}; lower {of}_least"),
            );
        }
    }
}

/// A share that one failed host exceeds, however many were attempted.
fn first_failures(plan: &Plan, largest: usize, found: &mut Findings<'_>) {
    let brake = &plan.brake;
    for (of, share, least, hosts, of_what) in [
        (
            "cell",
            brake.cell_share,
            brake.cell_least,
            largest,
            "hosts of the largest cell",
        ),
        (
            "fleet",
            brake.fleet_share,
            brake.fleet_least,
            plan.hosts.len(),
            "hosts that the rollout takes",
        ),
    ] {
        // Of a share of nothing the file alone has shown it.
        let is_first = least <= 1 && share != Share::NONE && share.is_exceeded(1, hosts);
        if is_first {
            found.warn(
                "brake",
                &format!("brake.{of}_least"),
                format!("the {of}'s brake fires with the first host that fails, before a second opinion is heard: one of the {hosts} {of_what} is more than {share}; raise {of}_least or {of}_share"),
            );
        }
    }
}
