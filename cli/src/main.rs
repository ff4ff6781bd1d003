//! `cofferdam`: the operator's command. Parses, runs, and maps the result to an exit code.

use clap::Parser as _;
use cofferdam::{args::Cli, command, render};
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let format = cli.output;
    match command::run(cli) {
        Ok(exit) => exit.into(),
        Err(error) => render::error::report(&error, format).into(),
    }
}
