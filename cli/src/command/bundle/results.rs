//! `cofferdam bundle results`: what became of a rollout into one file.

use super::{Destination, Dialled, dial, written};
use crate::{
    bundle::{entry::EntryName, manifest::Kind, pack::Pack},
    config::Config,
    exit::{Exit, UsageError},
    render::Output,
};
use anyhow::{Result, bail};
use cofferdam_engine::id::RolloutId;
use std::collections::{BTreeMap, BTreeSet};

/// Arguments of `results`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "How the rollout stands, what failed where, what it proved and what was denied. `cofferdam bundle \
                  import` shows it elsewhere.\n\nExample:\n  \
                  cofferdam bundle results openssl-2026-11 --to results.tar --with ~/.ssh/id_ed25519"
)]
pub(super) struct Args {
    /// The rollout
    #[arg(value_parser = |name: &str| RolloutId::new(name))]
    rollout: RolloutId,
    #[command(flatten)]
    destination: Destination,
}

pub(super) async fn run(args: Args, config: &Config, out: Output) -> Result<Exit> {
    let Dialled { client, settings } = dial(config).await?;
    let rollout = args.rollout;
    let evidence = written::evidence(&client, &rollout, &BTreeSet::new()).await?;
    if evidence.rollout.is_none() {
        bail!(UsageError(format!("there is no rollout {rollout} here")));
    }
    let pack = Pack {
        kind: Kind::Results,
        rollout,
        made: written::made(&settings)?,
        texts: BTreeMap::from([(EntryName::Evidence, evidence.text()?)]),
        artefacts: BTreeMap::new(),
    };
    let exported = written::write(&pack, &args.destination, None).await?;
    out.show(&exported)?;
    Ok(Exit::Done)
}
