//! `cofferdam-agent`: patches its own host, and nothing else.

use clap::Parser as _;
use cofferdam_agent::{
    advice,
    arguments::{Arguments, Command},
    config::{self, Settings},
    host::root::Root,
    log, production,
};
use cofferdam_proto::error_chain;
use std::{error::Error, path::Path, process::ExitCode};

fn main() -> ExitCode {
    carry_out(Arguments::parse()).unwrap_or_else(|error| {
        eprintln!("cofferdam-agent: {}", error_chain(&*error));
        ExitCode::FAILURE
    })
}

fn carry_out(Arguments { command, config }: Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let named = config.as_deref();
    let config = named.unwrap_or(Path::new(config::FILE));
    let settings = || Settings::load(config).inspect(|_| log::begin());
    match command {
        Command::Guard(command) => return Ok(command.carry_out(config)?),
        Command::Drift(command) => command.carry_out(named)?,
        Command::Effect(command) => command.carry_out()?,
        Command::CheckConfig => advice::give(&settings()?),
        Command::Run { root } => production::run(settings()?, Root::new(root)?)?,
    }
    Ok(ExitCode::SUCCESS)
}
