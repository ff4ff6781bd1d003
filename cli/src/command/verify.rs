//! `cofferdam verify`: whether a rollout's signature counts.

use crate::{
    clock,
    exit::{Exit, UsageError},
    render::{Output, sign::Verified},
    rollout_file::RolloutFile,
    signing,
};
use anyhow::{Context as _, Result};
use std::path::PathBuf;

/// Arguments of `verify`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exits with 1 when the signature does not count: FILE or its lock file is not what was \
                  signed, the key is not in SIGNERS or does not count now, or the statement's time is over. \
                  What a statement amends is not looked at.\n\n\
                  Example:\n  cofferdam verify openssl-2026-11.toml --signers /etc/cofferdam/allowed_signers"
)]
pub struct Args {
    /// The rollout file
    pub file: PathBuf,
    /// The file of allowed signers, as agents have it
    #[arg(long, value_name = "SIGNERS")]
    pub signers: PathBuf,
    /// The signature [default: NAME.sig beside FILE]
    #[arg(long, value_name = "SIG")]
    pub signature: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// When a file cannot be read, or the signature does not count.
pub fn run(args: &Args, out: Output) -> Result<Exit> {
    let file = RolloutFile::read(&args.file)?;
    let lock = super::sign::lock_of(&file)?;
    let signed = file.signed(args.signature.as_deref())?;
    let signed = signed.ok_or_else(|| {
        let signature = file.signature_path();
        UsageError(format!("there is no signature {}", signature.display()))
    })?;
    let now = clock::now();
    let checked = signing::read_signers(&args.signers)?.check(&signed, now);
    let checked = checked.context("the signature does not count")?;
    let statement = checked.statement;
    signing::check_files(&statement, file.spec(), &lock, now)?;
    out.show(&Verified {
        rollout: statement.rollout,
        signer: checked.signer.name,
        until: statement.until.to_string(),
    })?;
    Ok(Exit::Done)
}
