//! `cofferdam-agent effect`: for the person at the host. It needs no network and no running agent.

use super::look;
use crate::host::{durable::FileError, root::Root};
use std::io::{self, Write};

/// Why nothing was shown.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The host cannot be looked at.
    #[error(transparent)]
    File(#[from] FileError),
    /// The standard output cannot be written.
    #[error("the standard output cannot be written")]
    Output(#[from] io::Error),
}

/// Shows how far what is installed on this machine is in effect.
///
/// # Errors
/// [`CommandError`] when it cannot be found out, or not be shown.
pub fn show() -> Result<(), CommandError> {
    let effect = look::effect(&Root::machine())?;
    Ok(writeln!(io::stdout(), "{}", effect.in_full())?)
}
