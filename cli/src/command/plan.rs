//! `cofferdam plan`: what a rollout would do, and its lock file.

use crate::{
    client::Client,
    command::{Session, artefact},
    exit::Exit,
    file,
    render::plan::{Lock, Planned},
    rollout_file::RolloutFile,
};
use anyhow::{Context as _, Result};
use cofferdam_engine::{
    lockfile,
    patch::{LockFile, Locked, LockedFile},
};
use cofferdam_proto::operator::{ArtefactStored, PlanRequest};
use std::path::PathBuf;

/// Arguments of `plan`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Writes NAME.lock beside FILE, with the exact bits that every wave \
    installs. A lock file that is there is kept.\n\nExample:\n  cofferdam plan openssl-2026-11.toml"
)]
pub struct Args {
    /// The rollout file
    pub file: PathBuf,
    /// Resolve the bits anew, though there is a lock file
    #[arg(long)]
    pub relock: bool,
}

/// Runs the command.
///
/// # Errors
/// When the file is wrong, the coordinator refuses it, or the lock file cannot be written.
pub async fn run(args: Args, session: &Session) -> Result<Exit> {
    let file = RolloutFile::read(&args.file)?;
    let uploaded = upload(&file, &session.client).await?;
    let kept = if args.relock { None } else { file.lock()? };
    let lock = match kept {
        Some(_) => Lock::Kept,
        None => Lock::Written,
    };
    // The lock file says what its advisory fixes, so the file is read only to make one.
    let advisory = match lock {
        Lock::Kept => None,
        Lock::Written => file.advisory()?,
    };
    // Of content that is named by its digest the coordinator makes it.
    let lock_text = kept.or_else(|| Some(lock_config(&file, uploaded?)));
    let request = PlanRequest {
        file_name: file.name(),
        spec_text: file.text().to_owned(),
        lock_text,
        advisory,
    };
    let reply = session.client.plan(request).await?;
    let lock_file = file.lock_path();
    if lock == Lock::Written {
        file::replace(&lock_file, file::PUBLIC, &reply.lock_text)?;
    }
    session.out.show(&Planned {
        lock_file,
        lock,
        plan: reply.plan,
        findings: reply.findings,
    })?;
    Ok(Exit::Done)
}

/// A config patch's bits must be in the artefact store before its lock file names them. Nothing for
/// other patches.
pub(super) async fn upload(file: &RolloutFile, client: &Client) -> Result<Option<ArtefactStored>> {
    let Some(source) = file.source() else {
        return Ok(None);
    };
    let stored = artefact::upload(&source, client).await;
    stored.context("cannot store the patch's source").map(Some)
}

/// The lock file of a config patch: the coordinator never sees its source, so it is made here.
pub(super) fn lock_config(file: &RolloutFile, stored: ArtefactStored) -> String {
    let ArtefactStored { digest, size } = stored;
    lockfile::format(&LockFile {
        rollout: file.rollout().to_string(),
        content: Locked::Config(LockedFile {
            sha256: digest,
            size,
        }),
    })
}
