//! Values that do nothing, or that can hardly be meant.

use super::Findings;
use crate::{duration::format, policy::CellOrder, share::Share, spec::Spec};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Nobody waits longer than this for a wave (guess: a month, in which most fleets get their next patches).
const LONGEST_WAIT: Duration = Duration::from_secs(30 * 24 * 3600);

/// From this share on a wave may end with hardly a host patched (guess: half of them).
const MOST_LEFT_OUT: Share = Share::percent(50);

pub(super) fn alone(spec: &Spec, found: &mut Findings<'_>) {
    without_effect(spec, found);
    endless(spec, found);
    let left_out = spec.hosts_left_out();
    if left_out >= MOST_LEFT_OUT {
        found.warn(
            "left-out",
            "hosts_left_out",
            format_args!("a wave passes though {left_out} of its hosts were left out, and what it shows is little; lower hosts_left_out"),
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
    let mut waits = vec![("grace".to_owned(), spec.pace().grace)];
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
    waits.retain(|(_, wait)| *wait > LONGEST_WAIT);
    for (key, wait) in waits.into_iter().collect::<BTreeMap<_, _>>() {
        let (wait, longest) = (format(wait), format(LONGEST_WAIT));
        found.warn(
            "endless",
            &key,
            format_args!(
                "a wait of {wait} is over {longest}: the rollout will hardly end; shorten it"
            ),
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
