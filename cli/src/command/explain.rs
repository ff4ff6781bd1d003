//! `cofferdam explain`: why something is as it is.

use crate::{clock, command::Session, exit::Exit, render::explain::Explained};
use anyhow::Result;

/// Arguments of `explain`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  cofferdam explain web-17")]
pub struct Args {
    /// The name of a rollout, a cell or a host
    pub subject: String,
}

/// Runs the command.
///
/// # Errors
/// When the coordinator cannot be asked, or knows nothing of that name.
pub async fn run(args: Args, session: &Session) -> Result<Exit> {
    let explanation = session.client.explain(&args.subject).await?;
    let explained = Explained::new(explanation, clock::now());
    session.out.show(&explained)?;
    Ok(Exit::Done)
}
