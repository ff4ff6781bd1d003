//! Deadlines that pass before what they wait for can be over.

use super::Findings;
use crate::{duration::format, patch::RebootPolicy, spec::Spec};
use std::time::Duration;

/// A server needs this long to boot (guess: firmware of a physical one alone takes longer).
const BOOT: Duration = Duration::from_secs(60);

/// One deadline, and what has to fit into it.
struct Pair<'k> {
    deadline: (&'k str, Duration),
    wait: (&'k str, Duration),
    so: &'static str,
}

pub(super) fn alone(spec: &Spec, found: &mut Findings<'_>) {
    let (deadlines, health) = (spec.deadlines(), spec.health());
    let stable = health.stable_for.max(health.stable_for_canary);
    let stable_key = match stable == health.stable_for {
        true => "stable_for",
        false => "stable_for_canary",
    };
    if spec.reboot() != RebootPolicy::Always {
        late(spec, (stable_key, stable), found);
    }
    for pair in [
        Pair {
            deadline: ("verify_deadline", deadlines.verify),
            wait: ("first_answer", health.first_answer),
            so: "an application may answer in time and its host fail all the same",
        },
        Pair {
            deadline: ("apply_deadline", deadlines.apply),
            wait: ("script_deadline", deadlines.script),
            so: "a maintainer script never has all of its time",
        },
        Pair {
            deadline: ("start_by", deadlines.start_by),
            wait: ("claim_wait", deadlines.claim_wait),
            so: "an order is void before its claim is given up",
        },
    ] {
        pair.check(found);
    }
    let may_reboot = spec.reboot() != RebootPolicy::Never;
    if may_reboot && deadlines.reboot < BOOT {
        let (reboot, boot) = (format(deadlines.reboot), format(BOOT));
        found.warn(
            "deadline",
            "reboot_deadline",
            format_args!("hosts may reboot, and reboot_deadline of {reboot} is shorter than the {boot} that a boot takes: raise it, or say reboot = \"never\" in [patch]"),
        );
    }
}

/// What does not fit into the time of a run without a reboot. The defaults' apply does not: theirs is for
/// hosts that reboot, and no file says it.
fn late(spec: &Spec, stable: (&str, Duration), found: &mut Findings<'_>) {
    let deadlines = spec.deadlines();
    let deadline = ("late_deadline", deadlines.late);
    Pair {
        deadline,
        wait: stable,
        so: "every host that does not reboot is given up before it can be stable",
    }
    .check(found);
    if found.places.has("apply_deadline") || found.places.has("late_deadline") {
        Pair {
            deadline,
            wait: ("apply_deadline", deadlines.apply),
            so: "a host that does not reboot is given up while its change may still go on",
        }
        .check(found);
    }
}

impl Pair<'_> {
    fn check(&self, found: &mut Findings<'_>) {
        let ((deadline, allowed), (wait, needed)) = (self.deadline, self.wait);
        if needed <= allowed {
            return;
        }
        let key = match found.places.has(deadline) {
            true => deadline,
            false => wait,
        };
        let (allowed, needed, so) = (format(allowed), format(needed), self.so);
        found.warn(
            "deadline",
            key,
            format_args!("{wait} of {needed} does not fit into {deadline} of {allowed}: {so}; raise {deadline}, or lower {wait}"),
        );
    }
}
