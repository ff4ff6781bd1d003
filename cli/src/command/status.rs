//! `cofferdam status`: how a rollout stands.

use crate::{
    clock,
    command::Session,
    exit::Exit,
    render::rollout::{Standing, exit_of},
};
use anyhow::Result;
use cofferdam_engine::id::RolloutId;

/// Arguments of `status`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exits with 3 when the rollout is paused, with 1 when it was aborted or \
    rolled back.\n\nExample:\n  cofferdam status openssl-2026-11"
)]
pub struct Args {
    /// The rollout's name
    #[arg(value_parser = |name: &str| RolloutId::new(name))]
    rollout: RolloutId,
}

/// Runs the command.
///
/// # Errors
/// When the coordinator cannot be asked, or does not know the rollout.
pub async fn run(args: Args, session: &Session) -> Result<Exit> {
    let rollout = session.client.status(&args.rollout).await?;
    session.out.show(&Standing::new(&rollout, clock::now()))?;
    Ok(exit_of(rollout.state))
}
