//! `cofferdam exclude | skip | retry`: what an operator says of single hosts of a rollout.

use crate::{
    clock,
    command::{Session, change},
    exit::Exit,
    render::rollout::Standing,
};
use anyhow::Result;
use cofferdam_engine::{exception::Word, id::HostId};
use cofferdam_proto::operator::{ExceptRequest, Whom};

/// Arguments of `exclude`.
#[derive(Debug, clap::Args)]
#[command(
    group = clap::ArgGroup::new("whom").required(true),
    after_help = "Hosts that passed stay in the rollout, to be rolled back with it. A host whose change \
                  began ends its run safely.\n\n\
                  Example:\n  cofferdam exclude openssl-2026-11 --stratum instance_type=r5.4xlarge \
                  --reason 'bnxt driver'"
)]
pub struct ExcludeArgs {
    #[command(flatten)]
    said: change::Args,
    /// These hosts
    #[arg(
        long,
        group = "whom",
        num_args = 1..,
        value_name = "NAME",
        value_parser = |name: &str| HostId::new(name)
    )]
    host: Vec<HostId>,
    /// The hosts that match this, as in a rollout file
    #[arg(long = "match", group = "whom", value_name = "SELECTION")]
    selection: Option<String>,
    /// The hosts of this stratum, as LABEL=VALUE; a zone with its region, as zone=r1/b
    #[arg(long, group = "whom", value_name = "STRATUM")]
    stratum: Option<String>,
}

/// Arguments of `skip`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A host whose run is past its claim counts as out until it reports that it serves.\n\n\
                  Example:\n  cofferdam skip openssl-2026-11 web-17 --reason 'its disk is being replaced'"
)]
pub struct SkipArgs {
    #[command(flatten)]
    said: change::Args,
    /// The hosts
    #[arg(required = true, value_name = "HOST", value_parser = |name: &str| HostId::new(name))]
    hosts: Vec<HostId>,
}

/// Arguments of `retry`.
#[derive(Debug, clap::Args)]
#[command(
    group = clap::ArgGroup::new("whom").required(true),
    after_help = "Only hosts that are back at what they had, and serve, are tried again.\n\n\
                  Example:\n  cofferdam retry openssl-2026-11 --failed --reason 'mirror is back'"
)]
pub struct RetryArgs {
    #[command(flatten)]
    said: change::Args,
    /// The hosts: failed, left out or skipped ones
    #[arg(group = "whom", value_name = "HOST", value_parser = |name: &str| HostId::new(name))]
    hosts: Vec<HostId>,
    /// All that failed, went back to what they had, and serve
    #[arg(long, group = "whom")]
    failed: bool,
}

/// Runs `exclude`.
///
/// # Errors
/// When the coordinator cannot be asked, or refuses.
pub async fn exclude(args: ExcludeArgs, session: &Session) -> Result<Exit> {
    let whom = match (args.selection, args.stratum) {
        (Some(selection), _) => Whom::Matching(selection),
        (None, Some(stratum)) => Whom::Stratum(stratum),
        (None, None) => Whom::Hosts(args.host),
    };
    say(Word::Exclude, args.said, whom, session).await
}

/// Runs `skip`.
///
/// # Errors
/// When the coordinator cannot be asked, or refuses.
pub async fn skip(args: SkipArgs, session: &Session) -> Result<Exit> {
    say(Word::Skip, args.said, Whom::Hosts(args.hosts), session).await
}

/// Runs `retry`.
///
/// # Errors
/// When the coordinator cannot be asked, or refuses.
pub async fn retry(args: RetryArgs, session: &Session) -> Result<Exit> {
    let whom = match args.failed {
        true => Whom::Failed,
        false => Whom::Hosts(args.hosts),
    };
    say(Word::Retry, args.said, whom, session).await
}

async fn say(word: Word, said: change::Args, whom: Whom, session: &Session) -> Result<Exit> {
    let request = ExceptRequest {
        rollout: said.rollout,
        word,
        whom,
        reason: said.reason,
    };
    let rollout = session.client.except(request).await?;
    session.out.show(&Standing::new(&rollout, clock::now()))?;
    Ok(Exit::Done)
}
