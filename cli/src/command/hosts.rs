//! `cofferdam hosts`: the inventory.

use crate::{
    clock,
    command::Session,
    exit::Exit,
    render::{
        drift::DriftList,
        guards::GuardList,
        hosts::{Forgotten, HostList},
    },
};
use anyhow::Result;
use clap::Subcommand;
use cofferdam_engine::id::HostId;

/// Arguments of `hosts`.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Example:\n  cofferdam hosts -o json\n  cofferdam hosts --guard"
)]
pub struct Args {
    /// What their guards do, what these control, and what they last refused
    #[arg(long, conflicts_with = "drift")]
    guard: bool,
    /// What changed on them without an order
    #[arg(long)]
    drift: bool,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Delete a host that is gone for good; it must not be connected
    #[command(after_help = "Example:\n  cofferdam hosts forget web-17")]
    Forget {
        /// The host's name
        #[arg(value_parser = |name: &str| HostId::new(name))]
        host: HostId,
        /// Also where a rollback still wants it, which does without it then
        #[arg(long)]
        force: bool,
    },
}

/// Runs the command.
///
/// # Errors
/// When the coordinator cannot be asked, or refuses to forget the host.
pub async fn run(args: Args, session: &Session) -> Result<Exit> {
    match args.action {
        None => {
            let hosts = session.client.hosts().await?;
            let now = clock::now();
            match (args.guard, args.drift) {
                (true, _) => session.out.show(&GuardList { hosts, now })?,
                (false, true) => session.out.show(&DriftList { hosts, now })?,
                (false, false) => session.out.show(&HostList { hosts, now })?,
            }
        }
        Some(Action::Forget { host, force }) => {
            session.client.forget_host(host.clone(), force).await?;
            session.out.show(&Forgotten { forgotten: host })?;
        }
    }
    Ok(Exit::Done)
}
