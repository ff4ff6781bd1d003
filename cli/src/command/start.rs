//! `cofferdam start`: a planned rollout begins.

use crate::{
    clock,
    command::Session,
    exit::{Exit, UsageError},
    render::rollout::Standing,
    rollout_file::RolloutFile,
};
use anyhow::Result;
use cofferdam_proto::operator::StartRequest;
use std::path::PathBuf;

/// Arguments of `start`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Needs the lock file that `cofferdam plan` writes, and sends the \
    signature of `cofferdam sign` along.\n\nExample:\n  \
    cofferdam start openssl-2026-11.toml && cofferdam watch openssl-2026-11"
)]
pub struct Args {
    /// The rollout file
    pub file: PathBuf,
    /// The signature [default: NAME.sig beside FILE, if it is there]
    #[arg(long, value_name = "SIG")]
    pub signature: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// When the file is wrong, there is no lock file, or the coordinator refuses it.
pub async fn run(args: Args, session: &Session) -> Result<Exit> {
    let file = RolloutFile::read(&args.file)?;
    let lock_text = file.lock()?.ok_or_else(|| {
        UsageError(format!(
            "there is no lock file {}: run `cofferdam plan {}` first",
            file.lock_path().display(),
            args.file.display()
        ))
    })?;
    let request = StartRequest {
        file_name: file.name(),
        spec_text: file.text().to_owned(),
        lock_text,
        signed: file.signed(args.signature.as_deref())?,
    };
    let rollout = session.client.start(request).await?;
    let begun = Standing::new(&rollout, clock::now()).begun();
    session.out.show(&begun)?;
    Ok(Exit::Done)
}
