//! The rollout that a bundle carries: its parts go together, and its signature counts.

use super::{artefacts, entry::EntryName, evidence::Evidence, opened::Opened, trust::Trust};
use crate::{exit::UsageError, signing};
use anyhow::{Context as _, Result, bail, ensure};
use cofferdam_engine::{
    digest::Digest,
    lockfile,
    patch::LockFile,
    plan::rollout_digest,
    spec::Spec,
    statement::{Signed, Statement},
    time::Timestamp,
};
use std::collections::BTreeSet;

/// A rollout whose parts go together.
#[derive(Debug)]
pub struct Carried {
    /// What its file means.
    pub spec: Spec,
    /// Its bits.
    pub lock: LockFile,
    /// What an operator signed of it. Absent: nobody signed it.
    pub signed: Option<Signed>,
    /// Who that was.
    pub signer: Option<String>,
    /// How it stood where the bundle was made.
    pub evidence: Evidence,
}

impl Carried {
    /// Takes the rollout out of a bundle.
    ///
    /// # Errors
    /// When a part cannot be read or belongs to another rollout, or the rollout's signature does not count.
    pub fn of(opened: &Opened, trust: &Trust) -> Result<Self> {
        let spec = Spec::parse("rollout.toml", text(opened, EntryName::Rollout)?)
            .map_err(|mistakes| UsageError(mistakes.to_string()))?;
        let lock = lockfile::parse("lock", text(opened, EntryName::Lock)?)
            .map_err(|mistakes| UsageError(mistakes.to_string()))?;
        let evidence = Evidence::parse(text(opened, EntryName::Evidence)?)?;
        check_names(opened, &spec, &lock)?;
        check_bits(opened, &lock)?;
        check_evidence(&evidence, &spec, &lock)?;
        let signed = signed(opened);
        let signer = match &signed {
            Some(signed) => Some(signer(signed, &spec, &lock, trust)?),
            None => None,
        };
        Ok(Self {
            spec,
            lock,
            signed,
            signer,
            evidence,
        })
    }
}

/// Makes sure that a statement is of this rollout file and lock file, amends nothing and is still good.
///
/// # Errors
/// When it does not count for them.
pub fn check_statement(
    statement: &Statement,
    spec: &Spec,
    lock: &LockFile,
    now: Timestamp,
) -> Result<()> {
    if let Some(amends) = &statement.amends {
        bail!(UsageError(format!(
            "{} was signed as an amendment of {}: plan and sign it as a rollout of its own",
            statement.rollout, amends.rollout
        )));
    }
    signing::check_files(statement, spec, lock, now)
}

fn text(opened: &Opened, name: EntryName) -> Result<&str> {
    let text = opened.text(name);
    text.with_context(|| format!("{name} is missing"))
}

fn signed(opened: &Opened) -> Option<Signed> {
    Some(Signed {
        statement: opened.text(EntryName::Statement)?.to_owned(),
        signature: opened.text(EntryName::Signature)?.to_owned(),
    })
}

fn signer(signed: &Signed, spec: &Spec, lock: &LockFile, trust: &Trust) -> Result<String> {
    let checked = trust.of_rollout(signed)?;
    check_statement(&checked.statement, spec, lock, trust.now)?;
    Ok(checked.signer.name)
}

fn check_names(opened: &Opened, spec: &Spec, lock: &LockFile) -> Result<()> {
    let rollout = &opened.manifest.rollout;
    ensure!(
        spec.name() == rollout && lock.rollout == rollout.as_str(),
        "the bundle is of {rollout}, its rollout file of {}, its lock file of {}",
        spec.name(),
        lock.rollout
    );
    Ok(())
}

/// All artefacts of the lock file are there, or none, and no others.
fn check_bits(opened: &Opened, lock: &LockFile) -> Result<()> {
    let named = artefacts::of(lock);
    for place in &opened.artefacts {
        let wanted = named.get(&place.digest);
        let wanted = wanted.with_context(|| {
            let digest = place.digest;
            format!("the lock file does not name artefact {digest}")
        })?;
        ensure!(
            wanted.size == place.size,
            "{} has {} bytes, and the lock file says {}",
            wanted.what,
            place.size,
            wanted.size
        );
    }
    let there: BTreeSet<Digest> = opened.artefacts.iter().map(|place| place.digest).collect();
    let missing = named.iter().find(|(digest, _)| !there.contains(*digest));
    if let (Some((digest, wanted)), false) = (missing, there.is_empty()) {
        bail!("{} is missing among the artefacts: {digest}", wanted.what);
    }
    Ok(())
}

/// What was proved was proved with these bits.
fn check_evidence(evidence: &Evidence, spec: &Spec, lock: &LockFile) -> Result<()> {
    let own = rollout_digest(spec, lock);
    let others = evidence.proved.as_ref();
    let others = others.filter(|proved| proved.rollout_digest != own);
    ensure!(
        others.is_none() && evidence.is_of(spec.name()),
        "its evidence is of another rollout file or lock file"
    );
    Ok(())
}
