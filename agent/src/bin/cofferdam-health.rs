//! `cofferdam-health`: tells load balancers whether this host takes traffic, whatever becomes of the
//! agent. A program of its own, so that it holds nothing in memory that it does not need.

use clap::Parser;
use cofferdam_agent::{
    config::{self, ResponderConfig},
    health,
};
use cofferdam_proto::error_chain;
use std::{error::Error, path::PathBuf, process::ExitCode};

/// Tells load balancers whether this host takes traffic.
#[derive(Debug, Parser)]
#[command(version, after_help = "Example: cofferdam-health --config agent.toml")]
struct Arguments {
    /// The agent's config file.
    #[arg(long, default_value = config::FILE)]
    config: PathBuf,
}

fn main() -> ExitCode {
    let Err(error) = carry_out(&Arguments::parse()) else {
        return ExitCode::SUCCESS;
    };
    eprintln!("cofferdam-health: {}", error_chain(&*error));
    ExitCode::FAILURE
}

fn carry_out(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let config = ResponderConfig::load(&arguments.config)?;
    Ok(health::run(&config)?)
}
