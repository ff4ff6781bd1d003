//! `cofferdam reserve | release`: hosts that an operator takes and gives back.

use crate::{
    clock,
    command::Session,
    exit::Exit,
    render::reserve::{Released, Reserved},
};
use anyhow::Result;
use cofferdam_engine::{duration, id::HostId};
use cofferdam_proto::operator::{ReleaseHostsRequest, ReserveRequest};
use std::{collections::BTreeSet, time::Duration};

/// Arguments of `reserve`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "All of them or none: nobody else may have one, and their groups keep what must stay in \
                  service. No rollout takes them meanwhile. Your own you may keep longer by the same \
                  command.\n\n\
                  Example:\n  cofferdam reserve web-17 web-18 --for 30m --reason 'new disks'"
)]
pub struct ReserveArgs {
    /// The hosts
    #[arg(required = true, value_name = "HOST", value_parser = |name: &str| HostId::new(name))]
    hosts: Vec<HostId>,
    /// For how long, as in 30m; it ends by itself
    #[arg(long = "for", value_name = "DURATION", value_parser = duration::parse)]
    lasts: Duration,
    /// Why, for those who wait for them
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    reason: String,
}

/// Arguments of `release`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A host that is not in service then counts as fallen by itself.\n\n\
                  Example:\n  cofferdam release web-17 web-18"
)]
pub struct ReleaseArgs {
    /// The hosts
    #[arg(required = true, value_name = "HOST", value_parser = |name: &str| HostId::new(name))]
    hosts: Vec<HostId>,
    /// Those of other operators too; who did so is recorded
    #[arg(long)]
    force: bool,
}

/// Runs `reserve`.
///
/// # Errors
/// When the coordinator cannot be asked, or refuses.
pub async fn reserve(args: ReserveArgs, session: &Session) -> Result<Exit> {
    let hosts = once(args.hosts);
    let request = ReserveRequest {
        hosts: hosts.clone(),
        reason: args.reason,
        lasts: args.lasts,
    };
    let reply = session.client.reserve(request).await?;
    session.out.show(&Reserved {
        reserved: hosts,
        until_ms: reply.until_ms,
        now: clock::now(),
    })?;
    Ok(Exit::Done)
}

/// Runs `release`.
///
/// # Errors
/// When the coordinator cannot be asked, or refuses.
pub async fn release(args: ReleaseArgs, session: &Session) -> Result<Exit> {
    let released = once(args.hosts);
    let (hosts, force) = (released.clone(), args.force);
    let request = ReleaseHostsRequest { hosts, force };
    session.client.release_hosts(request).await?;
    session.out.show(&Released { released })?;
    Ok(Exit::Done)
}

/// Each host once, as often as it was named.
fn once(hosts: Vec<HostId>) -> Vec<HostId> {
    let hosts: BTreeSet<HostId> = hosts.into_iter().collect();
    hosts.into_iter().collect()
}
