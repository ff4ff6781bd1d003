//! `cofferdam hosts`: the inventory.

use crate::{
    clock,
    command::Session,
    exit::Exit,
    render::{
        drift::{DriftIs, DriftList},
        guards::{GuardIs, GuardList},
        hosts::{Forgotten, HostList},
    },
};
use anyhow::Result;
use clap::Subcommand;
use cofferdam_engine::{id::HostId, select::Selection};

/// Arguments of `hosts`.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "The guards and the drift are shown with the worst first, and how many hosts stand how.\n\n\
                  Examples:\n  cofferdam hosts -o json\n  \
                  cofferdam hosts --match 'service == \"web\" and region == \"r1\"'\n  \
                  cofferdam hosts --guard\n  \
                  cofferdam hosts --guard=lost,off --match 'service == \"web\"'\n  \
                  cofferdam hosts --drift=drifted"
)]
pub struct Args {
    /// What their guards do, what these control, and what they last refused; of hosts whose guards stand in
    /// some ways alone, if these are named
    #[arg(long, value_name = "STATE", num_args = 0.., require_equals = true, value_delimiter = ',',
          conflicts_with = "drift")]
    guard: Option<Vec<GuardIs>>,
    /// What changed on them without an order; likewise
    #[arg(long, value_name = "STATE", num_args = 0.., require_equals = true, value_delimiter = ',')]
    drift: Option<Vec<DriftIs>>,
    /// Only hosts that are selected, in the language of `match` in a rollout file
    #[arg(long = "match", value_name = "SELECTION", value_parser = Selection::parse)]
    selection: Option<Selection>,
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
            let mut hosts = session.client.hosts().await?;
            if let Some(selection) = &args.selection {
                hosts.retain(|host| host.is_selected(selection));
            }
            let now = clock::now();
            match (args.guard, args.drift) {
                (Some(only), _) => session.out.show(&GuardList::new(hosts, &only, now))?,
                (None, Some(only)) => session.out.show(&DriftList::new(hosts, &only, now))?,
                (None, None) => session.out.show(&HostList { hosts, now })?,
            }
        }
        Some(Action::Forget { host, force }) => {
            session.client.forget_host(host.clone(), force).await?;
            session.out.show(&Forgotten { forgotten: host })?;
        }
    }
    Ok(Exit::Done)
}
