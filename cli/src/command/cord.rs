//! `cofferdam cord`: the button that stops every rollout.

use crate::{clock, command::Session, exit::Exit, render::cord::Cord};
use anyhow::Result;
use cofferdam_proto::operator::CordRequest;

/// Arguments of `cord`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "While the cord is pulled no host is started, drained or staged for, in no rollout and on no way back. \
    Runs that changed their host end safely. Whoever can reach a region's coordinator alone pulls that region's \
    own cord there: cofferdam --endpoint URL cord pull.\n\n\
    Example:\n  cofferdam cord pull --reason 'errors in r1'"
)]
pub struct Args {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Stop every rollout, and list who could not be told
    #[command(after_help = "Example:\n  cofferdam cord pull --reason 'errors in r1'")]
    Pull(Why),
    /// Let every rollout go on from where it was; what was paused stays paused
    #[command(after_help = "Example:\n  cofferdam cord release --reason 'it was the switch'")]
    Release(Why),
    /// Show whether it is pulled, by whom, and who has not heard of it
    #[command(after_help = "Example:\n  cofferdam cord status")]
    Status,
}

#[derive(Debug, clap::Args)]
struct Why {
    /// Why, for those who read it later
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// Runs the command.
///
/// # Errors
/// When the coordinator cannot be asked, or the cord is to be released and was not pulled there.
pub async fn run(args: Args, session: &Session) -> Result<Exit> {
    let client = &session.client;
    let request = |why: Why| CordRequest { reason: why.reason };
    let cord = match args.action.unwrap_or(Action::Status) {
        Action::Pull(why) => client.pull_cord(request(why)).await?,
        Action::Release(why) => client.release_cord(request(why)).await?,
        Action::Status => client.cord().await?,
    };
    let now = clock::now();
    session.out.show(&Cord { cord, now })?;
    Ok(Exit::Done)
}
