//! The agent's log: lines on the standard error, for the journal.

use std::io;
use tracing_subscriber::EnvFilter;

/// Begins to log, as much as `COFFERDAM_LOG` says. Default: `info`.
///
/// # Panics
/// When it is called twice.
pub fn begin() {
    let filter = EnvFilter::try_from_env("COFFERDAM_LOG").unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::IsTerminal::is_terminal(&io::stderr()))
        .init();
}
