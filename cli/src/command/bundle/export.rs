//! `cofferdam bundle export`: a rollout into one file.

use super::{Destination, Dialled, dial, stored, written};
use crate::{
    bundle::{
        artefacts::{self, Named},
        carried,
        entry::EntryName,
        evidence::Evidence,
        manifest::Kind,
        pack::Pack,
    },
    client::Client,
    clock,
    command::sign::read_lock,
    config::{Config, Endpoint, Settings},
    exit::{Exit, UsageError},
    render::{Output, table::counted},
    rollout_file::RolloutFile,
};
use anyhow::{Context as _, Result, bail};
use cofferdam_engine::{
    digest::Digest,
    patch::LockFile,
    plan::rollout_digest,
    statement::{Signed, Statement},
};
use std::{collections::BTreeMap, path::PathBuf};

/// Arguments of `export`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Needs the lock file that `cofferdam plan` writes, takes what `cofferdam sign` wrote along, and \
                  asks the coordinator how the rollout stands and for its bits.\n\nExample:\n  \
                  cofferdam bundle export openssl-2026-11.toml --to openssl.tar --with ~/.ssh/id_ed25519"
)]
pub(super) struct Args {
    /// The rollout file
    file: PathBuf,
    #[command(flatten)]
    destination: Destination,
    /// The coordinator whose artefact store has the bits, where a region is a process of its own
    #[arg(long, value_name = "URL")]
    store: Option<Endpoint>,
    /// Leave the bits out: hosts there have them from their own repositories
    #[arg(long, conflicts_with = "store")]
    without_artefacts: bool,
}

pub(super) async fn run(args: Args, config: &Config, out: Output) -> Result<Exit> {
    let file = RolloutFile::read(&args.file)?;
    let (lock_text, lock) = read_lock(&file)?;
    let signed = signed(&file, &lock)?;
    let Dialled { client, settings } = dial(config).await?;
    let bits = lock.bits(file.spec().patch());
    let evidence = written::evidence(&client, file.rollout(), &bits).await?;
    check(&evidence, &file, &lock)?;
    let named = match args.without_artefacts {
        true => BTreeMap::new(),
        false => artefacts::of(&lock),
    };
    let store = match (&args.store, named.is_empty()) {
        (_, true) => None,
        (None, false) => Some(client),
        (Some(endpoint), false) => Some(at(endpoint, settings.clone()).await?),
    };
    if let Some(store) = &store {
        check_store(store, &named).await?;
    }
    let pack = Pack {
        kind: Kind::Rollout,
        rollout: file.rollout().clone(),
        made: written::made(&settings)?,
        texts: texts(&file, lock_text, signed, &evidence)?,
        artefacts: named
            .into_iter()
            .map(|(digest, one)| (digest, one.size))
            .collect(),
    };
    let exported = written::write(&pack, &args.destination, store.as_ref()).await?;
    out.show(&exported)?;
    Ok(Exit::Done)
}

/// What was signed of the rollout, if it is still what is here. Whose signature it is, is judged by who imports it.
fn signed(file: &RolloutFile, lock: &LockFile) -> Result<Option<Signed>> {
    let Some(signed) = file.signed(None)? else {
        return Ok(None);
    };
    let statement = Statement::parse(&signed.statement);
    let statement = statement.context("what was signed cannot be read")?;
    carried::check_statement(&statement, file.spec(), lock, clock::now())?;
    Ok(Some(signed))
}

/// The coordinator runs this very rollout, or none of its name.
fn check(evidence: &Evidence, file: &RolloutFile, lock: &LockFile) -> Result<()> {
    let rollout = file.rollout();
    let amends = evidence
        .rollout
        .as_ref()
        .and_then(|view| view.amends.as_ref());
    if let Some(amends) = amends {
        bail!(UsageError(format!(
            "{rollout} amends {amends}, which a partition does not have: plan its file under a name of its own"
        )));
    }
    let own = rollout_digest(file.spec(), lock);
    let other = evidence.proved.as_ref();
    if other.is_some_and(|proved| proved.rollout_digest != own) {
        bail!(UsageError(format!(
            "the coordinator has {rollout} with another rollout file or lock file"
        )));
    }
    Ok(())
}

async fn at(endpoint: &Endpoint, settings: Settings) -> Result<Client> {
    let settings = Settings {
        server_name: endpoint.host.clone(),
        endpoint: endpoint.clone(),
        ..settings
    };
    Client::connect(&settings).await
}

/// The store has all that is named.
async fn check_store(store: &Client, named: &BTreeMap<Digest, Named>) -> Result<()> {
    let stored = stored(store).await?;
    let lacking = named.iter().filter(|(digest, _)| !stored.contains(*digest));
    let lacking: Vec<String> = lacking
        .map(|(digest, one)| format!("\n  {}, {digest}", one.what))
        .collect();
    if lacking.is_empty() {
        return Ok(());
    }
    bail!(
        "the artefact store lacks {}: --without-artefacts leaves all out{}",
        counted(lacking.len(), "artefact"),
        lacking.concat()
    )
}

fn texts(
    file: &RolloutFile,
    lock: String,
    signed: Option<Signed>,
    evidence: &Evidence,
) -> Result<BTreeMap<EntryName, String>> {
    let mut texts = BTreeMap::from([
        (EntryName::Rollout, file.text().to_owned()),
        (EntryName::Lock, lock),
        (EntryName::Evidence, evidence.text()?),
    ]);
    if let Some(Signed {
        statement,
        signature,
    }) = signed
    {
        texts.insert(EntryName::Statement, statement);
        texts.insert(EntryName::Signature, signature);
    }
    Ok(texts)
}
