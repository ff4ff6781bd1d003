//! What `cofferdam-agent` is told on its command line.

use crate::{drift, effect, guard};
use clap::{Parser, Subcommand};
use std::path::PathBuf;

/// Patches its own host, and nothing else.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Example: cofferdam-agent run --config agent.toml"
)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// The config file [default: /etc/cofferdam/agent.toml].
    #[arg(long, global = true)]
    pub config: Option<PathBuf>,
}

/// What it can be told to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Works for this host until it is told to stop by SIGTERM or SIGINT.
    Run {
        /// Works on another root tree than the machine's own, as for images.
        #[arg(long, default_value = "/")]
        root: PathBuf,
    },
    /// Says everything that is wrong with the config file.
    CheckConfig,
    /// Says how far what is installed is in effect.
    #[command(flatten)]
    Effect(effect::command::EffectCommand),
    /// Guards this host's packages.
    #[command(subcommand)]
    Guard(guard::command::GuardCommand),
    /// Seals images, and says what changed since.
    #[command(flatten)]
    Drift(drift::command::DriftCommand),
}
