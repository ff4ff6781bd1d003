//! `cofferdam-coordinator`: owns rollouts, cells and their ledgers; agents and operators dial in.

use clap::{Parser, Subcommand};
use cofferdam_coordinator::{config::Settings, production};
use cofferdam_proto::error_chain;
use std::{error::Error, io, path::PathBuf, process::ExitCode};
use tracing_subscriber::EnvFilter;

/// Owns rollouts, cells and their ledgers; agents and operators dial in.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Example: cofferdam-coordinator run --config coordinator.toml"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// The config file.
    #[arg(long, global = true, default_value = "/etc/cofferdam/coordinator.toml")]
    config: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves until it is told to stop by SIGTERM or SIGINT.
    Run,
    /// Says everything that is wrong with the config file.
    CheckConfig,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let settings = match Settings::load(&arguments.config) {
        Ok(settings) => settings,
        Err(mistakes) => return failed(&mistakes),
    };
    match arguments.command {
        Command::CheckConfig => ExitCode::SUCCESS,
        Command::Run => {
            log();
            production::run(settings).map_or_else(|error| failed(&error), |()| ExitCode::SUCCESS)
        }
    }
}

fn failed(error: &(dyn Error + 'static)) -> ExitCode {
    eprintln!("cofferdam-coordinator: {}", error_chain(error));
    ExitCode::FAILURE
}

fn log() {
    let filter = EnvFilter::try_from_env("COFFERDAM_LOG").unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::IsTerminal::is_terminal(&io::stderr()))
        .init();
}
