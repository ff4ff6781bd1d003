//! `cofferdam-agent effect`, for the person at the host, and `kernel-trial`, for its unit. Neither needs a network
//! or a running agent.

use super::look;
use crate::{
    host::{durable::FileError, root::Root},
    kernel_trial::{self, TrialError},
};
use std::io::{self, Write};

/// A command about what is in effect.
#[derive(Debug, clap::Subcommand)]
pub enum EffectCommand {
    /// Says whether what runs on this host is what is installed, and which units run replaced files.
    Effect,
    /// Waits until a kernel on trial is proved, and fails when it is not in time: for its unit.
    KernelTrial,
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The host cannot be looked at.
    #[error(transparent)]
    File(#[from] FileError),
    /// The kernel is not proved.
    #[error(transparent)]
    Trial(#[from] TrialError),
    /// The standard output cannot be written.
    #[error("the standard output cannot be written")]
    Output(#[from] io::Error),
}

impl EffectCommand {
    /// Carries it out.
    ///
    /// # Errors
    /// [`CommandError`] says why not.
    pub fn carry_out(self) -> Result<(), CommandError> {
        match self {
            Self::Effect => show(),
            Self::KernelTrial => Ok(kernel_trial::watch()?),
        }
    }
}

/// Shows how far what is installed on this machine is in effect.
fn show() -> Result<(), CommandError> {
    let effect = look::effect(&Root::machine())?;
    Ok(writeln!(io::stdout(), "{}", effect.in_full())?)
}
