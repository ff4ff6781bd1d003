//! Values that do nothing, or that can hardly be meant.

use super::Findings;
use crate::{duration::format, policy::CellOrder, share::Share, spec::Spec};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Nobody waits longer than this for a wave (guess: a month, in which most fleets get their next patches).
const LONGEST_WAIT: Duration = Duration::from_secs(30 * 24 * 3600);

/// Nobody waits longer than this for one host, of which a wave has many (guess: with a day each, the thirty
/// hosts of a small cell take a month).
const LONGEST_WAIT_EACH: Duration = Duration::from_secs(24 * 3600);

/// From this share on a wave may end with hardly a host patched (guess: half of them).
const MOST_LEFT_OUT: Share = Share::percent(50);

pub(super) fn alone(spec: &Spec, found: &mut Findings<'_>) {
    without_effect(spec, found);
    endless(spec, found);
    left_out(spec, found);
}

/// Shares of a wave that may be missing when it passes.
fn left_out(spec: &Spec, found: &mut Findings<'_>) {
    let left_out = spec.hosts_left_out();
    if left_out >= MOST_LEFT_OUT {
        found.warn(
            "left-out",
            "hosts_left_out",
            format_args!("a wave passes though {left_out} of its hosts were left out, and what it shows is little; lower hosts_left_out"),
        );
    }
    // The first wave waits for each of its cells.
    let waves = spec.waves().iter().enumerate().skip(1);
    let many = waves.filter(|(_, wave)| wave.unknown_share >= MOST_LEFT_OUT);
    let many = many.map(|(place, wave)| {
        let key = own_or_top(found, place, "unknown_share", "unknown_share");
        (key, wave.unknown_share)
    });
    for (key, share) in many.collect::<BTreeMap<_, _>>() {
        found.warn(
            "left-out",
            &key,
            format_args!("a wave passes though {share} of its hosts are in cells that are not heard of, and what it shows is little; lower unknown_share"),
        );
    }
}

/// Keys that the rest of the file makes mean nothing.
fn without_effect(spec: &Spec, found: &mut Findings<'_>) {
    if spec.pace().order == CellOrder::None {
        let waits = spec.waves().iter().enumerate();
        let waits = waits.filter(|(_, wave)| !wave.zone_bake.is_zero());
        let keys = waits.map(|(place, _)| own_or_top(found, place, "zone_bake", "zone_bake"));
        for key in keys.collect::<BTreeSet<_>>() {
            found.warn("unused", &key, "order = \"none\" goes through no zones, so that nothing waits after one; leave zone_bake out, or write order = \"fan-out\" or \"regions\"");
        }
    }
    if found.places.has("wave[0].unknown_share") {
        found.warn("unused", "wave[0].unknown_share", "the first wave never goes on without a cell that is not heard of, whatever the share; leave it out");
    }
}

/// Waits that nobody lives to see the end of.
fn endless(spec: &Spec, found: &mut Findings<'_>) {
    let mut waits = vec![
        ("grace".to_owned(), spec.pace().grace),
        ("stage_within".to_owned(), spec.pace().stage_within),
        ("settle".to_owned(), spec.deadlines().settle),
        ("unknown_after".to_owned(), spec.unknown_after()),
    ];
    for (place, wave) in spec.waves().iter().enumerate() {
        for (key, wait) in [
            ("bake", wave.bake),
            ("gap", wave.gap),
            ("zone_bake", wave.zone_bake),
        ] {
            let top = if key == "gap" { "cells_gap" } else { key };
            waits.push((own_or_top(found, place, key, top), wait));
        }
    }
    too_long(waits, LONGEST_WAIT, "the rollout will hardly end", found);
    let each = of_each_host(spec).map(|(key, wait)| (key.to_owned(), wait));
    let so = "a wave has many hosts, and will hardly end";
    too_long(each.into(), LONGEST_WAIT_EACH, so, found);
}

/// Waits for one host, one host after the other or each time.
fn of_each_host(spec: &Spec) -> [(&'static str, Duration); 14] {
    let (deadlines, health) = (spec.deadlines(), spec.health());
    [
        ("start_spacing", spec.pace().start_spacing),
        ("rollback.start_spacing", spec.rollback().start_spacing),
        ("retry_backoff", spec.retry().backoff),
        ("start_by", deadlines.start_by),
        ("claim_wait", deadlines.claim_wait),
        ("drain_deadline", deadlines.drain),
        ("apply_deadline", deadlines.apply),
        ("script_deadline", deadlines.script),
        ("reboot_deadline", deadlines.reboot),
        ("verify_deadline", deadlines.verify),
        ("late_deadline", deadlines.late),
        ("stable_for", health.stable_for),
        ("stable_for_canary", health.stable_for_canary),
        ("first_answer", health.first_answer),
    ]
}

/// Those of some waits, each with its key, that are longer than sense makes.
fn too_long(
    mut waits: Vec<(String, Duration)>,
    longest: Duration,
    so: &str,
    found: &mut Findings<'_>,
) {
    waits.retain(|(_, wait)| *wait > longest);
    let longest = format(longest);
    for (key, wait) in waits.into_iter().collect::<BTreeMap<_, _>>() {
        let wait = format(wait);
        found.warn(
            "endless",
            &key,
            format_args!("a wait of {wait} is over {longest}: {so}; shorten it"),
        );
    }
}

/// The key that says something of a wave: its own, or that of the file's top.
fn own_or_top(found: &Findings<'_>, wave: usize, own: &str, top: &str) -> String {
    let own = format!("wave[{wave}].{own}");
    match found.places.has(&own) {
        true => own,
        false => top.to_owned(),
    }
}
