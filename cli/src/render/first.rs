//! Lists that are too long for a line.

use std::fmt::Display;

/// The first few of some things, and how many more there are; JSON has all.
pub(crate) fn first(most: usize, things: &[impl Display], between: &str) -> String {
    let named = things.iter().take(most).map(ToString::to_string);
    let named = named.collect::<Vec<_>>().join(between);
    match things.len().saturating_sub(most) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}
