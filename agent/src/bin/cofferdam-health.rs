//! `cofferdam-health`: tells load balancers whether this host takes traffic, whatever becomes of the
//! agent. A program of its own, so that it holds nothing in memory that it does not need.

use clap::Parser;
use cofferdam_agent::{
    config::{self, ResponderConfig},
    health,
};
use cofferdam_proto::error_chain;
use std::{env, error::Error, path::PathBuf, process::ExitCode};

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
    // systemd makes the folder and says where it is. By hand there is none.
    let folder = env::var_os("STATE_DIRECTORY").map(PathBuf::from);
    let copy = folder.map(|folder| folder.join("agent.toml"));
    let config = ResponderConfig::find(&arguments.config, copy.as_deref());
    Ok(health::run(config)?)
}
