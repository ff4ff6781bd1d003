//! `cofferdam amend`: another patch for some hosts of a live rollout.

use crate::{
    command::{Session, agreed, sources},
    exit::Exit,
    file,
    render::{
        Format,
        amend::{Amendment, Step},
    },
    rollout_file::RolloutFile,
};
use anyhow::Result;
use cofferdam_engine::id::RolloutId;
use cofferdam_proto::operator::AmendRequest;
use std::path::PathBuf;

/// Arguments of `amend`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "FILE is a rollout file with a name of its own, whose match selects the hosts. They \
                  leave ROLLOUT and are patched by FILE's rollout, from a canary on. Hosts that passed \
                  ROLLOUT are not taken. The difference between both files and their lock files is \
                  shown first.\n\n\
                  Example:\n  cofferdam amend openssl-2026-11 openssl-2026-11-r5.toml --yes"
)]
pub struct Args {
    /// The rollout that gives hosts away
    #[arg(value_parser = |name: &str| RolloutId::new(name))]
    rollout: RolloutId,
    /// The variant: a rollout file
    file: PathBuf,
    /// Why, for those who read it later
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        value_name = "TEXT"
    )]
    reason: String,
    /// The signature [default: NAME.sig beside FILE, if it is there]
    #[arg(long, value_name = "SIG")]
    signature: Option<PathBuf>,
    /// Begin without asking
    #[arg(long)]
    yes: bool,
}

/// Runs the command.
///
/// # Errors
/// When the file is wrong, the coordinator refuses it, or the lock file cannot be written.
pub async fn run(args: Args, session: &Session) -> Result<Exit> {
    let variant = RolloutFile::read(&args.file)?;
    let kept = variant.lock()?;
    let is_new = kept.is_none();
    let lock_text = sources::lock(&variant, kept, &session.client).await?;
    let mut request = AmendRequest {
        rollout: args.rollout,
        file_name: variant.name(),
        spec_text: variant.text().to_owned(),
        lock_text,
        reason: args.reason,
        seen: None,
        signed: variant.signed(args.signature.as_deref())?,
    };
    let reply = session.client.amend(request.clone()).await?;
    if is_new {
        file::replace(&variant.lock_path(), file::PUBLIC, &reply.lock_text)?;
    }
    request.lock_text = Some(reply.lock_text.clone());
    request.seen = Some(reply.plan.digest);
    let shown = Amendment {
        step: Step::Shown,
        reply,
    };
    let is_text = session.out.format() == Format::Text;
    if is_text {
        session.out.show(&shown)?;
    }
    let begins = args.yes || (is_text && agreed("begin it? [y/N] ")?);
    if !begins {
        if !is_text {
            session.out.show(&shown)?;
        }
        session.out.say("nothing began: --yes begins it")?;
        return Ok(Exit::Held);
    }
    let reply = session.client.amend(request).await?;
    session.out.show(&Amendment {
        step: Step::Begun,
        reply,
    })?;
    Ok(Exit::Done)
}
