//! `cofferdam pause | resume | abort | approve | promote`: how a rollout goes on.

use crate::{clock, command::Session, exit::Exit, render::rollout::Standing};
use anyhow::Result;
use cofferdam_engine::{denial::Scope, id::RolloutId};
use cofferdam_proto::operator::{Action, ChangeRequest};

/// Arguments of each of them.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The rollout's name
    #[arg(value_parser = |name: &str| RolloutId::new(name))]
    pub(super) rollout: RolloutId,
    /// Why, for those who read it later
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        value_name = "TEXT"
    )]
    pub(super) reason: String,
}

/// Arguments of what nobody does without a reason.
#[derive(Debug, clap::Args)]
pub struct ReasonedArgs {
    /// The rollout's name
    #[arg(value_parser = |name: &str| RolloutId::new(name))]
    rollout: RolloutId,
    /// Why, for those who read it later
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

impl From<ReasonedArgs> for Args {
    fn from(args: ReasonedArgs) -> Self {
        let ReasonedArgs { rollout, reason } = args;
        Self { rollout, reason }
    }
}

/// Runs the command.
///
/// # Errors
/// When the coordinator cannot be asked, does not know the rollout, or the rollout cannot go on so.
pub async fn run(args: Args, action: Action, session: &Session) -> Result<Exit> {
    ask(args, action, Scope::default(), session).await
}

/// Asks for a change; `reach` is read of a rollback alone.
pub(super) async fn ask(
    args: Args,
    action: Action,
    reach: Scope,
    session: &Session,
) -> Result<Exit> {
    let request = ChangeRequest {
        rollout: args.rollout,
        action,
        reason: args.reason,
        reach,
    };
    let rollout = session.client.change(request).await?;
    session.out.show(&Standing::new(&rollout, clock::now()))?;
    Ok(Exit::Done)
}
