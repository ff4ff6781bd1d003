//! `cofferdam list`: the rollouts.

use crate::{clock, command::Session, exit::Exit, render::list::RolloutList};
use anyhow::Result;

/// Arguments of `list`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  cofferdam list -o json")]
pub struct Args {}

/// Runs the command.
///
/// # Errors
/// When the coordinator cannot be asked.
pub async fn run(Args {}: Args, session: &Session) -> Result<Exit> {
    let rollouts = session.client.list().await?;
    let now = clock::now();
    session.out.show(&RolloutList { rollouts, now })?;
    Ok(Exit::Done)
}
