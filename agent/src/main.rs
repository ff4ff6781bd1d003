//! `cofferdam-agent`: patches its own host, and nothing else.

use clap::{Parser, Subcommand};
use cofferdam_agent::{config::Settings, host::root::Root, production};
use cofferdam_proto::error_chain;
use std::{error::Error, io, path::PathBuf, process::ExitCode};
use tracing_subscriber::EnvFilter;

/// Patches its own host, and nothing else.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Example: cofferdam-agent run --config agent.toml"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// The config file.
    #[arg(long, global = true, default_value = "/etc/cofferdam/agent.toml")]
    config: PathBuf,
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
}

fn main() -> ExitCode {
    let Err(error) = carry_out(Arguments::parse()) else {
        return ExitCode::SUCCESS;
    };
    eprintln!("cofferdam-agent: {}", error_chain(&*error));
    ExitCode::FAILURE
}

fn carry_out(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let settings = Settings::load(&arguments.config)?;
    let filter = EnvFilter::try_from_env("COFFERDAM_LOG").unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::IsTerminal::is_terminal(&io::stderr()))
        .init();
    match arguments.command {
        Command::CheckConfig => Ok(()),
        Command::Run { root } => Ok(production::run(settings, Root::new(root)?)?),
    }
}
