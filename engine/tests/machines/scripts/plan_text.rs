//! Plans as text: everything that an operator may ask of one before it starts.

use super::inventory::Outcome;
use cofferdam_engine::{
    duration,
    id::{HostId, WaveIndex},
    lint::Severity,
    plan::{Chain, ImpactKind, Plan, PlannedWave},
    stratum::Stratum,
    window::Window,
};
use std::{collections::BTreeMap, fmt::Display, time::Duration};

/// The longest line of names.
const WIDTH: usize = 100;

/// How much of a plan is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// All of it.
    Whole,
    /// What its first wave is and proves.
    Canary,
    /// How many hosts it takes.
    Size,
}

/// What comes of a rollout file: its plan, and what is wrong or may be.
pub(super) fn outcome(outcome: &Outcome, shown: Shown) -> Vec<String> {
    let mut lines = Vec::new();
    match &outcome.plan {
        Some(plan) => lines.extend(of_plan(plan, shown)),
        None => lines.push("no plan".to_owned()),
    }
    for finding in &outcome.findings {
        let severity = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        lines.push(format!("{severity}: {finding} [{}]", finding.rule));
    }
    lines
}

/// The title of a part of a plan, how much must be shown to show it, and its lines.
type Part = (&'static str, Shown, fn(&Plan) -> Vec<String>);

fn of_plan(plan: &Plan, shown: Shown) -> Vec<String> {
    let (blast, estimate) = (&plan.blast, &plan.estimate);
    let mut lines = vec![format!(
        "{}: {} of {} selected hosts, of {} known; {} at least, {} at most",
        plan.rollout,
        blast.hosts,
        blast.selected,
        blast.known,
        span(estimate.least),
        span(estimate.most),
    )];
    if shown == Shown::Whole {
        plan.waves.iter().for_each(|wave| of_wave(wave, &mut lines));
    }
    let is_shown = |least: Shown| match least {
        Shown::Whole => shown == Shown::Whole,
        Shown::Canary => shown != Shown::Size,
        Shown::Size => true,
    };
    let parts: [Part; 6] = [
        (
            "the canary, and what only this host of it proves",
            Shown::Canary,
            canary,
        ),
        ("in the canary, of all", Shown::Canary, proved),
        ("waived", Shown::Canary, waived),
        ("capacity groups", Shown::Whole, groups),
        ("windows", Shown::Whole, windows),
        ("who may feel it", Shown::Whole, impacts),
    ];
    for (title, least, part) in parts {
        let part = part(plan);
        if is_shown(least) && !part.is_empty() {
            lines.push(title.to_owned());
            lines.extend(part.into_iter().map(|line| format!("  {line}")));
        }
    }
    lines
}

fn of_wave(wave: &PlannedWave, lines: &mut Vec<String>) {
    let hosts: usize = wave.slices.values().map(Vec::len).sum();
    lines.push(format!(
        "wave {}: {}, bakes {}; at most {} at once, {} between cells, {} between zones",
        wave.name,
        counted(hosts, "host"),
        span(wave.bake),
        counted(wave.cells_at_once, "cell"),
        span(wave.gap),
        span(wave.zone_bake),
    ));
    for (turn, number) in wave.opening.turns.iter().zip(1..) {
        lines.push(format!("  turn {number}"));
        for chain in &turn.chains {
            of_chain(wave, chain, lines);
        }
    }
}

/// The zones of a region: each after the one before it.
fn of_chain(wave: &PlannedWave, chain: &Chain, lines: &mut Vec<String>) {
    for (place, zone) in chain.zones.iter().enumerate() {
        let then = if place == 0 { "" } else { "then " };
        for cell in zone {
            let hosts = &wave.slices[cell];
            lines.extend(wrapped(&format!("    {then}{cell}: "), hosts));
        }
    }
}

/// The hosts of the first wave, in the order in which they start, each with the strata that no other
/// of them is of.
fn canary(plan: &Plan) -> Vec<String> {
    let Some(first) = plan.waves.first() else {
        return Vec::new();
    };
    let hosts: Vec<&HostId> = first.slices.values().flatten().collect();
    let is_alone = |stratum: &&Stratum| {
        let of_it = |host: &&&HostId| plan.strata_of(host).any(|other| other == *stratum);
        hosts.iter().filter(of_it).count() == 1
    };
    let lines = hosts.iter().flat_map(|host| {
        let alone: Vec<&Stratum> = plan.strata_of(host).filter(is_alone).collect();
        match alone.is_empty() {
            true => vec![format!("{host}: nothing, it is a second one")],
            false => wrapped_by(", ", &format!("{host}: "), &alone),
        }
    });
    lines.collect()
}

/// How many hosts of each stratum the first wave has, of how many.
fn proved(plan: &Plan) -> Vec<String> {
    let mut counts: BTreeMap<&Stratum, (usize, usize)> = BTreeMap::new();
    for (host, planned) in &plan.hosts {
        for stratum in plan.strata_of(host) {
            let (first, all) = counts.entry(stratum).or_default();
            *first += usize::from(planned.wave == WaveIndex(0));
            *all += 1;
        }
    }
    let lines = counts.iter();
    lines
        .map(|(stratum, (first, all))| format!("{stratum}: {first} of {all}"))
        .collect()
}

fn waived(plan: &Plan) -> Vec<String> {
    let lines = plan.waived.iter().map(|waived| {
        let hosts = counted(waived.hosts, "host");
        let (stratum, reason, expires) = (&waived.stratum, &waived.reason, waived.expires);
        format!("{stratum} ({hosts}), until {expires}: {reason}")
    });
    lines.collect()
}

fn groups(plan: &Plan) -> Vec<String> {
    let lines = plan.blast.groups.iter().map(|group| {
        let load = match group.more_load_permille() {
            Some(permille) => format!("+{}.{} % on the rest", permille / 10, permille % 10),
            None => "nobody is left".to_owned(),
        };
        format!(
            "{} in {}/{}: {} of {} taken, {} may be out, {load}",
            group.service,
            group.region,
            group.zone,
            group.planned,
            counted(group.members, "host"),
            group.allowance,
        )
    });
    lines.collect()
}

fn windows(plan: &Plan) -> Vec<String> {
    let assignments = plan.assignments.iter();
    let lines = assignments.flat_map(|(cell, assignment)| {
        assignment.windows.iter().map(move |bound| {
            let of = counted(assignment.hosts.len(), "host");
            let hosts = match &bound.hosts {
                Some(hosts) => format!("{} of {of}", hosts.len()),
                None => format!("all of {of}"),
            };
            format!("{cell}, {hosts}: {}", window(&bound.window))
        })
    });
    lines.collect()
}

fn window(window: &Window) -> String {
    let days: Vec<_> = window.days.iter().map(|day| day.name()).collect();
    format!(
        "{} {} to {} {}, no start in its last {}",
        days.join(" "),
        window.start,
        window.end,
        window.time_zone.name(),
        span(window.last_start),
    )
}

fn impacts(plan: &Plan) -> Vec<String> {
    let lines = plan.blast.impacts.iter().map(|impact| {
        let kind = match impact.kind {
            ImpactKind::Patched => format!("patched, {}", counted(impact.planned, "host")),
            ImpactKind::Direct => "depends on it".to_owned(),
            ImpactKind::Indirect => "depends on a dependant".to_owned(),
        };
        let owners: Vec<_> = impact.owners.iter().map(ToString::to_string).collect();
        let (service, tier, owners) = (&impact.service, impact.tier, owners.join(", "));
        format!("{service}, tier {tier} of {owners}: {kind}")
    });
    lines.collect()
}

fn span(duration: Duration) -> String {
    duration::format(duration)
}

fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

fn wrapped(head: &str, names: &[impl Display]) -> Vec<String> {
    wrapped_by(" ", head, names)
}

/// Names after a head, in lines that are not too long.
fn wrapped_by(between: &str, head: &str, names: &[impl Display]) -> Vec<String> {
    let mut lines = vec![head.to_owned()];
    let indent = " ".repeat(head.len());
    for (place, name) in names.iter().enumerate() {
        let last = place + 1 == names.len();
        let name = format!("{name}{}", if last { "" } else { between });
        let line = lines.last_mut().expect("there is one");
        match line.len() + name.len() > WIDTH && line.len() > head.len() {
            true => lines.push(format!("{indent}{name}")),
            false => line.push_str(&name),
        }
    }
    let trimmed = lines.iter().map(|line| line.trim_end().to_owned());
    trimmed.collect()
}
