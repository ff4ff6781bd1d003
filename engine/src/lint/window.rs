//! Windows in which nothing can ever start, or that are open at all times.

use super::Findings;
use crate::{duration::format, spec::Spec};

pub(super) fn alone(spec: &Spec, found: &mut Findings<'_>) {
    never_opens(spec, found);
    never_closes(spec, found);
}

/// A window that ends where it starts is a day long.
fn never_closes(spec: &Spec, found: &mut Findings<'_>) {
    for (place, rule) in spec.windows().iter().enumerate() {
        if rule.window.start != rule.window.end {
            continue;
        }
        found.warn(
            "window",
            &format!("window[{place}].end"),
            "the window ends when it starts, so it is open all day long; write start = \"00:00\" and end = \"24:00\" if that is meant",
        );
    }
}

/// A window whose last start lies before it opens.
fn never_opens(spec: &Spec, found: &mut Findings<'_>) {
    for (place, rule) in spec.windows().iter().enumerate() {
        if !rule.window.never_opens() {
            continue;
        }
        let length = format(rule.window.length());
        let last_start = format(rule.window.last_start);
        found.warn(
            "window",
            &format!("window[{place}].last_start"),
            format_args!("the window never opens: nothing starts in the last {last_start} of its {length}; shorten last_start, or make the window longer"),
        );
    }
}
