//! What goes wrong with a fleet, and the outside commands that say so.

use crate::patience::Late;
use std::{
    error::Error,
    io,
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};
use tokio::{process::Command, time::timeout};

/// Why a fleet, or something on it, failed.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// A file or folder.
    #[error("cannot {what} {}", path.display())]
    File {
        /// What was tried: `read`, `write` ...
        what: &'static str,
        /// Which one.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A command could not be started.
    #[error("cannot run {command}")]
    Start {
        /// The command with its arguments.
        command: String,
        /// What the system said.
        source: io::Error,
    },
    /// A command failed.
    #[error("{command} failed ({status}): {said}")]
    Failed {
        /// The command with its arguments.
        command: String,
        /// How it ended.
        status: String,
        /// What it printed, both streams.
        said: String,
    },
    /// Something did not happen in time.
    #[error("waited {within:?} for {what}: {obstacle}")]
    Late {
        /// What was waited for.
        what: String,
        /// How long.
        within: Duration,
        /// What was seen instead, last.
        obstacle: String,
    },
    /// A part of the fleet that other crates make.
    #[error("cannot make {what}")]
    Part {
        /// Which part.
        what: &'static str,
        /// What its maker said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// What was asked for cannot be.
    #[error("{0}")]
    Refused(String),
}

/// Turns an error of the file system into one that names the file.
pub(crate) fn file<'a>(
    what: &'static str,
    path: &'a Path,
) -> impl FnOnce(io::Error) -> FleetError + 'a {
    move |source| FleetError::File {
        what,
        path: path.to_owned(),
        source,
    }
}

/// Turns an error of another crate into one that names the part.
pub(crate) fn part<E: Into<Box<dyn Error + Send + Sync>>>(
    what: &'static str,
) -> impl FnOnce(E) -> FleetError {
    move |source| FleetError::Part {
        what,
        source: source.into(),
    }
}

/// Says what was waited for.
pub(crate) fn late(what: impl Into<String>) -> impl FnOnce(Late) -> FleetError {
    move |Late { within, obstacle }| FleetError::Late {
        what: what.into(),
        within,
        obstacle,
    }
}

/// Runs a command to its end and hands out what it printed on standard output.
///
/// # Errors
/// When it cannot be started, fails, or is still running after `within`; it is killed then.
pub(crate) async fn succeed(mut command: Command, within: Duration) -> Result<String, FleetError> {
    let output = ended(&mut command, within).await?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(FleetError::Failed {
        command: said(&command),
        status: output.status.to_string(),
        said: printed(&output).trim().to_owned(),
    })
}

/// Runs a command to its end, well or not.
///
/// # Errors
/// When it cannot be started, or is still running after `within`; it is killed then.
pub(crate) async fn ended(command: &mut Command, within: Duration) -> Result<Output, FleetError> {
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = timeout(within, command.output()).await;
    let output = output.map_err(|_| FleetError::Late {
        what: said(command),
        within,
        obstacle: "it is still running".to_owned(),
    })?;
    output.map_err(|source| FleetError::Start {
        command: said(command),
        source,
    })
}

/// All that a command printed, errors last.
pub(crate) fn printed(output: &Output) -> String {
    let both = [output.stdout.as_slice(), &output.stderr].concat();
    String::from_utf8_lossy(&both).into_owned()
}

fn said(command: &Command) -> String {
    let command = command.as_std();
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    words.join(" ")
}
