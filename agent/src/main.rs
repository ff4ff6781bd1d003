//! `cofferdam-agent`: patches its own host, and nothing else.

use clap::{Parser, Subcommand};
use cofferdam_agent::{config::Settings, drift, effect, guard, host::root::Root, log, production};
use cofferdam_proto::error_chain;
use std::{error::Error, path::Path, path::PathBuf, process::ExitCode};

/// Patches its own host, and nothing else.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Example: cofferdam-agent run --config agent.toml"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// The config file [default: /etc/cofferdam/agent.toml].
    #[arg(long, global = true)]
    config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Works for this host until it is told to stop by SIGTERM or SIGINT.
    Run {
        /// Works on another root tree than the machine's own, as for images.
        #[arg(long, default_value = "/")]
        root: PathBuf,
    },
    /// Says everything that is wrong with the config file.
    CheckConfig,
    /// Says whether what runs on this host is what is installed, and which units run replaced files.
    Effect,
    /// Guards this host's packages.
    #[command(subcommand)]
    Guard(guard::command::GuardCommand),
    #[command(flatten)]
    Drift(drift::command::DriftCommand),
}

fn main() -> ExitCode {
    carry_out(Arguments::parse()).unwrap_or_else(|error| {
        eprintln!("cofferdam-agent: {}", error_chain(&*error));
        ExitCode::FAILURE
    })
}

fn carry_out(Arguments { command, config }: Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let named = config.as_deref();
    let config = named.unwrap_or(Path::new(cofferdam_agent::config::FILE));
    let settings = || Settings::load(config).inspect(|_| log::begin());
    match command {
        Command::Guard(command) => return Ok(command.carry_out(config)?),
        Command::Drift(command) => command.carry_out(named)?,
        Command::Effect => effect::command::show()?,
        Command::CheckConfig => cofferdam_agent::advice::give(&settings()?),
        Command::Run { root } => production::run(settings()?, Root::new(root)?)?,
    }
    Ok(ExitCode::SUCCESS)
}
