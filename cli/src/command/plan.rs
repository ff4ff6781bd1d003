//! `cofferdam plan`: what a rollout would do, and its lock file.

use crate::{
    command::{Session, sources},
    exit::Exit,
    file,
    render::plan::{Lock, Planned},
    rollout_file::RolloutFile,
};
use anyhow::Result;
use cofferdam_proto::operator::PlanRequest;
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
    let lock_text = sources::lock(&file, kept, &session.client).await?;
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
