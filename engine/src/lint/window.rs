//! Windows in which nothing can ever start.

use super::Findings;
use crate::{duration::format, spec::Spec};

/// A window whose last start lies before it opens.
pub(super) fn alone(spec: &Spec, found: &mut Findings<'_>) {
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
