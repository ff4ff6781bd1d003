//! `cofferdam completions`: the completions of a shell.

use crate::{
    args::Cli,
    exit::Exit,
    render::{Output, View},
};
use anyhow::Result;
use clap::CommandFactory as _;
use clap_complete::Shell;
use serde::Serialize;

/// Arguments of `completions`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  \
    cofferdam completions bash > ~/.local/share/bash-completion/completions/cofferdam")]
pub struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

#[derive(Serialize)]
struct Completions {
    shell: String,
    script: String,
}

impl View for Completions {
    fn text(&self) -> String {
        self.script.clone()
    }
}

/// Runs the command.
///
/// # Errors
/// When the output is closed or full.
pub fn run(args: &Args, out: Output) -> Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "cofferdam", &mut script);
    out.show(&Completions {
        shell: args.shell.to_string(),
        script: String::from_utf8_lossy(&script).into_owned(),
    })?;
    Ok(Exit::Done)
}
