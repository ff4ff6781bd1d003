//! `cofferdam rollback`: takes a rollout back, and denies its bits.

use super::change;
use crate::{command::Session, exit::Exit, render::rollback::Preview};
use anyhow::Result;
use cofferdam_engine::denial;
use cofferdam_proto::operator::Action;

/// Arguments of `rollback`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  cofferdam rollback openssl-2026-11 --reason 'slow queries'")]
#[group(id = "rollback")]
pub struct Args {
    #[command(flatten)]
    which: change::Args,
    /// Where its bits are denied from now on, until `cofferdam deny lift`
    #[arg(long, value_enum, default_value_t = Scope::Fleet, value_name = "SCOPE")]
    scope: Scope,
    /// Show what it would do, and do nothing
    #[arg(long)]
    dry_run: bool,
}

/// How far the denial reaches.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Scope {
    /// Everywhere
    Fleet,
    /// In the cells in which it took a host
    Cell,
    /// On the hosts that it took
    Host,
}

/// Runs the command.
///
/// # Errors
/// When the coordinator cannot be asked, does not know the rollout, or the rollout cannot go back.
pub async fn run(args: Args, session: &Session) -> Result<Exit> {
    if args.dry_run {
        let rollout = args.which.rollout;
        let preview = session.client.preview_rollback(rollout).await?;
        session.out.show(&Preview(preview))?;
        return Ok(Exit::Done);
    }
    let reach = match args.scope {
        Scope::Fleet => denial::Scope::Fleet,
        Scope::Cell => denial::Scope::Cell,
        Scope::Host => denial::Scope::Host,
    };
    change::ask(args.which, Action::Rollback, reach, session).await
}
