//! Waits of tests: for something to be so, and for no time to pass.

use std::{
    thread,
    time::{Duration, Instant},
};

/// Past this something hangs.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// Waits until something is so.
///
/// # Panics
/// When it is not [`SOON`].
pub(crate) fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + SOON;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
        thread::yield_now();
    }
}
