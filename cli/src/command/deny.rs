//! `cofferdam deny`: bits that must not be installed again.

use crate::{
    clock,
    command::Session,
    exit::Exit,
    render::denials::{DenialList, Denied},
};
use anyhow::Result;
use clap::Subcommand;
use cofferdam_engine::{
    denial::{Named, Place},
    digest::Digest,
    id::{CellId, HostId, RolloutId},
};
use cofferdam_proto::operator::{DenyRequest, LiftDenialRequest};

/// Arguments of `deny`.
#[derive(Debug, clap::Args)]
#[command(
    arg_required_else_help = true,
    after_help = "A rollback denies what it took back; a host denies what failed on it for good.\n\n\
                  Example:\n  cofferdam deny list"
)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List what is denied where, by whom and why
    #[command(after_help = "Example:\n  cofferdam deny list -o json")]
    List,
    /// Deny what a rollout installs, or bits by their digest
    #[command(
        after_help = "Example:\n  cofferdam deny add openssl-2026-11 --reason 'slow queries'"
    )]
    Add(Change),
    /// Let denied bits be installed again
    #[command(
        after_help = "Example:\n  cofferdam deny lift openssl-2026-11 --reason 'the cause is fixed'"
    )]
    Lift(Change),
}

#[derive(Debug, clap::Args)]
struct Change {
    /// A rollout's name, or the digest of bits as `deny list -o json` shows it
    #[arg(value_name = "DIGEST|ROLLOUT", value_parser = named)]
    bits: Named,
    /// On this host alone
    #[arg(long, value_parser = |name: &str| HostId::new(name), conflicts_with = "cell")]
    host: Option<HostId>,
    /// In this cell alone
    #[arg(long, value_parser = |name: &str| CellId::new(name))]
    cell: Option<CellId>,
    /// Why, for those who read it later
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

impl Change {
    fn place(&self) -> Option<Place> {
        let host = self.host.clone().map(|host| Place::Host { host });
        host.or_else(|| self.cell.clone().map(|cell| Place::Cell { cell }))
    }
}

/// 64 hexadecimal digits are a digest: no rollout should have such a name.
fn named(text: &str) -> Result<Named, cofferdam_engine::id::NameError> {
    if let Ok(digest) = Digest::parse(text) {
        return Ok(Named::Digest { digest });
    }
    RolloutId::new(text).map(|rollout| Named::Rollout { rollout })
}

/// Runs the command.
///
/// # Errors
/// When the coordinator cannot be asked, or knows no such bits, host or cell.
pub async fn run(args: Args, session: &Session) -> Result<Exit> {
    match args.action {
        Action::List => {
            let denials = session.client.denials().await?;
            let now = clock::now();
            session.out.show(&DenialList { denials, now })?;
        }
        Action::Add(change) => {
            let place = change.place().unwrap_or(Place::Fleet);
            let request = DenyRequest {
                bits: change.bits.clone(),
                place: place.clone(),
                reason: change.reason,
            };
            session.client.deny(request).await?;
            let (bits, place) = (change.bits, Some(place));
            session.out.show(&Denied {
                bits,
                place,
                is_denied: true,
            })?;
        }
        Action::Lift(change) => {
            let place = change.place();
            let request = LiftDenialRequest {
                bits: change.bits.clone(),
                only_at: place.clone(),
                reason: change.reason,
            };
            session.client.lift_denial(request).await?;
            session.out.show(&Denied {
                bits: change.bits,
                place,
                is_denied: false,
            })?;
        }
    }
    Ok(Exit::Done)
}
