//! `cofferdam bundle`: rollouts for partitions that nothing is linked to, and what became of them.

mod export;
mod import;
mod results;
mod written;

use crate::{
    client::Client,
    config::{Config, Settings},
    exit::Exit,
    render::Output,
};
use anyhow::Result;
use clap::Subcommand;
use cofferdam_engine::digest::Digest;
use std::{collections::BTreeSet, path::PathBuf};

/// Arguments of `bundle`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  cofferdam bundle export openssl-2026-11.toml --to openssl.tar --with ~/.ssh/id_ed25519"
)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Write a rollout, its bits and what it proved so far into one file
    Export(export::Args),
    /// Check a bundle, and take in what it brings
    Import(import::Args),
    /// Write what became of a rollout here into one file
    Results(results::Args),
}

/// Where a bundle goes, and who signs it.
#[derive(Debug, clap::Args)]
struct Destination {
    /// The file to write
    #[arg(long, value_name = "BUNDLE")]
    to: PathBuf,
    /// The key to sign the bundle with: ed25519 or ecdsa-p256
    #[arg(long, value_name = "KEY", required_unless_present = "unsigned")]
    with: Option<PathBuf>,
    /// Do not sign the bundle: who imports it must ask for that, too
    #[arg(long, conflicts_with = "with")]
    unsigned: bool,
}

/// Runs the command.
///
/// # Errors
/// When a file is wrong or cannot be written, a signature does not count, or the coordinator does not answer.
pub async fn run(args: Args, config: &Config, out: Output) -> Result<Exit> {
    match args.action {
        Action::Export(args) => export::run(args, config, out).await,
        Action::Import(args) => import::run(args, config, out).await,
        Action::Results(args) => results::run(args, config, out).await,
    }
}

/// A coordinator, and how it was dialled.
struct Dialled {
    client: Client,
    settings: Settings,
}

/// What an artefact store has.
async fn stored(store: &Client) -> Result<BTreeSet<Digest>> {
    let all = store.artefacts().await?.into_iter();
    Ok(all.map(|one| one.digest).collect())
}

async fn dial(config: &Config) -> Result<Dialled> {
    let settings = config.settings()?;
    let client = Client::connect(&settings).await?;
    Ok(Dialled { client, settings })
}
