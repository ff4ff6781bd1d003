//! `cofferdam sign`: an operator signs a rollout and its lock file.

use crate::{
    client::Client,
    clock,
    command::agreed,
    config::Config,
    exit::{Exit, UsageError},
    file,
    render::{
        Format, Output,
        sign::{ToSign, Written},
    },
    rollout_file::RolloutFile,
    signing,
};
use anyhow::{Context as _, Result};
use cofferdam_engine::{
    duration,
    id::{Generation, RolloutId},
    lockfile,
    patch::LockFile,
    plan::Amends,
    statement::Statement,
};
use cofferdam_proto::operator::AmendRequest;
use std::{path::PathBuf, time::Duration};

/// Arguments of `sign`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Shows what is signed, and writes NAME.statement and NAME.sig beside FILE, where `start` \
                  and `amend` find them. ssh-keygen signs, so KEY may be a private key or the public key of \
                  one that an ssh-agent holds. Needs the lock file that `cofferdam plan` writes.\n\n\
                  Example:\n  cofferdam sign openssl-2026-11.toml --with ~/.ssh/id_ed25519"
)]
pub struct Args {
    /// The rollout file
    pub file: PathBuf,
    /// The key to sign with: ed25519 or ecdsa-p256
    #[arg(long, value_name = "KEY")]
    pub with: PathBuf,
    /// How long hosts are changed by it
    #[arg(long, value_name = "TIME", default_value = "90d", value_parser = duration::parse)]
    pub valid_for: Duration,
    /// The rollout that FILE amends, which the coordinator is asked about
    #[arg(long, value_name = "ROLLOUT", value_parser = |name: &str| RolloutId::new(name))]
    pub amends: Option<RolloutId>,
    /// Sign without asking
    #[arg(long)]
    pub yes: bool,
}

/// Runs the command.
///
/// # Errors
/// When a file is wrong or there is no lock file, ssh-keygen does not sign, or the coordinator that is asked
/// does not answer.
pub async fn run(args: Args, config: &Config, out: Output) -> Result<Exit> {
    let file = RolloutFile::read(&args.file)?;
    let lock = lock_of(&file)?;
    let amends = match &args.amends {
        Some(rollout) => Some(ask(&file, rollout, config).await?),
        None => None,
    };
    carry_out(&args, &file, &lock, amends, out)
}

/// Signs a rollout that amends nothing, without a coordinator.
///
/// # Errors
/// As [`run`].
pub fn run_alone(args: &Args, out: Output) -> Result<Exit> {
    let file = RolloutFile::read(&args.file)?;
    let lock = lock_of(&file)?;
    carry_out(args, &file, &lock, None, out)
}

fn carry_out(
    args: &Args,
    file: &RolloutFile,
    lock: &LockFile,
    amends: Option<Amends>,
    out: Output,
) -> Result<Exit> {
    let validity = signing::from(clock::now(), args.valid_for);
    let statement = Statement::of(file.spec(), lock, amends, validity);
    let is_text = out.format() == Format::Text;
    if is_text {
        out.show(&ToSign::of(&statement, lock))?;
    }
    let is_agreed = args.yes || (is_text && agreed("sign it? [y/N] ")?);
    if !is_agreed {
        out.say("nothing was signed: --yes signs it")?;
        return Ok(Exit::Held);
    }
    let signed = signing::sign(&statement, &args.with)?;
    let key = signing::key_of(&signed)?;
    let (statement_file, signature_file) = (file.statement_path(), file.signature_path());
    file::replace(&statement_file, file::PUBLIC, &signed.statement)?;
    file::replace(&signature_file, file::PUBLIC, &signed.signature)?;
    out.show(&Written {
        rollout: file.rollout().clone(),
        statement_file,
        signature_file,
        key,
    })?;
    Ok(Exit::Done)
}

/// The lock file, which must be there.
pub(super) fn lock_of(file: &RolloutFile) -> Result<LockFile> {
    let (_text, lock) = read_lock(file)?;
    Ok(lock)
}

/// The same, with its text.
pub(super) fn read_lock(file: &RolloutFile) -> Result<(String, LockFile)> {
    let path = file.lock_path();
    let text = file.lock()?.ok_or_else(|| {
        UsageError(format!(
            "there is no lock file {}: make it with `cofferdam plan` first",
            path.display()
        ))
    })?;
    let lock = lockfile::parse(&path.display().to_string(), &text);
    let lock = lock.map_err(|mistakes| UsageError(mistakes.to_string()))?;
    Ok((text, lock))
}

/// Asks what the next amendment of a rollout would be.
async fn ask(file: &RolloutFile, rollout: &RolloutId, config: &Config) -> Result<Amends> {
    let client = Client::connect(&config.settings()?).await?;
    let request = AmendRequest {
        rollout: rollout.clone(),
        file_name: file.name(),
        spec_text: file.text().to_owned(),
        lock_text: file.lock()?,
        reason: String::new(),
        seen: None,
        signed: None,
    };
    let reply = client.amend(request).await?;
    let digest = reply.amended_digest;
    Ok(Amends {
        rollout: reply.amends,
        rollout_digest: digest
            .context("the coordinator is of a release that takes no signatures")?,
        generation: Generation(reply.generation),
    })
}
