//! Makes a bundle's file: whole, or not at all.

use super::Destination;
use crate::{
    bundle::{
        evidence::Evidence,
        manifest::{Line, Made},
        pack::{Pack, Packing},
    },
    channel,
    client::Client,
    clock,
    config::Settings,
    render::bundle::Exported,
    signing,
};
use anyhow::{Context as _, Result, bail};
use cofferdam_engine::{
    digest::Digest, id::RolloutId, identity::Identity, signers::BUNDLE_NAMESPACE,
};
use cofferdam_proto::{
    operator::DenialView,
    status::{CallError, CallErrorKind},
};
use std::{collections::BTreeSet, fs::File, io::BufWriter, path::Path};
use tempfile::NamedTempFile;

/// Who makes a bundle now.
pub(super) fn made(settings: &Settings) -> Result<Made> {
    let credentials = channel::credentials(settings)?;
    let Identity::Operator(by) = credentials.identity() else {
        let who = credentials.identity();
        bail!(
            "{} is the certificate of {who}, not of an operator",
            settings.cert.display()
        );
    };
    Ok(Made {
        by: by.clone(),
        fleet: Line::of(credentials.trust_domain()),
        at_ms: clock::now(),
        release: Line::of(env!("CARGO_PKG_VERSION")),
    })
}

/// What a coordinator knows of a rollout and of the denials of its bits.
pub(super) async fn evidence(
    client: &Client,
    rollout: &RolloutId,
    bits: &BTreeSet<Digest>,
) -> Result<Evidence> {
    let standing = known(client.status(rollout).await)?;
    let proved = match standing {
        Some(_) => Some(client.evidence(rollout).await?),
        None => None,
    };
    let is_ours = |denial: &DenialView| {
        denial.rollout.as_ref() == Some(rollout) || bits.contains(&denial.bits)
    };
    let denials = client.denials().await?.into_iter().filter(is_ours);
    Ok(Evidence {
        at_ms: clock::now(),
        rollout: standing,
        proved,
        denials: denials.collect(),
    })
}

/// Nothing of what the coordinator says it does not know.
fn known<T>(answer: Result<T>) -> Result<Option<T>> {
    let is_unknown = |error: &anyhow::Error| {
        let refused = error.downcast_ref::<CallError>();
        refused.is_some_and(|error| error.kind() == CallErrorKind::NotFound)
    };
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(error) if is_unknown(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes a bundle beside its place and moves it there once it is whole. Artefacts come from `store`; absent: there
/// are none.
pub(super) async fn write(
    pack: &Pack,
    destination: &Destination,
    store: Option<&Client>,
) -> Result<Exported> {
    let to = &destination.to;
    let manifest = pack.manifest(destination.with.is_some()).text()?;
    let signature = match &destination.with {
        Some(key) => Some(signing::sign_text(&manifest, BUNDLE_NAMESPACE, key)?),
        None => None,
    };
    let writing = || format!("cannot write {}", to.display());
    let file = NamedTempFile::new_in(folder(to)).with_context(writing)?;
    let buffered = BufWriter::new(file.as_file());
    let mut packing = pack.begin(buffered, &manifest, signature.as_deref())?;
    if let Some(store) = store {
        fetch(pack, store, &mut packing).await?;
    }
    packing.finish().with_context(writing)?;
    file.as_file().sync_all().with_context(writing)?;
    let bytes = file.as_file().metadata().with_context(writing)?.len();
    file.persist(to).with_context(writing)?;
    let synced = File::open(folder(to)).and_then(|folder| folder.sync_all());
    synced.with_context(writing)?;
    Ok(Exported {
        rollout: pack.rollout.clone(),
        file: to.clone(),
        bytes,
        artefacts: pack.artefacts.len(),
        is_signed: signature.is_some(),
    })
}

async fn fetch(pack: &Pack, store: &Client, packing: &mut Packing<BufWriter<&File>>) -> Result<()> {
    for (digest, size) in &pack.artefacts {
        packing.begin(*digest, *size)?;
        let mut fetching = store.fetch_artefact(*digest).await?;
        while let Some(bytes) = fetching.next().await? {
            packing.write(&bytes)?;
        }
        packing.end()?;
    }
    Ok(())
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        Some(_) | None => Path::new("."),
    }
}
