//! `fleet`: a real fleet for a person to play with.

use clap::Parser;
use cofferdam_proto::error_chain;
use cofferdam_tests::real_fleet::command::Act;
use std::process::ExitCode;

/// A real fleet for a person to play with: Debian hosts that boot, reboot and lose power.
#[derive(Debug, Parser)]
#[command(after_help = "Example:\n  fleet up --hosts 8\n  fleet shell web-3")]
struct Arguments {
    #[command(subcommand)]
    act: Act,
}

#[tokio::main]
async fn main() -> ExitCode {
    match Arguments::parse().act.carry_out().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fleet: {}", error_chain(&error));
            ExitCode::FAILURE
        }
    }
}
